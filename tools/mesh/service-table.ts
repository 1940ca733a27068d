import { join } from 'node:path';
import type { ServiceSpec } from './service-process.ts';

/** Where the mesh's parts are: what the service table turns into environments. */
export interface MeshSettings {
  /** Root of the checkout; services run from `apps/<name>/dist`. */
  root: string;
  /** Everything the mesh writes: logs, data, artifacts, tokens. */
  directory: string;
  databases: { admin: string; orchestrator: string; reader: string };
  natsUrl: string;
  forgesFile: string;
  /** 0 before it took one, if it may take any. */
  gatewayPort: number;
  registrationToken: string;
  bubblewrapPath: string | null;
  /** Unix socket of the engine for isolation `container`, and the image to use there; null for what runners do by themselves. */
  containerEngine: string | null;
  containerImage: string | null;
  /** Name of the isolation tier runners offer; `process` only when the user asked for it. */
  isolation: 'sandbox' | 'container' | 'process';
  /** Prefixes with the machine's Node, npm or Go where they are not part of the system. */
  toolchainDirs: readonly string[];
  /** Timings and the like on top, for tests that cannot wait two minutes for a lease. */
  env: Readonly<Record<string, string>>;
  /** What an operator gave to each service; see `settings-to-hand-on.ts`. */
  handedOn: HandedOn;
}

/** Variables and their values, for some of the services. */
export type HandedOn = Readonly<Partial<Record<ServiceName, Readonly<Record<string, string>>>>>;

/**
 * In start order, those of a group together: the orchestrator provisions the streams that all others follow; the last are told
 * where the gateway listens.
 */
export const START_ORDER = [
  ['orchestrator'],
  ['planner', 'failure-analyzer', 'gateway'],
  ['status-reporter', 'runner-controller'],
] as const;
export type ServiceName = (typeof START_ORDER)[number][number];
export const SERVICE_NAMES: readonly ServiceName[] = START_ORDER.flat();

/** What each service gets on top of what all get. */
const OWN: Readonly<Record<ServiceName, (settings: MeshSettings) => Record<string, string>>> = {
  orchestrator: ({ databases, directory }) => ({
    DELTA_DATABASE_URL: databases.orchestrator,
    DELTA_CHECKPOINT_KEY_FILE: checkpointKeyFile(directory),
  }),
  planner: ({ databases, forgesFile, isolation }) => ({
    DELTA_DATABASE_URL: databases.reader,
    DELTA_FORGES_FILE: forgesFile,
    DELTA_ISOLATION: isolation,
  }),
  'failure-analyzer': () => ({}),
  'status-reporter': ({ databases, forgesFile, gatewayPort }) => ({
    DELTA_DATABASE_URL: databases.reader,
    DELTA_FORGES_FILE: forgesFile,
    DELTA_GATEWAY_URL: gatewayUrl(gatewayPort),
  }),
  gateway: ({ databases, forgesFile, gatewayPort, registrationToken, directory }) => ({
    DELTA_DATABASE_URL: databases.reader,
    DELTA_FORGES_FILE: forgesFile,
    DELTA_HTTP_PORT: String(gatewayPort),
    DELTA_REGISTRATION_TOKEN: registrationToken,
    DELTA_ADMIN_TOKEN_FILE: adminTokenFile(directory),
    DELTA_CHECKPOINT_KEYS_DIR: checkpointKeysDir(directory),
  }),
  'runner-controller': ({
    databases,
    gatewayPort,
    registrationToken,
    root,
    isolation,
    bubblewrapPath,
    containerEngine,
    containerImage,
    toolchainDirs,
  }) => ({
    DELTA_DATABASE_URL: databases.reader,
    DELTA_GATEWAY_URL: gatewayUrl(gatewayPort),
    DELTA_REGISTRATION_TOKEN: registrationToken,
    DELTA_RUNNER_ENTRY: join(root, 'apps', 'runner', 'dist', 'main.js'),
    DELTA_ISOLATION: isolation,
    // Two ready runners hide their start from the next change; four are what two cores can feed.
    DELTA_RUNNERS_MIN: '2',
    DELTA_RUNNERS_MAX: '4',
    // The demonstration's forge speaks plain HTTP on this machine; others are reached as their settings say.
    DELTA_CLONE_PROTOCOLS: 'https,http',
    ...(bubblewrapPath === null ? {} : { DELTA_BWRAP: bubblewrapPath }),
    ...(containerEngine === null ? {} : { DELTA_CONTAINER_ENGINE: containerEngine }),
    ...(containerImage === null ? {} : { DELTA_CONTAINER_IMAGE: containerImage }),
    ...(toolchainDirs.length === 0 ? {} : { DELTA_TOOLCHAIN_DIRS: toolchainDirs.join(',') }),
  }),
};

export const gatewayUrl = (port: number): string => `http://127.0.0.1:${port}`;
/** The private key that signs checkpoints, and the public keys whose checkpoints count. */
export const checkpointKeyFile = (directory: string): string => join(directory, 'orchestrator', 'checkpoint-key.pem');
export const checkpointKeysDir = (directory: string): string => join(directory, 'checkpoint-keys');
/** The address of a role that may read the log: what `delta` finds in the checkout of a mesh. */
export const readerUrlFile = (directory: string): string => join(directory, 'reader-url');

export const adminTokenFile = (directory: string): string => join(directory, 'gateway', 'admin-token');
/** What lets runners register, those of one's own among them. */
export const registrationTokenFile = (directory: string): string => join(directory, 'gateway', 'registration-token');

/** How to start one service of this mesh. */
export function serviceSpec(name: ServiceName, settings: MeshSettings): ServiceSpec {
  return {
    name,
    entry: join(settings.root, 'apps', name, 'dist', 'main.js'),
    args: [],
    env: {
      ...inherited(),
      DELTA_NATS_URL: settings.natsUrl,
      DELTA_ARTIFACT_DIR: join(settings.directory, 'artifacts'),
      DELTA_DATA_DIR: join(settings.directory, name),
      DELTA_HTTP_HOST: '127.0.0.1',
      DELTA_HTTP_PORT: '0',
      DELTA_LOG_FORMAT: 'json',
      DELTA_EXIT_WITH_PARENT: 'true',
      ...OWN[name](settings),
      ...settings.env,
      ...settings.handedOn[name],
    },
  };
}

/** Of our own environment only what programs need to run: a developer's tokens are nobody's business. */
function inherited(): Record<string, string> {
  const names = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'TZ', 'USER', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
