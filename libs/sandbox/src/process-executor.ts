import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { detectCgroups, type CgroupFinding } from './cgroup/cgroup-host.ts';
import { cgroupParents } from './cgroup/step-cgroup.ts';
import { collectFiles } from './collect-files.ts';
import { diskExceeded } from './disk-usage.ts';
import { clearSandbox, endProcesses, killMarked, processesIn, SANDBOX_VARIABLE } from './leftovers.ts';
import { limitReports, missing, watchedDisk } from './limit-reports.ts';
import { refuseMissingLayer } from './layer-minimum.ts';
import type { LayerReport } from './layers.ts';
import { makePipes } from './output-pipe.ts';
import { signalProcess } from './process-table.ts';
import { refusal } from './refusal.ts';
import { sizesFdOf } from './launch-step.ts';
import { onTerminal, terminalPipes, terminalPipesOf } from './terminal/step-terminal.ts';
import { runStep, type StepSetting } from './run-step.ts';
import { newSandboxId, openSandboxDir } from './sandbox-record.ts';
import type { Opened, SandboxExecutor, SandboxSpec, TierProbe } from './sandbox-executor.ts';
import { SequentialSandbox } from './sequential-sandbox.ts';
import { insideCommand, outsideCommand } from './step-entry.ts';
import { baseEnvironment } from './step-environment.ts';
import { refuseOutlet, refuseSpec } from './validate-spec.ts';

export type ProcessExecutorOptions = {
  /** Where the executor keeps what it must undo; made when missing. On a disk, private to the warden. */
  readonly stateDir: string;
  readonly killGraceMs: number;
};

const NO_ISOLATION = 'steps run as this very user';
const USE_SANDBOX = 'use the sandbox tier';

/**
 * Plain child processes in the workspace, as the warden's own user: no isolation whatsoever. For code that is trusted
 * as much as the warden, where the operator allowed it. Cancels, cleans up and counts like the tiers that isolate.
 */
export class ProcessExecutor implements SandboxExecutor {
  readonly tier = 'process';
  private readonly options: ProcessExecutorOptions;
  private readonly cgroups: CgroupFinding;

  constructor(options: ProcessExecutorOptions) {
    this.options = options;
    this.cgroups = detectCgroups();
  }

  async probe(): Promise<TierProbe> {
    return { tier: this.tier, usable: true, layers: this.layers() };
  }

  async open(spec: SandboxSpec): Promise<Opened> {
    if (spec.trust === 'untrusted') {
      return { ok: false, refusal: refusal('tier_refuses_untrusted', 'tier process runs trusted code only') };
    }
    const refused =
      refuseOutlet(spec, this.tier) ?? refuseSpec(spec) ?? refuseMissingLayer(this.layers(), spec.minimum ?? {});
    return refused === null ? this.prepare(spec) : { ok: false, refusal: refused };
  }

  private layers(): readonly LayerReport[] {
    const isolation = (['filesystem', 'namespaces', 'network', 'identity', 'seccomp', 'proc-masks'] as const).map(
      (layer) => missing(layer, NO_ISOLATION, USE_SANDBOX),
    );
    return [...isolation, ...limitReports(this.cgroups, null), watchedDisk('use the sandbox tier as root')];
  }

  private async prepare(spec: SandboxSpec): Promise<Opened> {
    const id = newSandboxId();
    const { directory, record } = await openSandboxDir(this.options.stateDir, {
      id,
      cgroupParents: this.cgroups.found ? cgroupParents(this.cgroups.host) : [],
      mounts: [],
      engineSocket: null,
      workspaceToEmpty: spec.workspace.onClose === 'empty' ? spec.workspace.hostDir : null,
    });
    const homeDir = join(directory, 'home');
    await Promise.all([
      mkdir(homeDir, { mode: 0o700 }),
      mkdir(join(directory, 'tmp'), { mode: 0o700 }),
      makePipes([join(directory, 'output'), ...terminalPipes(directory)]),
    ]);
    const { hostDir } = spec.workspace;
    const setting = this.setting(spec, id, directory, homeDir);
    const sweep = this.cgroups.found ? 'processes-are-gone' : 'all-processes';
    const sandbox = new SequentialSandbox({
      tier: this.tier,
      layers: this.layers(),
      workspaceDir: hostDir,
      homeDir,
      binds: spec.binds.map(({ hostPath }) => ({ hostPath, at: hostPath })),
      execute: (step, ordinal, sink) => runStep(setting, step, ordinal, sink),
      collect: (globs, caps, take) => collectFiles(hostDir, globs, caps, take),
      stop: () => endProcesses(record, sweep),
      clear: () => clearSandbox(directory, record, sweep),
    });
    return { ok: true, sandbox };
  }

  private setting(spec: SandboxSpec, id: string, directory: string, homeDir: string): StepSetting {
    const { hostDir } = spec.workspace;
    const environment = {
      ...baseEnvironment(spec.user, homeDir, join(directory, 'tmp')),
      ...spec.env,
      [SANDBOX_VARIABLE]: id,
    };
    return {
      sandboxId: id,
      cgroups: this.cgroups.found ? this.cgroups.host : null,
      limits: spec.limits,
      killGraceMs: this.options.killGraceMs,
      launch: (step, joinFiles) => {
        const channels = { feeds: [], reportsStatus: false, outlet: null };
        const command = onTerminal(step, sizesFdOf(channels));
        const inside = insideCommand(command, join(hostDir, step.workdir), { processes: null, dataBytes: null }, false);
        return {
          argv: outsideCommand(joinFiles, inside),
          cwd: hostDir,
          env: { ...environment, ...step.env, [SANDBOX_VARIABLE]: id },
          ...channels,
          outputPipe: join(directory, 'output'),
          ...terminalPipesOf(step, directory),
        };
      },
      contain: (cgroup) => ({
        terminate: (child) => void (child.pid !== undefined && signalProcess(-child.pid, 'SIGTERM')),
        kill: (child) => void (child.pid !== undefined && signalProcess(-child.pid, 'SIGKILL')),
        sweep: async () => {
          // A control group cannot be left; without one the mark in the environment is all there is to go by.
          if (cgroup === null || !(await cgroup.kill())) await killMarked(id);
        },
        diskExceeded: (signal) =>
          diskExceeded([hostDir, homeDir], spec.limits, signal, async () => processesIn(cgroup, id)),
        diskIsFull: async () => false,
      }),
    };
  }
}
