import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startNatsServer, startPostgres } from '../bootstrap/index.mjs';
import { prepareCheckpointKey } from './checkpoint-key.ts';
import { LogSink } from './log-files.ts';
import { prepareDatabase } from './prepare-database.ts';
import { prepareRegistrationToken } from './registration-token.ts';
import { ServiceProcess, type ServiceSpec, type ServiceState } from './service-process.ts';
import {
  SERVICE_NAMES,
  START_ORDER,
  adminTokenFile,
  readerUrlFile,
  checkpointKeyFile,
  checkpointKeysDir,
  gatewayUrl,
  registrationTokenFile,
  serviceSpec,
  type HandedOn,
  type MeshSettings,
  type ServiceName,
} from './service-table.ts';

/** What the mesh is made of and where it may write. */
export interface MeshOptions {
  root: string;
  directory: string;
  /** An existing database (an administrator's URL), or the binaries to run one with. */
  postgres: { url: string } | { binDir: string };
  /** An existing server, or the program to run one with. */
  nats: { url: string } | { path: string };
  /** 0 takes any free one. Whichever it is, the gateway keeps it when it is started again. */
  gatewayPort: number;
  forgesFile: string;
  bubblewrapPath: string | null;
  /** For isolation `container`: the engine's unix socket, and an image of its own where one was named. */
  containerEngine?: string | null;
  containerImage?: string | null;
  isolation: 'sandbox' | 'container' | 'process';
  toolchainDirs: readonly string[];
  /** Data nobody needs afterwards: quicker, and gone at the end. */
  ephemeral: boolean;
  env?: Readonly<Record<string, string>>;
  /** What an operator gave to each service. */
  handedOn?: HandedOn;
  /** Only these, the gateway among them; all when left out. */
  services?: readonly ServiceName[];
  /** The last word about how each service is started: for whoever puts something between it and the rest. */
  adapt?: (spec: ServiceSpec) => ServiceSpec;
  onLine?: (service: string, line: string) => void;
  onState?: (service: string, state: ServiceState) => void;
}

/** A server of the mesh that this process runs; null stands for somebody else's. */
type OwnServer = Awaited<ReturnType<typeof startPostgres>> | Awaited<ReturnType<typeof startNatsServer>>;

export interface Mesh {
  gatewayUrl: string;
  adminToken: string;
  registrationToken: string;
  directory: string;
  adminDatabaseUrl: string;
  /** As the orchestrator's role: for measuring and for looking, never beside a running orchestrator's decisions. */
  orchestratorDatabaseUrl: string;
  natsUrl: string;
  service: (name: ServiceName) => ServiceProcess;
  /** Stops services in reverse order of their start, then the servers this mesh started. */
  stop: () => Promise<void>;
}

/** Brings the whole system up and answers when every service takes work. What was started is stopped if that fails. */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const undo of stops.splice(0).reverse()) await undo().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, 'not everything could be stopped');
  };
  try {
    return { ...(await bringUp(options, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function bringUp(options: MeshOptions, stops: (() => Promise<void>)[]): Promise<Omit<Mesh, 'stop'>> {
  await mkdir(options.directory, { recursive: true, mode: 0o755 });
  prepareCheckpointKey(checkpointKeyFile(options.directory), checkpointKeysDir(options.directory));
  const [adminDatabaseUrl, natsUrl] = await allSettledOrThrow([databaseOf(options, stops), busOf(options, stops)]);
  const databases = { admin: adminDatabaseUrl, ...(await prepareDatabase(adminDatabaseUrl)) };
  await writeFile(readerUrlFile(options.directory), databases.reader, { mode: 0o600 });
  const settings: MeshSettings = {
    root: options.root,
    directory: options.directory,
    databases,
    natsUrl,
    forgesFile: options.forgesFile,
    gatewayPort: options.gatewayPort,
    registrationToken: prepareRegistrationToken(registrationTokenFile(options.directory)),
    bubblewrapPath: options.bubblewrapPath,
    containerEngine: options.containerEngine ?? null,
    containerImage: options.containerImage ?? null,
    isolation: options.isolation,
    toolchainDirs: options.toolchainDirs,
    env: options.env ?? {},
    handedOn: options.handedOn ?? {},
  };
  const services = new Map<ServiceName, ServiceProcess>();
  const wanted = new Set<ServiceName>(options.services ?? SERVICE_NAMES);
  for (const group of START_ORDER) {
    const begun = group
      .filter((name) => wanted.has(name))
      .map(async (name) => startService(name, settings, options, services, stops));
    await allSettledOrThrow(begun);
  }
  return {
    gatewayUrl: gatewayUrl(settings.gatewayPort),
    adminToken: (await readFile(adminTokenFile(options.directory), 'utf8')).trim(),
    registrationToken: settings.registrationToken,
    directory: options.directory,
    adminDatabaseUrl,
    orchestratorDatabaseUrl: settings.databases.orchestrator,
    natsUrl,
    service: (name) => {
      const found = services.get(name);
      if (found === undefined) throw new Error(`no service ${name} in this mesh`);
      return found;
    },
  };
}

/**
 * Everything that was begun is waited for, also when something fails meanwhile: what is still coming up would otherwise
 * miss the stop that follows, and outlive it.
 */
async function allSettledOrThrow<T extends readonly unknown[]>(begun: {
  [K in keyof T]: Promise<T[K]>;
}): Promise<T> {
  await Promise.allSettled(begun);
  return Promise.all(begun) as Promise<T>;
}

async function startService(
  name: ServiceName,
  settings: MeshSettings,
  options: MeshOptions,
  services: Map<ServiceName, ServiceProcess>,
  stops: (() => Promise<void>)[],
): Promise<void> {
  await mkdir(join(options.directory, name), { recursive: true });
  const { onLine, onState, adapt = (spec) => spec } = options;
  const live = onLine === undefined ? null : (line: string) => onLine(name, line);
  const sink = new LogSink(join(options.directory, 'logs'), name, live);
  const service = new ServiceProcess(adapt(serviceSpec(name, settings)), sink, ({ state }) => onState?.(name, state));
  services.set(name, service);
  stops.push(async () => {
    await service.stop();
    await sink.close();
  });
  const port = await service.start().catch(async (error: unknown) => {
    // What does not come up with its settings does not the next time either.
    await service.stop();
    throw error;
  });
  if (name !== 'gateway' || port === null) return;
  // Those that start after it are told, and it comes back there.
  settings.gatewayPort = port;
  service.spec.env['DELTA_HTTP_PORT'] = String(port);
}

async function databaseOf(options: MeshOptions, stops: (() => Promise<void>)[]): Promise<string> {
  if ('url' in options.postgres) return options.postgres.url;
  const server = await startPostgres({
    binDir: options.postgres.binDir,
    dir: join(options.directory, 'postgres'),
    database: 'delta',
    ephemeral: options.ephemeral,
  });
  owned(server, stops);
  return server.url;
}

async function busOf(options: MeshOptions, stops: (() => Promise<void>)[]): Promise<string> {
  if ('url' in options.nats) return options.nats.url;
  const dir = join(options.directory, 'nats');
  const server = await startNatsServer({
    path: options.nats.path,
    dir,
    removeDirOnDeath: options.ephemeral,
  });
  owned(server, stops);
  return server.url;
}

function owned(server: OwnServer, stops: (() => Promise<void>)[]): void {
  stops.push(async () => server.stop());
}
