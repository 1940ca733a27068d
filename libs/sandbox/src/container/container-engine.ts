import { errorInWords } from '../error-code.ts';
import { readHostSystem, type HostSystem } from '../bubblewrap/host-system.ts';
import { nothingIsolates } from '../bubblewrap/bubblewrap-host.ts';
import { enforced, missing, partial, watchedDisk } from '../limit-reports.ts';
import type { LayerReport } from '../layers.ts';
import type { FilterArch } from '../seccomp/system-calls.ts';
import type { EngineClient, EngineFacts } from './engine-client.ts';
import { seccompProfile, type SeccompProfile } from './seccomp-profile.ts';

/** What jobs' containers are made of on this host. */
export type ContainerEngine = {
  readonly client: EngineClient;
  readonly version: string;
  readonly image: string;
  /** The host's own programs, over an empty image; null when a named image brings its own. */
  readonly system: HostSystem | null;
  readonly arch: FilterArch;
  readonly seccomp: SeccompProfile;
  readonly limitLayers: readonly LayerReport[];
};

export type EngineFinding =
  | { readonly found: true; readonly engine: ContainerEngine }
  | { readonly found: false; readonly layers: readonly LayerReport[] };

/** Nothing but places to mount on. Known by its version, so that it is imported once and never again. */
const EMPTY_IMAGE = { repository: 'delta-ci-empty', tag: '1' };
const emptyImage = `${EMPTY_IMAGE.repository}:${EMPTY_IMAGE.tag}`;

/** A tar archive of no file: two blocks of nothing. */
const EMPTY_ARCHIVE = Buffer.alloc(1_024);

const KERNEL = 'boot a kernel with this controller';

function limitLayers({ version, memoryLimit, swapLimit, pidsLimit, cpuLimit }: EngineFacts): readonly LayerReport[] {
  const by = `control groups of Docker ${version}`;
  const memory = swapLimit
    ? enforced('memory-limit', by)
    : partial('memory-limit', `${by}, swap not counted`, 'boot with swapaccount=1');
  return [
    memoryLimit ? memory : missing('memory-limit', 'the engine cannot limit memory', KERNEL),
    pidsLimit ? enforced('pids-limit', by) : missing('pids-limit', 'the engine cannot limit processes', KERNEL),
    cpuLimit ? enforced('cpu-limit', by) : missing('cpu-limit', 'the engine cannot limit CPU time', KERNEL),
    watchedDisk('use the sandbox tier as root'),
  ];
}

const unusable = (why: string, remedy: string): EngineFinding => ({
  found: false,
  layers: nothingIsolates(why, remedy, [
    missing('memory-limit', why, remedy),
    missing('pids-limit', why, remedy),
    missing('cpu-limit', why, remedy),
    missing('disk-limit', why, remedy),
  ]),
});

async function lookAt(client: EngineClient, image: string | null, arch: FilterArch): Promise<EngineFinding> {
  const facts = await client.facts();
  if (image === null && !(await client.hasImage(emptyImage))) {
    await client.importImage(EMPTY_IMAGE.repository, EMPTY_IMAGE.tag, EMPTY_ARCHIVE);
  }
  if (image !== null && !(await client.hasImage(image))) {
    return unusable(`the container engine has no image ${image}`, `docker pull ${image}`);
  }
  return {
    found: true,
    engine: {
      client,
      version: facts.version,
      image: image ?? emptyImage,
      system: image === null ? readHostSystem() : null,
      arch,
      seccomp: seccompProfile(arch),
      limitLayers: limitLayers(facts),
    },
  };
}

const isFilterArch = (arch: string): arch is FilterArch => arch === 'x64' || arch === 'arm64';

/**
 * Looks for an engine and the image it needs: the one that is named, or else an empty one, which is made when it is not
 * there. Nothing is ever downloaded. Whether the containers hold is for the self-test to say.
 */
export async function findEngine(client: EngineClient, image: string | null): Promise<EngineFinding> {
  const { arch, platform } = process;
  if (platform !== 'linux' || !isFilterArch(arch)) {
    return unusable(`no containers for ${platform} on ${arch}`, 'run on Linux, x86-64 or arm64');
  }
  if (!(await client.answers())) {
    return unusable(
      `no container engine answers at ${client.socketPath}`,
      'start Docker, and let this user talk to it',
    );
  }
  try {
    return await lookAt(client, image, arch);
  } catch (reason) {
    return unusable(errorInWords(reason), 'see what the engine says in its own log');
  }
}
