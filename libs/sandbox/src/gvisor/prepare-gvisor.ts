import { chown, mkdir, realpath, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorInWords } from '../error-code.ts';
import { WORKSPACE_DIR } from '../bubblewrap/bubblewrap-arguments.ts';
import { loopDiskMounts, mountLoopDisk, type LoopDiskTools } from '../bubblewrap/loop-disk.ts';
import { ownDiskFor, refuseToHide } from '../bubblewrap/own-disk.ts';
import { writeOwnEtc } from '../bubblewrap/own-etc.ts';
import { OWN_USER_IDS } from '../bubblewrap/user-ids.ts';
import { cgroupParents } from '../cgroup/step-cgroup.ts';
import { collectFiles } from '../collect-files.ts';
import type { LayerReport } from '../layers.ts';
import { clearSandbox, endProcesses, type Sweep } from '../leftovers.ts';
import { makePipes } from '../output-pipe.ts';
import { refusal } from '../refusal.ts';
import { giveTree } from '../remove-tree.ts';
import { runStep } from '../run-step.ts';
import { newSandboxId, openSandboxDir, type SandboxRecord } from '../sandbox-record.ts';
import type { Opened, Sandbox, SandboxSpec } from '../sandbox-executor.ts';
import { SequentialSandbox } from '../sequential-sandbox.ts';
import { baseEnvironment } from '../step-environment.ts';
import { refuseTerminal } from '../terminal/step-terminal.ts';
import type { GvisorLayout } from './gvisor-bundle.ts';
import type { GvisorHost } from './gvisor-host.ts';
import { BUNDLE, gvisorSetting, RUNSC_STATE, type GvisorSteps } from './gvisor-step.ts';

export type GvisorPreparation = {
  readonly host: GvisorHost;
  readonly layers: readonly LayerReport[];
  readonly stateDir: string;
  readonly killGraceMs: number;
};

type Place = {
  readonly uid: number;
  readonly directory: string;
  readonly record: SandboxRecord;
  readonly disk: LoopDiskTools | null;
  /** How to look for processes at the end: for all, once some were still there after they were killed. */
  readonly end: { sweep: Sweep };
};

async function claimPlace({ host, stateDir }: GvisorPreparation, spec: SandboxSpec, uid: number): Promise<Place> {
  const id = newSandboxId();
  const { hostDir, onClose } = spec.workspace;
  const disk = ownDiskFor(spec, host.loopDisk);
  const opened = await openSandboxDir(stateDir, {
    id,
    cgroupParents: cgroupParents(host.cgroups),
    mounts: disk === null ? [] : loopDiskMounts(join(stateDir, id), hostDir),
    engineSocket: null,
    workspaceToEmpty: onClose === 'empty' ? hostDir : null,
  });
  return { ...opened, uid, disk, end: { sweep: 'processes-are-gone' } };
}

async function makeHome(spec: SandboxSpec, { disk, directory, uid }: Place): Promise<string> {
  if (disk !== null) return mountLoopDisk(disk, directory, spec.workspace.hostDir, uid, spec.limits);
  const home = join(directory, 'home');
  await mkdir(home, { mode: 0o700 });
  return home;
}

/** Places to mount on, for all to pass through, and the links of the host's system. */
async function makeRoot(root: string, { system, homeDir, binds }: Omit<GvisorLayout, 'rootHostDir'>): Promise<void> {
  const places = [...system.directories, '/etc', '/proc', '/sys', '/dev', '/run', '/tmp', WORKSPACE_DIR, homeDir];
  for (const place of [...places, '/var', ...binds.map(({ at }) => dirname(at))]) {
    await mkdir(join(root, place), { recursive: true, mode: 0o755 });
  }
  for (const { at, to } of [...system.links, { at: '/var/tmp', to: '../tmp' }, { at: '/var/run', to: '../run' }]) {
    await symlink(to, join(root, at));
  }
}

