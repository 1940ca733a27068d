import { join, posix } from 'node:path';
import type { CgroupHost } from '../cgroup/cgroup-host.ts';
import type { StepCgroup } from '../cgroup/step-cgroup.ts';
import { diskExceeded, isFull } from '../disk-usage.ts';
import { OUTLET_PROGRAMS_OF_HOST, listeningFirst } from '../egress-outlet.ts';
import { processesIn, SANDBOX_VARIABLE } from '../leftovers.ts';
import type { StepSetting } from '../run-step.ts';
import type { SandboxSpec, StepSpec } from '../sandbox-executor.ts';
import type { Gate, Launch } from '../launch-step.ts';
import {
  gateWords,
  holdBack,
  insideCommand,
  outsideCommand,
  WAITING_COMMAND,
  type EntryLimits,
} from '../step-entry.ts';
import { onTerminal, terminalPipesOf } from '../terminal/step-terminal.ts';
import type { Containment } from '../supervise-step.ts';
import {
  ARGUMENTS_FD,
  CHANNEL_FD,
  becomeUser,
  bubblewrapArguments,
  encodeArguments,
  WORKSPACE_DIR,
  type SandboxLayout,
} from './bubblewrap-arguments.ts';
import type { BubblewrapHost } from './bubblewrap-host.ts';
import { sandboxProcesses } from './sandbox-processes.ts';
import type { StandingSetting, StandingSteps } from './standing-steps.ts';

export type BubblewrapSteps = {
  readonly host: BubblewrapHost;
  readonly spec: SandboxSpec;
  readonly layout: SandboxLayout;
  /** The environment of steps that see the host's system. */
  readonly hostEnv: Readonly<Record<string, string>>;
  readonly cgroups: CgroupHost | null;
  readonly killGraceMs: number;
  readonly id: string;
  readonly directory: string;
  /** Whether the disk is not capped by itself and must be looked at. */
  readonly watchDisk: boolean;
  /** Called when processes of a step are still there after they were killed. */
  readonly onSurvivors: () => void;
};

const NO_ENTRY_LIMITS: EntryLimits = { processes: null, dataBytes: null };

const outletOf = ({ network }: SandboxLayout): Launch['outlet'] => (typeof network === 'string' ? null : network);

type InsideParts = {
  readonly layout: SandboxLayout;
  readonly inside: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly outputPipe: string;
  readonly gate: Gate | null;
  readonly sizes: string | null;
};

function launchAround(steps: BubblewrapSteps, joinFiles: readonly string[], parts: InsideParts): Launch {
  const { host } = steps;
  const { layout, inside, env, outputPipe, gate, sizes } = parts;
  const become = host.mode === 'root' ? becomeUser(layout.root?.become ?? [host.setpriv], layout.uid) : [];
  const outlet = outletOf(layout);
  const command =
    outlet === null ? inside : listeningFirst(CHANNEL_FD, layout.root?.outlet ?? OUTLET_PROGRAMS_OF_HOST, inside);
  const launcher = [host.program.path, '--args', String(ARGUMENTS_FD), '--', ...become, ...command];
  return {
    argv: outsideCommand(joinFiles, launcher),
    cwd: '/',
    env: {},
    feeds: [encodeArguments(bubblewrapArguments({ ...layout, env })), host.filter],
    reportsStatus: true,
    outputPipe,
    gate,
    sizes,
    outlet,
  };
}

/** What a step sees: the root of its sandbox, or the host's system with none of the root's variables. */
const layoutFor = ({ layout, hostEnv }: BubblewrapSteps, step: StepSpec): SandboxLayout =>
  step.system === 'host' && layout.root !== null ? { ...layout, root: null, env: hostEnv } : layout;

const environmentOf = (steps: BubblewrapSteps, step: StepSpec): Readonly<Record<string, string>> => ({
  ...layoutFor(steps, step).env,
  ...step.env,
  [SANDBOX_VARIABLE]: steps.id,
});

