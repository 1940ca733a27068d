import { chown, mkdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorInWords } from '../error-code.ts';
import type { CgroupHost } from '../cgroup/cgroup-host.ts';
import { cgroupParents } from '../cgroup/step-cgroup.ts';
import { collectFiles } from '../collect-files.ts';
import { outletEnvironment, LISTENER_PATH } from '../egress-outlet.ts';
import { clearSandbox, endProcesses, type Sweep } from '../leftovers.ts';
import type { LayerReport } from '../layers.ts';
import { makePipes } from '../output-pipe.ts';
import { giveTree } from '../remove-tree.ts';
import { refusal, type Refusal } from '../refusal.ts';
import { runStep } from '../run-step.ts';
import { newSandboxId, openSandboxDir, type SandboxRecord } from '../sandbox-record.ts';
import type { Opened, Sandbox, SandboxSpec } from '../sandbox-executor.ts';
import { SequentialSandbox } from '../sequential-sandbox.ts';
import { terminalPipes } from '../terminal/step-terminal.ts';
import { baseEnvironment } from '../step-environment.ts';
import { WORKSPACE_DIR, type SandboxLayout } from './bubblewrap-arguments.ts';
import type { BubblewrapHost } from './bubblewrap-host.ts';
import { pipesAhead, stepSetting, type BubblewrapSteps } from './bubblewrap-step.ts';
import { loopDiskMounts, mountLoopDisk, type LoopDiskTools } from './loop-disk.ts';
import { ownDiskFor, refuseToHide } from './own-disk.ts';
import { writeOwnEtc } from './own-etc.ts';
import { makeRootView, rootMounts, type RootTools } from './root-view.ts';
import type { StandingSteps } from './standing-steps.ts';
import type { UserIds } from './user-ids.ts';

export type Preparation = {
  readonly host: BubblewrapHost;
  readonly layers: readonly LayerReport[];
  readonly cgroups: CgroupHost | null;
  readonly stateDir: string;
  readonly killGraceMs: number;
  readonly userIds: UserIds;
  /** What roots other than the host's system take; null where none is asked for. */
  readonly rootTools: RootTools | null;
};

/** Inside an unprivileged sandbox the job is the only user there is; 1000 is what programs expect of one. */
const UNPRIVILEGED_UID = 1000;

/** What one sandbox is given: its number, its directory on the host and its disk, if it has one. */
export type Place = {
  readonly id: string;
  readonly uid: number;
  readonly directory: string;
  readonly record: SandboxRecord;
  readonly disk: LoopDiskTools | null;
};

