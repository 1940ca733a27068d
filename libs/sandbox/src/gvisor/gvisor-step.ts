import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { WORKSPACE_DIR } from '../bubblewrap/bubblewrap-arguments.ts';
import type { CgroupHost } from '../cgroup/cgroup-host.ts';
import type { StepCgroup } from '../cgroup/step-cgroup.ts';
import { diskExceeded, isFull } from '../disk-usage.ts';
import type { Launch } from '../launch-step.ts';
import { processesIn, SANDBOX_VARIABLE } from '../leftovers.ts';
import type { SandboxLimits } from '../limits.ts';
import type { StepSetting } from '../run-step.ts';
import type { StepSpec } from '../sandbox-executor.ts';
import { argumentsOf, gateWords, isKeptByShells, outsideCommand, WAITING_COMMAND } from '../step-entry.ts';
import type { Containment } from '../supervise-step.ts';
import { bundleOf, type GvisorLayout } from './gvisor-bundle.ts';

/** What the steps of one sandbox have in common. */
export type GvisorSteps = {
  readonly runsc: string;
  readonly setpriv: string;
  readonly cgroups: CgroupHost;
  readonly layout: GvisorLayout;
  readonly env: Readonly<Record<string, string>>;
  readonly killGraceMs: number;
  readonly id: string;
  readonly directory: string;
  /** Whether the disk is not capped by itself and must be looked at. */
  readonly watchDisk: boolean;
  /** Called when processes of a step are still there after they were killed. */
  readonly onSurvivors: () => void;
};

/**
 * gVisor's kernel, its servant for files and the processes that stand for the job's are processes and threads of this host: some
 * sixty, and up to two for each of the job's. Its own count of the job's processes is exact.
 */
const hostTasksFor = (limits: SandboxLimits): SandboxLimits => ({ ...limits, pids: 2 * limits.pids + 256 });

/**
 * gVisor's kernel runs as nobody, sees no file by itself and asks a servant for each (`directfs`); no socket or pipe of the
 * host can be opened. The control group is ours and made before.
 */
const optionsOf = ({ directory, layout }: GvisorSteps): readonly string[] => [
  `--root=${join(directory, RUNSC_STATE)}`,
  `--network=${layout.network}`,
  '--ignore-cgroups',
  '--directfs=false',
  '--overlay2=none',
  '--host-uds=none',
  '--host-fifo=none',
  '--oci-seccomp',
];

/**
 * Gives a program exactly the variables it is told of, whatever shells make of their names. It would take a program for one more of
 * them whose name holds an equals sign; the other takes none, and changes nothing.
 */
const GIVE = '/usr/bin/env';
const BECOME = ['/usr/bin/nice', '-n', '0', '--'];

/** In the sandbox's directory: where `runsc` is told of the step that is next. */
export const BUNDLE = 'bundle';
/** In the sandbox's directory: what `runsc` keeps of what it runs. */
export const RUNSC_STATE = 'runsc';

/**
 * What a step is told comes through its gate, which is memory: `runsc` keeps what it reads of a bundle in files of its own. Variables
 * that would not come through a shell are set behind it, by a program that takes them as words.
 */
function wordsFor({ env, id }: GvisorSteps, step: StepSpec): string | null {
  const all = Object.entries({ ...env, ...step.env, [SANDBOX_VARIABLE]: id });
  const told = Object.fromEntries(all.filter(([name]) => !isKeptByShells(name)));
  const kept = all.filter(([name]) => isKeptByShells(name)).map(([name, value]) => `${name}=${value}`);
  const command =
    kept.length === 0
      ? step.command
      : ({ kind: 'argv', argv: [GIVE, ...kept, ...BECOME, ...argumentsOf(step.command)] } as const);
  return gateWords(command, posix.join(WORKSPACE_DIR, step.workdir), told, true);
}

function launch(steps: GvisorSteps, step: StepSpec, joinFiles: readonly string[], container: string): Launch {
  const bundle = bundleOf(steps.layout, WAITING_COMMAND);
  writeFileSync(join(steps.directory, BUNDLE, 'config.json'), JSON.stringify(bundle), { mode: 0o600 });
  // Whatever `runsc` starts dies with it, and it with us.
  const leash = [steps.setpriv, '--pdeathsig', 'KILL', '--'];
  const run = [steps.runsc, ...optionsOf(steps), 'run', `--bundle=${join(steps.directory, BUNDLE)}`, container];
  return {
    argv: outsideCommand(joinFiles, [...leash, ...run]),
    cwd: '/',
    env: { [SANDBOX_VARIABLE]: steps.id },
    feeds: [],
    reportsStatus: false,
    outputPipe: join(steps.directory, 'output'),
    gate: { pipe: join(steps.directory, 'gate'), words: wordsFor(steps, step) },
    sizes: null,
    outlet: null,
  };
}

/**
 * The first process of a container is deaf to SIGTERM, and `runsc kill --all` would end it with all others at once: the step is
 * asked from inside. One that leaves no room for one more process is not asked, and killed after the grace.
 */
function askAllToEnd(steps: GvisorSteps, container: string): void {
  const user = `--user=${steps.layout.uid}:${steps.layout.uid}`;
  const args = [...optionsOf(steps), 'exec', user, container, '/bin/sh', '-c', 'kill -TERM -1'];
  execFile(steps.runsc, args, { env: {}, timeout: steps.killGraceMs, killSignal: 'SIGKILL' }, () => undefined);
}

const never = (): Promise<void> => new Promise(() => undefined);

function contain(steps: GvisorSteps, cgroup: StepCgroup | null, container: string): Containment {
  const { layout, watchDisk, id } = steps;
  const places: [string, ...string[]] = [layout.workspaceHostDir, layout.homeHostDir];
  return {
    terminate: () => askAllToEnd(steps, container),
    kill: (child) => void child.kill('SIGKILL'),
    sweep: async () => {
      if ((await cgroup?.kill()) !== true) steps.onSurvivors();
    },
    diskExceeded: (signal) =>
      watchDisk ? diskExceeded(places, layout.limits, signal, async () => processesIn(cgroup, id)) : never(),
    diskIsFull: async () => !watchDisk && isFull(layout.workspaceHostDir),
  };
}

/** How this sandbox's steps are started and contained. A step that was killed leaves its name taken; containment is made before its launch. */
export function gvisorSetting(steps: GvisorSteps): StepSetting {
  let begun = 0;
  return {
    sandboxId: steps.id,
    cgroups: steps.cgroups,
    limits: hostTasksFor(steps.layout.limits),
    killGraceMs: steps.killGraceMs,
    launch: (step, joinFiles) => launch(steps, step, joinFiles, `step-${++begun}`),
    contain: (cgroup) => contain(steps, cgroup, `step-${begun + 1}`),
  };
}