const directoryOf = (step: StepSpec): string => posix.join(WORKSPACE_DIR, step.workdir);

function launch(steps: BubblewrapSteps, step: StepSpec, joinFiles: readonly string[]): Launch {
  const { spec, directory } = steps;
  const layout = layoutFor(steps, step);
  const limits =
    joinFiles.length > 0 ? NO_ENTRY_LIMITS : { processes: spec.limits.pids, dataBytes: spec.limits.memoryBytes };
  const { [SANDBOX_VARIABLE]: mark = '', ...variables } = environmentOf(steps, step);
  const { env, names } = holdBack(variables);
  const command = onTerminal(step, outletOf(layout) === null ? CHANNEL_FD : CHANNEL_FD + 1);
  return launchAround(steps, joinFiles, {
    layout,
    inside: insideCommand(command, directoryOf(step), limits, layout.mode === 'user', names),
    env: { ...env, [SANDBOX_VARIABLE]: mark },
    outputPipe: join(directory, 'output'),
    ...terminalPipesOf(step, directory),
  });
}

const never = (): Promise<void> => new Promise(() => undefined);

function contain(
  { id, layout, spec, watchDisk, onSurvivors }: BubblewrapSteps,
  cgroup: StepCgroup | null,
): Containment {
  const upper = layout.root?.upperHostDir ?? null;
  const places: [string, ...string[]] = [
    layout.workspaceHostDir,
    layout.homeHostDir,
    ...(upper === null ? [] : [upper]),
  ];
  return {
    ...sandboxProcesses,
    sweep: async (status) => {
      const buried = await sandboxProcesses.gone(status);
      const emptied = (await cgroup?.kill()) ?? true;
      if (!buried || !emptied) onSurvivors();
    },
    diskExceeded: (signal) =>
      watchDisk ? diskExceeded(places, spec.limits, signal, async () => processesIn(cgroup, id)) : never(),
    diskIsFull: async () => !watchDisk && isFull(layout.workspaceHostDir),
  };
}

/** The named pipes of the step that is started ahead as number `ordinal`. */
export const pipesAhead = (directory: string, ordinal: number): { readonly output: string; readonly gate: string } => ({
  output: join(directory, `output-ahead-${ordinal}`),
  gate: join(directory, `gate-ahead-${ordinal}`),
});

/** How steps of this sandbox are started ahead. The mark goes with them, so that they are found like any other. */
export const standingSetting = (steps: BubblewrapSteps, cgroups: CgroupHost): StandingSetting => ({
  sandboxId: steps.id,
  cgroups,
  limits: steps.spec.limits,
  launch: (joinFiles, ordinal) => {
    const pipes = pipesAhead(steps.directory, ordinal);
    return launchAround(steps, joinFiles, {
      layout: steps.layout,
      inside: WAITING_COMMAND,
      env: { ...steps.layout.env, [SANDBOX_VARIABLE]: steps.id },
      outputPipe: pipes.output,
      gate: { pipe: pipes.gate, words: null },
      sizes: null,
    });
  },
  contain: (cgroup) => contain(steps, cgroup),
});

async function takeAhead(steps: BubblewrapSteps, standing: StandingSteps, step: StepSpec) {
  if (step.terminal !== undefined) return null;
  const words = gateWords(step.command, directoryOf(step), environmentOf(steps, step), steps.layout.mode === 'user');
  return words === null ? null : standing.take(words);
}

/** How this sandbox's steps are started and contained; the first of them in what stands already, if anything does. */
export const stepSetting = (steps: BubblewrapSteps, standing: StandingSteps | null): StepSetting => ({
  sandboxId: steps.id,
  cgroups: steps.cgroups,
  limits: steps.spec.limits,
  killGraceMs: steps.killGraceMs,
  launch: (step, joinFiles) => launch(steps, step, joinFiles),
  contain: (cgroup) => contain(steps, cgroup),
  takeAhead: async (step) => (standing === null ? null : takeAhead(steps, standing, step)),
});
