import { chown, mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { CgroupHost } from '../cgroup/cgroup-host.ts';
import { cgroupParents } from '../cgroup/step-cgroup.ts';
import { collectFiles } from '../collect-files.ts';
import { clearSandbox, type Sweep } from '../leftovers.ts';
import type { LayerReport } from '../layers.ts';
import { makeOutputPipe } from '../output-pipe.ts';
import { giveTree } from '../remove-tree.ts';
import { refusal } from '../refusal.ts';
import { runStep } from '../run-step.ts';
import { newSandboxId, openSandboxDir, type SandboxRecord } from '../sandbox-record.ts';
import type { Opened, SandboxSpec } from '../sandbox-executor.ts';
import { SequentialSandbox } from '../sequential-sandbox.ts';
import { baseEnvironment } from '../step-environment.ts';
import { WORKSPACE_DIR, type SandboxLayout } from './bubblewrap-arguments.ts';
import type { BubblewrapHost } from './bubblewrap-host.ts';
import { stepSetting } from './bubblewrap-step.ts';
import { wantsOwnDisk } from './layers-of-sandbox.ts';
import { loopDiskMounts, mountLoopDisk, type LoopDiskTools } from './loop-disk.ts';
import { writeOwnEtc } from './own-etc.ts';
import type { UserIds } from './user-ids.ts';

export type Preparation = {
  readonly host: BubblewrapHost;
  readonly layers: readonly LayerReport[];
  readonly cgroups: CgroupHost | null;
  readonly stateDir: string;
  readonly killGraceMs: number;
  readonly userIds: UserIds;
};

/** Inside an unprivileged sandbox the job is the only user there is; 1000 is what programs expect of one. */
const UNPRIVILEGED_UID = 1000;

/** What one sandbox is given: its number, its directory on the host and its disk, if it has one. */
type Place = {
  readonly id: string;
  readonly uid: number;
  readonly directory: string;
  readonly record: SandboxRecord;
  readonly disk: LoopDiskTools | null;
};

async function claimPlace({ host, cgroups, stateDir }: Preparation, spec: SandboxSpec, uid: number): Promise<Place> {
  const id = newSandboxId();
  const { hostDir, onClose } = spec.workspace;
  const disk = wantsOwnDisk(spec) ? host.loopDisk : null;
  const { directory, record } = await openSandboxDir(stateDir, {
    id,
    cgroupParents: cgroups === null ? [] : cgroupParents(cgroups),
    mounts: disk === null ? [] : loopDiskMounts(join(stateDir, id), hostDir),
    engineSocket: null,
    workspaceToEmpty: onClose === 'empty' ? hostDir : null,
  });
  return { id, uid, directory, record, disk };
}

async function makeHome(spec: SandboxSpec, { disk, directory, uid }: Place): Promise<string> {
  if (disk !== null) return mountLoopDisk(disk, directory, spec.workspace.hostDir, uid, spec.limits);
  const home = join(directory, 'home');
  await mkdir(home, { mode: 0o700 });
  return home;
}

async function furnish(host: BubblewrapHost, spec: SandboxSpec, place: Place): Promise<SandboxLayout> {
  const { uid, directory } = place;
  const { hostDir } = spec.workspace;
  const homeDir = `/home/${spec.user}`;
  const outputPipe = join(directory, 'output');
  const etcHostDir = join(directory, 'etc');
  const [homeHostDir] = await Promise.all([
    makeHome(spec, place),
    writeOwnEtc(etcHostDir, { user: spec.user, uid, homeDir }, spec.network, host.system),
    makeOutputPipe(outputPipe),
  ]);
  if (host.mode === 'root') {
    await Promise.all([chown(homeHostDir, uid, uid), chown(outputPipe, uid, uid), giveTree(hostDir, uid)]);
  }
  return {
    mode: host.mode,
    disableUserns: host.program.disablesUserns,
    uid,
    network: spec.network,
    system: host.system,
    etcHostDir,
    workspaceHostDir: hostDir,
    homeHostDir,
    homeDir,
    binds: spec.binds.map(({ hostPath, at }) => ({ hostPath, at: at ?? hostPath })),
    tmpBytes: spec.limits.tmpBytes,
    env: { ...baseEnvironment(spec.user, homeDir, '/tmp'), ...spec.env },
  };
}

function assemble(
  preparation: Preparation,
  spec: SandboxSpec,
  place: Place,
  layout: SandboxLayout,
  vacate: () => void,
) {
  const { host, cgroups, killGraceMs } = preparation;
  const { id, directory, record, disk } = place;
  let sweep: Sweep = 'processes-are-gone';
  const onSurvivors = (): void => void (sweep = 'all-processes');
  const watchDisk = disk === null;
  const setting = stepSetting({ host, spec, layout, cgroups, killGraceMs, id, directory, watchDisk, onSurvivors });
  return new SequentialSandbox({
    tier: 'sandbox',
    layers: preparation.layers,
    workspaceDir: WORKSPACE_DIR,
    homeDir: layout.homeDir,
    binds: layout.binds,
    execute: (step, ordinal, sink) => runStep(setting, step, ordinal, sink),
    collect: (globs, caps, take) => collectFiles(spec.workspace.hostDir, globs, caps, take),
    clear: async () => {
      const left = await clearSandbox(directory, record, sweep);
      // A user id under which something may still live is nobody else's: it is not given out again.
      if (left.length === 0) vacate();
      return left;
    },
  });
}

/**
 * Makes everything a sandbox needs on the host. What fails here is the host's doing (a full disk, a mount refused): it
 * is undone and answered as a refusal.
 */
export async function prepareSandbox(given: Preparation, asked: SandboxSpec): Promise<Opened> {
  const { host, userIds } = given;
  const uid = host.mode === 'root' ? userIds.take() : UNPRIVILEGED_UID;
  if (uid === null) {
    return { ok: false, refusal: refusal('too_many_sandboxes', 'all user ids of this process are in use') };
  }
  const vacate = (): void => userIds.giveBack(uid);
  // Mounts are listed under their real paths and could not be found again under any other.
  const preparation = { ...given, stateDir: await realpath(given.stateDir) };
  const hostDir = await realpath(asked.workspace.hostDir);
  const spec = { ...asked, workspace: { ...asked.workspace, hostDir } };
  const place = await claimPlace(preparation, spec, uid);
  try {
    const layout = await furnish(host, spec, place);
    return { ok: true, sandbox: assemble(preparation, spec, place, layout, vacate) };
  } catch (reason) {
    const left = await clearSandbox(place.directory, place.record, 'processes-are-gone');
    if (left.length === 0) vacate();
    return { ok: false, refusal: refusal('sandbox_setup_failed', String(reason)) };
  }
}
