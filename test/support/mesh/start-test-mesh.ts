import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServedRepository } from '@delta-ci/forge';
import { removeOnDeath } from '../../../tools/bootstrap/index.mjs';
import { startMesh, type MeshOptions } from '../../../tools/mesh/mesh.ts';
import type { ServiceName } from '../../../tools/mesh/service-table.ts';
import { toolchainDirs } from '../../../tools/mesh/toolchain-dirs.ts';
import { FakeForge } from '../fake-forge/fake-forge.ts';
import { writeForgeSettings } from '../fake-forge/forge-settings.ts';
import { DeveloperClone } from '../git-server/bare-repository.ts';
import { bubblewrapPath, freshDatabase, freshNats } from '../infra/index.ts';
import { EffectLedger } from './effect-ledger.ts';
import { HeldJobs } from './held-jobs.ts';
import { restartablePostgres } from './restartable-postgres.ts';
import { FORGE_SECRETS, TestMesh, undoAll } from './test-mesh.ts';

const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
/** The discard service, which no machine runs any more. */
const NOBODYS_PORT = 9;

/** The protocol's timings, forty times faster. */
export const QUICK: Readonly<Record<string, string>> = {
  DELTA_LOG_LEVEL: 'info',
  DELTA_LEASE_TTL_MS: '3000',
  DELTA_HEARTBEAT_MS: '500',
  DELTA_HEARTBEAT_JITTER_MS: '500',
  DELTA_LEASE_ACCEPTANCE_MS: '2000',
  DELTA_CANCEL_DEADLINE_MS: '3000',
  DELTA_SWEEP_INTERVAL_MS: '200',
  DELTA_REDRIVE_AFTER_MS: '1000',
  DELTA_DISPATCH_VISIBILITY_MS: '4000',
  DELTA_DECISION_INTERVAL_MS: '500',
  DELTA_RUNNERS_MAX: '3',
  DELTA_FORGE_TIMEOUT_MS: '2000',
};

export interface TestMeshOptions {
  /** Full name on the forge, e.g. `demo/shop`. Each is made with a commit of a README on `main`. */
  repositories: readonly string[];
  /** Only these; all of them when left out. */
  services?: readonly ServiceName[];
  /** A Postgres of its own that the test may end; else a database on the server of the test session. */
  ownPostgres?: boolean;
  /** What services get in place of timings forty times faster than the protocol's. */
  env?: Readonly<Record<string, string>>;
  /** The last word about how each service is started. */
  adapt?: MeshOptions['adapt'];
}

/** Brings it up; what was started is stopped if that fails. */
export async function startTestMesh(options: TestMeshOptions): Promise<TestMesh> {
  const undo: (() => Promise<unknown>)[] = [];
  try {
    return await bringUp(options, undo);
  } catch (error) {
    await undoAll(undo);
    throw error;
  }
}

async function bringUp(options: TestMeshOptions, undo: (() => Promise<unknown>)[]): Promise<TestMesh> {
  const directory = mkdtempSync(join(tmpdir(), 'delta-mesh-'));
  chmodSync(directory, 0o755);
  const watch = removeOnDeath(directory);
  undo.push(async () => {
    rmSync(directory, { recursive: true, force: true });
    watch.release();
  });
  const forge = await FakeForge.start({ directory: join(directory, 'forge'), token: FORGE_SECRETS.token });
  undo.push(async () => forge.close());
  const developers = await developersOf(options.repositories, forge, directory, undo);
  const nats = await freshNats();
  undo.push(async () => nats.remove());
  const postgres = options.ownPostgres === true ? await restartablePostgres(ROOT, directory) : null;
  const held = new HeldJobs(join(directory, 'held'));
  const effects = new EffectLedger(held.directory, join(directory, 'effects.log'));
  undo.push(async () => effects.close());
  if (postgres !== null) undo.push(async () => postgres.stop());
  const mesh = await startMesh({
    root: ROOT,
    directory: join(directory, 'mesh'),
    postgres: { url: postgres?.url ?? (await databaseUrl(undo)) },
    nats: { url: nats.url },
    gatewayPort: 0,
    forgesFile: settingsFor(join(directory, 'settings'), forge, options.repositories),
    bubblewrapPath: await bubblewrapPath(),
    isolation: 'sandbox',
    toolchainDirs: [...toolchainDirs(process.env['PATH'] ?? ''), held.directory],
    ephemeral: true,
    env: options.env ?? QUICK,
    ...(options.services === undefined ? {} : { services: options.services }),
    ...(options.adapt === undefined ? {} : { adapt: options.adapt }),
  });
  undo.push(async () => mesh.stop());
  return new TestMesh({ mesh, forge, nats, postgres, effects, held, developers, undo });
}

async function databaseUrl(undo: (() => Promise<unknown>)[]): Promise<string> {
  const database = await freshDatabase();
  undo.push(async () => database.drop());
  return database.adminUrl;
}

async function developersOf(
  repositories: readonly string[],
  forge: FakeForge,
  directory: string,
  undo: (() => Promise<unknown>)[],
): Promise<ReadonlyMap<string, DeveloperClone>> {
  const developers = new Map<string, DeveloperClone>();
  for (const name of repositories) {
    const developer = await DeveloperClone.create(forge.barePath(name), forge.cloneUrl(name), directory);
    undo.push(async () => developer.remove());
    await developer.push('main', 'first', { 'README.md': `# ${name}\n` });
    developers.set(name, developer);
  }
  return developers;
}

/** The repositories, one more that the forge does not have, and one of a host where nobody answers. */
function settingsFor(directory: string, forge: FakeForge, repositories: readonly string[]): string {
  return writeForgeSettings(directory, {
    apiUrl: forge.apiUrl,
    secrets: FORGE_SECRETS,
    repositories: [
      ...[...repositories, 'gone/away'].map((name) => servedAs(name, forge.cloneUrl(name))),
      servedAs('cut/off', `http://127.0.0.1:${NOBODYS_PORT}/cut/off.git`),
    ],
  });
}

const servedAs = (name: string, cloneUrl: string): ServedRepository => ({
  id: `github/${name}`,
  cloneUrl,
  defaultBranch: 'main',
});
