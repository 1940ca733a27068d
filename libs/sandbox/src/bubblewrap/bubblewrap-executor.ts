import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { detectCgroups, type CgroupFinding } from '../cgroup/cgroup-host.ts';
import { cgroupParents, type StepCgroup } from '../cgroup/step-cgroup.ts';
import { collectFiles } from '../collect-files.ts';
import { diskExceeded } from '../disk-usage.ts';
import { clearSandbox, SANDBOX_VARIABLE } from '../leftovers.ts';
import { MINIMUM_LAYERS, refuseMissingLayer, type LayerMinimum } from '../layer-minimum.ts';
import type { LayerReport } from '../layers.ts';
import { makeOutputPipe } from '../output-pipe.ts';
import { giveTree } from '../remove-tree.ts';
import { refusal, type Refusal } from '../refusal.ts';
import { runStep, type StepSetting } from '../run-step.ts';
import { newSandboxId, openSandboxDir, readSandboxRecord } from '../sandbox-record.ts';
import type { Opened, SandboxExecutor, SandboxSpec, StepSpec, TierProbe } from '../sandbox-executor.ts';
import { jobFilterBytes } from '../seccomp/job-filter.ts';
import { SequentialSandbox } from '../sequential-sandbox.ts';
import { insideCommand, outsideCommand } from '../step-entry.ts';
import { baseEnvironment } from '../step-environment.ts';
import type { Containment, Launch } from '../supervise-step.ts';
import { refuseSpec } from '../validate-spec.ts';
import {
  ARGUMENTS_FD,
  becomeUser,
  bubblewrapArguments,
  encodeArguments,
  WORKSPACE_DIR,
  type SandboxLayout,
} from './bubblewrap-arguments.ts';
import { sandboxProcesses } from './sandbox-processes.ts';
import { findHost, type BubblewrapHost, type HostFinding } from './bubblewrap-host.ts';
import { selfTest } from './self-test.ts';
import { writeOwnEtc } from './own-etc.ts';
import { UserIds } from './user-ids.ts';

export type BubblewrapExecutorOptions = {
  /** Where the executor keeps what it must undo, homes included; made when missing. On a disk, private to the agent. */
  readonly stateDir: string;
  /** Between SIGTERM and SIGKILL of a step that is stopped. */
  readonly killGraceMs: number;
  /** Path or name of bubblewrap. */
  readonly bwrap: string;
  /** Where a bare name is looked for: the directories of the agent's PATH. */
  readonly programDirs: readonly string[];
};

/** Inside an unprivileged sandbox the job is the only user there is; 1000 is what programs expect of one. */
const UNPRIVILEGED_UID = 1000;

type Ready = { readonly host: BubblewrapHost; readonly layers: readonly LayerReport[] };

/**
 * Tier `sandbox`: bubblewrap around every step, with a seccomp filter, masks over /proc and control groups or resource
 * limits. As root each sandbox has a user id of its own and no user namespace is needed; as anybody else a user
 * namespace is made, and the step's first process is ours under the same filter.
 */
export class BubblewrapExecutor implements SandboxExecutor {
  readonly tier = 'sandbox';
  private readonly options: BubblewrapExecutorOptions;
  private readonly cgroups: CgroupFinding;
  private readonly userIds = new UserIds(process.pid);
  private readiness: Promise<{ readonly ready: Ready | null; readonly layers: readonly LayerReport[] }> | null = null;

  constructor(options: BubblewrapExecutorOptions) {
    this.options = options;
    this.cgroups = detectCgroups();
  }

  async probe(): Promise<TierProbe> {
    const { ready, layers } = await this.learn();
    return { tier: this.tier, usable: ready !== null, layers };
  }

  async open(spec: SandboxSpec): Promise<Opened> {
    const { ready, layers } = await this.learn();
    const minimum = spec.minimum ?? MINIMUM_LAYERS[spec.trust];
    const refused = refuseNetwork(spec) ?? refuseSpec(spec) ?? refuseMissingLayer(layers, minimum);
    if (refused !== null) return { ok: false, refusal: refused };
    if (ready === null) return { ok: false, refusal: refuseMissingLayer(layers, ISOLATION_AT_ALL) ?? NOT_READY };
    return this.prepare(spec, ready);
  }

  private learn() {
    this.readiness ??= this.examine();
    return this.readiness;
  }

  private async examine(): Promise<{ readonly ready: Ready | null; readonly layers: readonly LayerReport[] }> {
    const finding: HostFinding = await findHost(this.options.bwrap, this.options.programDirs, this.cgroups);
    if (!finding.found) return { ready: null, layers: finding.layers };
    await mkdir(this.options.stateDir, { recursive: true, mode: 0o700 });
    const workspace = await mkdtemp(join(this.options.stateDir, 'probe-'));
    try {
      const untested: Ready = { host: finding.host, layers: [] };
      const tested = await selfTest(finding.host, workspace, (spec) => this.prepare(spec, untested));
      return { ready: tested.usable ? { host: finding.host, layers: tested.layers } : null, layers: tested.layers };
    } finally {
      await rm(workspace, { recursive: true, force: true });
    }
  }

