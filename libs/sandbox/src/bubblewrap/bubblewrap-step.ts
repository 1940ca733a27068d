import { join, posix } from 'node:path';
import type { CgroupHost } from '../cgroup/cgroup-host.ts';
import type { StepCgroup } from '../cgroup/step-cgroup.ts';
import { diskExceeded } from '../disk-usage.ts';
import { SANDBOX_VARIABLE } from '../leftovers.ts';
import type { StepSetting } from '../run-step.ts';
import type { SandboxSpec, StepSpec } from '../sandbox-executor.ts';
import { insideCommand, outsideCommand, type EntryLimits } from '../step-entry.ts';
import type { Containment, Launch } from '../supervise-step.ts';
import {
  ARGUMENTS_FD,
  becomeUser,
  bubblewrapArguments,
  encodeArguments,
  WORKSPACE_DIR,
  type SandboxLayout,
} from './bubblewrap-arguments.ts';
import type { BubblewrapHost } from './bubblewrap-host.ts';
import { sandboxProcesses } from './sandbox-processes.ts';

export type BubblewrapSteps = {
  readonly host: BubblewrapHost;
  readonly spec: SandboxSpec;
  readonly layout: SandboxLayout;
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

function launch(steps: BubblewrapSteps, step: StepSpec, joinFiles: readonly string[]): Launch {
  const { host, layout, spec, directory } = steps;
  const limits =
    joinFiles.length > 0 ? NO_ENTRY_LIMITS : { processes: spec.limits.pids, dataBytes: spec.limits.memoryBytes };
  const workdir = posix.join(WORKSPACE_DIR, step.workdir);
  const inside = insideCommand(step.command, workdir, limits, layout.mode === 'user');
  const become = host.mode === 'root' ? becomeUser(host.setpriv, layout.uid) : [];
  const env = { ...layout.env, ...step.env, [SANDBOX_VARIABLE]: steps.id };
  const launcher = [host.program.path, '--args', String(ARGUMENTS_FD), '--', ...become, ...inside];
  return {
    argv: outsideCommand(joinFiles, launcher),
    cwd: '/',
    env: {},
    feeds: [encodeArguments(bubblewrapArguments({ ...layout, env })), host.filter],
    reportsStatus: true,
    outputPipe: join(directory, 'output'),
    outputBytes: spec.limits.outputBytes,
  };
}

const never = (): Promise<void> => new Promise(() => undefined);

function contain({ layout, spec, watchDisk, onSurvivors }: BubblewrapSteps, cgroup: StepCgroup | null): Containment {
  const places = [layout.workspaceHostDir, layout.homeHostDir];
  return {
    ...sandboxProcesses,
    sweep: async (status) => {
      const buried = await sandboxProcesses.gone(status);
      const emptied = (await cgroup?.kill()) ?? true;
      if (!buried || !emptied) onSurvivors();
    },
    diskExceeded: (signal) => (watchDisk ? diskExceeded(places, spec.limits, signal) : never()),
  };
}

/** How this sandbox's steps are started and contained. */
export const stepSetting = (steps: BubblewrapSteps): StepSetting => ({
  sandboxId: steps.id,
  cgroups: steps.cgroups,
  limits: steps.spec.limits,
  killGraceMs: steps.killGraceMs,
  launch: (step, joinFiles) => launch(steps, step, joinFiles),
  contain: (cgroup) => contain(steps, cgroup),
});
