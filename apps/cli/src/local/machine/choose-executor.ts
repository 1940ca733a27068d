import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isPublicAddress } from '@delta-ci/git';
import {
  BubblewrapExecutor,
  ContainerExecutor,
  GvisorExecutor,
  ProcessExecutor,
  readImagesFile,
  type ImageOffer,
  type SandboxExecutor,
  type TierProbe,
} from '@delta-ci/sandbox';
import { errorMessage } from '../../error-code.ts';
import { EXIT, Problem } from '../../problem.ts';
import { variable, type Surroundings } from '../../surroundings.ts';
import { bubblewrapPath, cacheHome, programDirs } from './bubblewrap-path.ts';
import { engineSocket } from './engine-socket.ts';
import { clearLeftovers } from './leftovers.ts';
import { IMAGE_STORE_BYTES, localImagesDirectory } from './local-images.ts';

/** Between SIGTERM and SIGKILL of a job that is stopped: a person is waiting. */
const KILL_GRACE_MS = 5_000;

/** What this host may have, before anything was tried. */
export interface Executors {
  readonly sandbox: BubblewrapExecutor;
  readonly gvisor: GvisorExecutor;
  /** Null when the engine that is named is none of this machine. */
  readonly container: ContainerExecutor | null;
  readonly process: ProcessExecutor;
  readonly stateDir: string;
}

/** Without a file that says otherwise, images come from the public registries that a repository of this user's names. */
async function imagesOf(surroundings: Surroundings): Promise<ImageOffer> {
  const storeDir = localImagesDirectory(surroundings);
  const file = variable(surroundings, 'DELTA_IMAGES_FILE');
  if (file === null) {
    return {
      storeDir,
      storeBytesMax: IMAGE_STORE_BYTES,
      archives: [],
      rootfs: {},
      registry: { registries: ['*'], isPublicAddress },
      credentials: new Map(),
    };
  }
  const { registries, ...offered } = await readImagesFile(file).catch((error: unknown) => {
    throw new Problem('images_file_invalid', errorMessage(error), { next: 'see docs/images.md' });
  });
  return { ...offered, storeDir, registry: { registries, isPublicAddress } };
}

export async function executorsOf(surroundings: Surroundings): Promise<Executors> {
  const stateDir = join(cacheHome(surroundings), 'local', 'sandboxes');
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const common = { stateDir, killGraceMs: KILL_GRACE_MS };
  const bwrap = await bubblewrapPath(surroundings);
  const socket = engineSocket(surroundings, existsSync);
  const image = variable(surroundings, 'DELTA_CONTAINER_IMAGE');
  return {
    sandbox: new BubblewrapExecutor({
      ...common,
      bwrap,
      programDirs: programDirs(surroundings),
      images: await imagesOf(surroundings),
    }),
    gvisor: new GvisorExecutor({
      ...common,
      runsc: runscName(surroundings),
      programDirs: programDirs(surroundings),
    }),
    container: socket === null ? null : new ContainerExecutor({ ...common, engineSocket: socket, image }),
    process: new ProcessExecutor(common),
    stateDir,
  };
}

/** Path or name of gVisor's `runsc`. */
export const runscName = (surroundings: Surroundings): string => variable(surroundings, 'DELTA_RUNSC') ?? 'runsc';

/** The tier that was asked for, tried: bubblewrap, or where a host cannot have it, containers. Never a weaker one. */
export async function chooseExecutor(surroundings: Surroundings, unsandboxed: boolean): Promise<SandboxExecutor> {
  const { sandbox, container, process, stateDir } = await executorsOf(surroundings);
  await clearLeftovers(surroundings, stateDir);
  if (unsandboxed) return process;
  const probe = await sandbox.probe();
  if (probe.usable) return sandbox;
  const instead = await container?.probe();
  if (container !== null && instead?.usable === true) {
    surroundings.err(`No bubblewrap here (${firstMissing(probe)}): each step runs in a container of Docker.\n`);
    return container;
  }
  throw noSandbox([probe, ...(instead === undefined ? [] : [instead])]);
}

const missingLayers = ({ layers }: TierProbe): TierProbe['layers'] => layers.filter(({ state }) => state === 'missing');

const firstMissing = (probe: TierProbe): string => missingLayers(probe)[0]?.by ?? 'it does not start';

/** One line for each reason of each tier: what stands in the way is mostly the same for all layers. */
function noSandbox(probes: readonly TierProbe[]): Problem {
  const lines = probes.flatMap((probe) => {
    const said = missingLayers(probe).map(({ by, remedy }) => `${by}${remedy === null ? '' : ` (${remedy})`}`);
    return [...new Set(said)].map((reason) => `tier ${probe.tier}: ${reason}`);
  });
  return new Problem('sandbox_unavailable', ['no sandbox can be opened on this host', ...lines].join('\n  '), {
    exitCode: EXIT.notJudged,
    next: 'see `delta doctor`; `npm start` in the folder of Delta CI gets a bubblewrap for this user; or, if you trust this code as yourself, `delta run --unsandboxed`',
  });
}