async function furnish({ host }: GvisorPreparation, spec: SandboxSpec, place: Place): Promise<GvisorLayout> {
  const { uid, directory } = place;
  const { hostDir } = spec.workspace;
  const homeDir = `/home/${spec.user}`;
  const network = spec.network === 'host' ? 'host' : 'none';
  const etcHostDir = join(directory, 'etc');
  const rootHostDir = join(directory, 'root');
  const pipes = [join(directory, 'output'), join(directory, 'gate')];
  const [homeHostDir] = await Promise.all([
    makeHome(spec, place),
    writeOwnEtc(etcHostDir, { user: spec.user, uid, homeDir }, network, host.system),
    makePipes(pipes),
    ...[BUNDLE, RUNSC_STATE].map(async (name) => mkdir(join(directory, name), { mode: 0o700 })),
  ]);
  await Promise.all([chown(homeHostDir, uid, uid), giveTree(hostDir, uid)]);
  const layout = {
    uid,
    network,
    system: host.system,
    limits: spec.limits,
    seccomp: host.seccomp,
    etcHostDir,
    workspaceHostDir: hostDir,
    homeHostDir,
    homeDir,
    binds: spec.binds.map(({ hostPath, at }) => ({ hostPath, at: at ?? hostPath })),
  } as const;
  await makeRoot(rootHostDir, layout);
  return { ...layout, rootHostDir };
}

/** A user id under which something may still live is nobody else's: it is not given out again. */
async function vacate({ directory, record, uid, end }: Place): Promise<readonly string[]> {
  const left = await clearSandbox(directory, record, end.sweep);
  if (left.length === 0) OWN_USER_IDS.giveBack(uid);
  return left;
}

function assemble(given: GvisorPreparation, spec: SandboxSpec, place: Place, layout: GvisorLayout): Sandbox {
  const { host, layers, killGraceMs } = given;
  const steps: GvisorSteps = {
    runsc: host.program.path,
    setpriv: host.setpriv,
    cgroups: host.cgroups,
    layout,
    env: { ...baseEnvironment(spec.user, layout.homeDir, '/tmp'), ...spec.env },
    killGraceMs,
    id: place.record.id,
    directory: place.directory,
    watchDisk: place.disk === null,
    onSurvivors: () => void (place.end.sweep = 'all-processes'),
  };
  const setting = gvisorSetting(steps);
  return new SequentialSandbox({
    tier: 'gvisor',
    layers,
    workspaceDir: WORKSPACE_DIR,
    homeDir: layout.homeDir,
    binds: layout.binds,
    execute: async (step, ordinal, sink) => {
      const refused = refuseTerminal(step, 'gvisor');
      return refused === null ? runStep(setting, step, ordinal, sink) : { kind: 'fault', refusal: refused };
    },
    collect: (globs, caps, take) => collectFiles(layout.workspaceHostDir, globs, caps, take),
    stop: () => endProcesses(place.record, place.end.sweep),
    clear: () => vacate(place),
  });
}

/** Makes what the steps of one sandbox need on the host. What fails here is undone and answered as a refusal. */
export async function prepareGvisor(given: GvisorPreparation, asked: SandboxSpec): Promise<Opened> {
  const refused = refuseToHide(asked, given.host.loopDisk);
  if (refused !== null) return { ok: false, refusal: refused };
  const uid = OWN_USER_IDS.take();
  if (uid === null) {
    return { ok: false, refusal: refusal('too_many_sandboxes', 'all user ids of this process are in use') };
  }
  // Mounts are listed under their real paths and could not be found again under any other.
  const preparation = { ...given, stateDir: await realpath(given.stateDir) };
  const spec = { ...asked, workspace: { ...asked.workspace, hostDir: await realpath(asked.workspace.hostDir) } };
  const place = await claimPlace(preparation, spec, uid);
  try {
    const layout = await furnish(preparation, spec, place);
    return { ok: true, sandbox: assemble(preparation, spec, place, layout) };
  } catch (reason) {
    await vacate(place);
    return { ok: false, refusal: refusal('sandbox_setup_failed', errorInWords(reason)) };
  }
}
