import { chown, mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { errorInWords } from '../error-code.ts';
import { WORKSPACE_DIR } from '../bubblewrap/bubblewrap-arguments.ts';
import { writeOwnEtc } from '../bubblewrap/own-etc.ts';
import { OWN_USER_IDS } from '../bubblewrap/user-ids.ts';
import { collectFiles } from '../collect-files.ts';
import type { LayerReport } from '../layers.ts';
import { clearSandbox, endProcesses } from '../leftovers.ts';
import { giveTree } from '../remove-tree.ts';
import { refusal } from '../refusal.ts';
import { newSandboxId, openSandboxDir, type SandboxRecord } from '../sandbox-record.ts';
import type { Opened, SandboxSpec } from '../sandbox-executor.ts';
import { SequentialSandbox } from '../sequential-sandbox.ts';
import { baseEnvironment } from '../step-environment.ts';
import type { ContainerEngine } from './container-engine.ts';
import type { ContainerLayout } from './container-settings.ts';
import { runContainerStep } from './container-step.ts';

export type ContainerPreparation = {
  readonly engine: ContainerEngine;
  readonly layers: readonly LayerReport[];
  readonly stateDir: string;
  readonly killGraceMs: number;
};

/** Root gives every sandbox a user id of its own; anybody else has only one to give, and must be able to clean up. */
const ownUserId = (): number | null => (process.getuid?.() === 0 ? OWN_USER_IDS.take() : (process.getuid?.() ?? null));

type Place = { readonly uid: number; readonly directory: string; readonly record: SandboxRecord };

async function claimPlace({ engine, stateDir }: ContainerPreparation, spec: SandboxSpec, uid: number): Promise<Place> {
  const { hostDir, onClose } = spec.workspace;
  const opened = await openSandboxDir(stateDir, {
    id: newSandboxId(),
    cgroupParents: [],
    mounts: [],
    engineSocket: engine.client.socketPath,
    workspaceToEmpty: onClose === 'empty' ? hostDir : null,
  });
  return { ...opened, uid };
}

/** The engine mounts its own names of hosts over these, so there must be something to mount over. */
const NO_SYSTEM = {
  links: [],
  directories: [],
  etcFiles: {},
  etcDirectories: [],
  procReadOnly: [],
  procFilesToMask: [],
  procDirsToMask: [],
};

async function furnish(engine: ContainerEngine, spec: SandboxSpec, place: Place): Promise<ContainerLayout> {
  const { uid, directory, record } = place;
  const { hostDir } = spec.workspace;
  const homeDir = `/home/${spec.user}`;
  const etcHostDir = join(directory, 'etc');
  const homeHostDir = join(directory, 'home');
  const system = engine.system ?? NO_SYSTEM;
  const etcFiles = { ...system.etcFiles, hostname: Buffer.alloc(0), mtab: Buffer.alloc(0) };
  const network = spec.network === 'host' ? 'host' : 'none';
  await writeOwnEtc(etcHostDir, { user: spec.user, uid, homeDir }, network, { ...system, etcFiles });
  await mkdir(homeHostDir, { mode: 0o700 });
  if (process.getuid?.() === 0) await Promise.all([chown(homeHostDir, uid, uid), giveTree(hostDir, uid)]);
  return {
    sandboxId: record.id,
    image: engine.image,
    system: engine.system,
    uid,
    network,
    limits: spec.limits,
    seccomp: engine.seccomp,
    etcHostDir,
    workspaceHostDir: hostDir,
    homeHostDir,
    homeDir,
    binds: spec.binds.map(({ hostPath, at }) => ({ hostPath, at: at ?? hostPath })),
  };
}

function assemble(preparation: ContainerPreparation, spec: SandboxSpec, place: Place, layout: ContainerLayout) {
  const { engine, layers, killGraceMs } = preparation;
  const env = { ...baseEnvironment(spec.user, layout.homeDir, '/tmp'), ...spec.env };
  const steps = { engine: engine.client, layout, env, killGraceMs };
  return new SequentialSandbox({
    tier: 'container',
    layers,
    workspaceDir: WORKSPACE_DIR,
    homeDir: layout.homeDir,
    binds: layout.binds,
    execute: (step, ordinal, sink) => runContainerStep(steps, step, ordinal, sink),
    collect: (globs, caps, take) => collectFiles(layout.workspaceHostDir, globs, caps, take),
    stop: () => endProcesses(place.record, 'processes-are-gone'),
    clear: () => vacate(place),
  });
}

/** A user id under which something may still live is nobody else's: it is not given out again. */
async function vacate({ directory, record, uid }: Place): Promise<readonly string[]> {
  const left = await clearSandbox(directory, record, 'processes-are-gone');
  if (left.length === 0) OWN_USER_IDS.giveBack(uid);
  return left;
}

/** Makes what the containers of one sandbox need on the host. What fails here is undone and answered as a refusal. */
export async function prepareContainer(given: ContainerPreparation, asked: SandboxSpec): Promise<Opened> {
  const uid = ownUserId();
  if (uid === null) {
    return { ok: false, refusal: refusal('too_many_sandboxes', 'all user ids of this process are in use') };
  }
  const hostDir = await realpath(asked.workspace.hostDir);
  const preparation = { ...given, stateDir: await realpath(given.stateDir) };
  const spec = { ...asked, workspace: { ...asked.workspace, hostDir } };
  const place = await claimPlace(preparation, spec, uid);
  try {
    const layout = await furnish(preparation.engine, spec, place);
    return { ok: true, sandbox: assemble(preparation, spec, place, layout) };
  } catch (reason) {
    await vacate(place);
    return { ok: false, refusal: refusal('sandbox_setup_failed', errorInWords(reason)) };
  }
}