async function claimPlace({ host, cgroups, stateDir }: Preparation, spec: SandboxSpec, uid: number): Promise<Place> {
  const id = newSandboxId();
  const { hostDir, onClose } = spec.workspace;
  const disk = ownDiskFor(spec, host.loopDisk);
  const { directory, record } = await openSandboxDir(stateDir, {
    id,
    cgroupParents: cgroups === null ? [] : cgroupParents(cgroups),
    mounts: [
      ...(disk === null ? [] : loopDiskMounts(join(stateDir, id), hostDir)),
      ...(spec.root === undefined ? [] : rootMounts(join(stateDir, id))),
    ],
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

/** @param ahead how many steps will be started before there is a job */
async function furnish(
  { host, rootTools }: Preparation,
  spec: SandboxSpec,
  place: Place,
  ahead: number,
): Promise<SandboxLayout> {
  const { uid, directory } = place;
  const { hostDir } = spec.workspace;
  const homeDir = `/home/${spec.user}`;
  const standing = Array.from({ length: ahead }, (_, ordinal) => Object.values(pipesAhead(directory, ordinal)));
  const pipes = [join(directory, 'output'), ...standing.flat()];
  const etcHostDir = join(directory, 'etc');
  const [homeHostDir] = await Promise.all([
    makeHome(spec, place),
    writeOwnEtc(etcHostDir, { user: spec.user, uid, homeDir }, spec.network === 'host' ? 'host' : 'none', host.system),
    makePipes([...pipes, ...terminalPipes(directory)]),
  ]);
  if (host.mode === 'root') {
    const paths = [homeHostDir, ...pipes];
    await Promise.all([...paths.map(async (path) => chown(path, uid, uid)), giveTree(hostDir, uid)]);
  }
  const tree = spec.root?.tree;
  if (spec.root !== undefined && (!tree || rootTools === null)) throw new Error('the root is none of this tier');
  const root =
    tree && rootTools !== null
      ? await makeRootView(tree, rootTools, directory, dirname(homeHostDir), typeof spec.network !== 'string')
      : null;
  return {
    mode: host.mode,
    disableUserns: host.program.disablesUserns,
    uid,
    network: spec.network,
    system: host.system,
    root,
    etcHostDir,
    workspaceHostDir: hostDir,
    homeHostDir,
    homeDir,
    binds: [...spec.binds, ...listenerOf(spec)].map(({ hostPath, at }) => ({ hostPath, at: at ?? hostPath })),
    tmpBytes: spec.limits.tmpBytes,
    env: environmentFor(spec, homeDir, spec.root?.env),
  };
}

const environmentFor = (
  spec: SandboxSpec,
  homeDir: string,
  ofRoot: SandboxLayout['env'] = {},
): SandboxLayout['env'] => ({
  ...baseEnvironment(spec.user, homeDir, '/tmp'),
  ...ofRoot,
  ...(typeof spec.network === 'string' ? {} : outletEnvironment()),
  ...spec.env,
});

const listenerOf = ({ network }: SandboxSpec): SandboxSpec['binds'] =>
  typeof network === 'string' ? [] : [{ hostPath: process.execPath, at: LISTENER_PATH }];

/** A place on the host with everything in it. */
export type Furnished = {
  readonly preparation: Preparation;
  readonly spec: SandboxSpec;
  readonly place: Place;
  readonly layout: SandboxLayout;
  /** How to look for processes at the end: for all, once some were still there after they were killed. */
  readonly end: { sweep: Sweep };
};

/** Undoes a place. A user id under which something may still live is nobody else's: it is not given out again. */
export async function vacate({
  preparation,
  place,
  end,
}: Pick<Furnished, 'preparation' | 'place' | 'end'>): Promise<readonly string[]> {
  const left = await clearSandbox(place.directory, place.record, end.sweep);
  if (left.length === 0) preparation.userIds.giveBack(place.uid);
  return left;
}

/** What the steps of a furnished place share. */
export function stepsIn({ preparation, spec, place, layout, end }: Furnished): BubblewrapSteps {
  const { host, cgroups, killGraceMs } = preparation;
  const { id, directory, disk } = place;
  const onSurvivors = (): void => void (end.sweep = 'all-processes');
  const hostEnv = environmentFor(spec, layout.homeDir);
  return { host, spec, layout, hostEnv, cgroups, killGraceMs, id, directory, watchDisk: disk === null, onSurvivors };
}

/** The sandbox of a furnished place; its first steps run in what stands there already, if anything does. */
export function assemble(furnished: Furnished, standing: StandingSteps | null): Sandbox {
  const { preparation, spec, layout } = furnished;
  const setting = stepSetting(stepsIn(furnished), standing);
  return new SequentialSandbox({
    tier: 'sandbox',
    layers: preparation.layers,
    workspaceDir: WORKSPACE_DIR,
    homeDir: layout.homeDir,
    binds: layout.binds,
    execute: (step, ordinal, sink) => runStep(setting, step, ordinal, sink),
    collect: (globs, caps, take) => collectFiles(spec.workspace.hostDir, globs, caps, take),
    stop: async () => {
      try {
        await standing?.end();
      } catch {
        // Whatever failed there: what is alive now is found by its mark and its groups.
        furnished.end.sweep = 'all-processes';
      }
      return endProcesses(furnished.place.record, furnished.end.sweep);
    },
    clear: () => vacate(furnished),
  });
}

/** The same place for another spec that it suits. */
export const furnishedFor = (furnished: Furnished, preparation: Preparation, spec: SandboxSpec): Furnished => ({
  ...furnished,
  preparation,
  spec: { ...spec, workspace: furnished.spec.workspace },
  layout: { ...furnished.layout, env: environmentFor(spec, furnished.layout.homeDir) },
});

export type MadePlace =
  { readonly ok: true; readonly furnished: Furnished } | { readonly ok: false; readonly refusal: Refusal };

/**
 * Makes everything a sandbox needs on the host. What fails here is the host's doing (a full disk, a mount refused): it
 * is undone and answered as a refusal.
 */
export async function makePlace(given: Preparation, asked: SandboxSpec, ahead: number): Promise<MadePlace> {
  const { host, userIds } = given;
  const refused = refuseToHide(asked, host.loopDisk);
  if (refused !== null) return { ok: false, refusal: refused };
  const uid = host.mode === 'root' ? userIds.take() : UNPRIVILEGED_UID;
  if (uid === null) {
    return { ok: false, refusal: refusal('too_many_sandboxes', 'all user ids of this process are in use') };
  }
  // Mounts are listed under their real paths and could not be found again under any other.
  const preparation = { ...given, stateDir: await realpath(given.stateDir) };
  const hostDir = await realpath(asked.workspace.hostDir);
  const spec = { ...asked, workspace: { ...asked.workspace, hostDir } };
  const place = await claimPlace(preparation, spec, uid);
  const end: Furnished['end'] = { sweep: 'processes-are-gone' };
  try {
    const layout = await furnish(preparation, spec, place, ahead);
    return { ok: true, furnished: { preparation, spec, place, layout, end } };
  } catch (reason) {
    await vacate({ preparation, place, end });
    return { ok: false, refusal: refusal('sandbox_setup_failed', errorInWords(reason)) };
  }
}

/** Makes a sandbox from nothing. */
export async function prepareSandbox(given: Preparation, asked: SandboxSpec): Promise<Opened> {
  const made = await makePlace(given, asked, 0);
  return made.ok ? { ok: true, sandbox: assemble(made.furnished, null) } : made;
}