  private async prepare(spec: SandboxSpec, { host, layers }: Ready): Promise<Opened> {
    const uid = host.mode === 'root' ? this.userIds.take() : UNPRIVILEGED_UID;
    if (uid === null)
      return { ok: false, refusal: refusal('too_many_sandboxes', 'all user ids of this agent are in use') };
    const giveBack = (): void => void (host.mode === 'root' && this.userIds.giveBack(uid));
    const id = newSandboxId();
    const { hostDir, onClose } = spec.workspace;
    try {
      const directory = await openSandboxDir(this.options.stateDir, {
        id,
        cgroupParents: this.cgroups.found ? cgroupParents(this.cgroups.host) : [],
        mounts: [],
        workspaceToEmpty: onClose === 'empty' ? hostDir : null,
      });
      const layout = await this.furnish(spec, host, uid, directory);
      const setting = this.setting(spec, host, layout, id, directory);
      const sandbox = new SequentialSandbox({
        tier: this.tier,
        layers,
        workspaceDir: WORKSPACE_DIR,
        homeDir: layout.homeDir,
        binds: layout.binds,
        execute: (step, ordinal, sink) => runStep(setting, step, ordinal, sink),
        collect: (globs, caps, take) => collectFiles(hostDir, globs, caps, take),
        clear: async () => {
          giveBack();
          const record = await readSandboxRecord(directory);
          return record === null ? [] : clearSandbox(directory, record, 'processes-are-gone');
        },
      });
      return { ok: true, sandbox };
    } catch (reason) {
      giveBack();
      throw reason;
    }
  }

  private async furnish(
    spec: SandboxSpec,
    host: BubblewrapHost,
    uid: number,
    directory: string,
  ): Promise<SandboxLayout> {
    const homeDir = `/home/${spec.user}`;
    const homeHostDir = join(directory, 'home');
    const outputPipe = join(directory, 'output');
    const [ownEtc] = await Promise.all([
      writeOwnEtc(join(directory, 'etc'), { user: spec.user, uid, homeDir }, spec.network),
      mkdir(homeHostDir, { mode: 0o700 }),
      makeOutputPipe(outputPipe),
    ]);
    if (host.mode === 'root') {
      await Promise.all([
        chown(homeHostDir, uid, uid),
        chown(outputPipe, uid, uid),
        giveTree(spec.workspace.hostDir, uid),
      ]);
    }
    return {
      mode: host.mode,
      disableUserns: host.program.disablesUserns,
      uid,
      network: spec.network,
      system: host.system,
      ownEtc,
      workspaceHostDir: spec.workspace.hostDir,
      homeHostDir,
      homeDir,
      binds: spec.binds.map(({ hostPath, at }) => ({ hostPath, at: at ?? hostPath })),
      tmpBytes: spec.limits.tmpBytes,
      env: { ...baseEnvironment(spec.user, homeDir, '/tmp'), ...spec.env },
    };
  }

  private setting(
    spec: SandboxSpec,
    host: BubblewrapHost,
    layout: SandboxLayout,
    id: string,
    directory: string,
  ): StepSetting {
    const disk = [layout.workspaceHostDir, layout.homeHostDir];
    return {
      sandboxId: id,
      cgroups: this.cgroups.found ? this.cgroups.host : null,
      limits: spec.limits,
      killGraceMs: this.options.killGraceMs,
      launch: (step, joinFiles) => this.launch(spec, host, layout, id, directory, step, joinFiles),
      contain: (cgroup: StepCgroup | null): Containment => ({
        ...sandboxProcesses,
        sweep: async (status) => {
          await sandboxProcesses.gone(status);
          await cgroup?.kill();
        },
        diskExceeded: (signal) => diskExceeded(disk, spec.limits, signal),
      }),
    };
  }

  private launch(
    spec: SandboxSpec,
    host: BubblewrapHost,
    layout: SandboxLayout,
    id: string,
    directory: string,
    step: StepSpec,
    joinFiles: readonly string[],
  ): Launch {
    const counted = joinFiles.length > 0;
    const limits = {
      processes: counted ? null : spec.limits.pids,
      dataBytes: counted ? null : spec.limits.memoryBytes,
    };
    const workdir = posix.join(WORKSPACE_DIR, step.workdir);
    const inside = insideCommand(step.command, workdir, limits, layout.mode === 'user');
    const become = host.mode === 'root' ? becomeUser(host.setpriv, layout.uid) : [];
    const env = { ...layout.env, ...step.env, [SANDBOX_VARIABLE]: id };
    const launcher = [host.program.path, '--args', String(ARGUMENTS_FD), '--', ...become, ...inside];
    return {
      argv: outsideCommand(joinFiles, launcher),
      cwd: '/',
      env: {},
      feeds: [encodeArguments(bubblewrapArguments({ ...layout, env })), jobFilterBytes(host.arch)],
      reportsStatus: true,
      outputPipe: join(directory, 'output'),
      outputBytes: spec.limits.outputBytes,
    };
  }
}

/** Without these there is no sandbox at all, whatever the spec would put up with. */
const ISOLATION_AT_ALL: LayerMinimum = { filesystem: 'enforced', namespaces: 'enforced' };

const NOT_READY: Refusal = refusal('sandbox_setup_failed', 'the sandbox does not work on this host');

/** Until there is a proxy in between, the host's network leads to its loopback and its cloud's metadata service. */
function refuseNetwork(spec: SandboxSpec): Refusal | null {
  return spec.trust === 'untrusted' && spec.network === 'host'
    ? refusal('untrusted_host_network', "untrusted code never gets the host's network")
    : null;
}
