import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServiceSpec } from '../../tools/mesh/service-process.ts';
import { FORGE_SECRETS, startTestMesh, type TestMesh } from '../support/mesh/index.ts';
import { Hop } from '../support/network/hop.ts';
import type { Evidence } from './checker/evidence.ts';
import type { Verdict } from './checker/verdict.ts';
import { ALWAYS_REQUIRED, type Provoked, type Scenario } from './scenario.ts';
import { REPOSITORY, Stage, type Hops } from './stage.ts';

const CHECKER = fileURLToPath(new URL('checker/main.ts', import.meta.url));
/** What the services of a broken scenario said is copied here, below the directory for results. */
const LOGS = 'service-logs';

/** How one scenario went. */
export interface Played {
  readonly scenario: string;
  readonly outcome: 'holds' | 'broken' | 'skipped';
  /** Why it is not `holds`; empty when it is. */
  readonly why: readonly string[];
  readonly provoked: Provoked;
  readonly verdict: Verdict | null;
  readonly tookMs: number;
}

export interface PlayOptions {
  /** Where the verdict goes, and the logs of a mesh that did not hold. Made when it is not there. */
  readonly out: string;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

/** Plays a scenario on a mesh of its own, has the checker judge what is left, and leaves nothing behind. */
export async function playScenario(scenario: Scenario, options: PlayOptions): Promise<Played> {
  const startedAt = performance.now();
  const missing = scenario.missingHere?.() ?? null;
  const played =
    missing === null
      ? await playOnOwnMesh(scenario, options).catch(didNotCome)
      : { outcome: 'skipped' as const, why: [missing], provoked: {}, verdict: null };
  return { scenario: scenario.name, ...played, tookMs: Math.round(performance.now() - startedAt) };
}

/** A mesh that does not come up, or leaves something that cannot be removed, is a result like any other. */
function didNotCome(error: unknown): Ending {
  const why = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  return { outcome: 'broken', why, provoked: {}, verdict: null };
}

type Ending = Omit<Played, 'scenario' | 'tookMs'>;

async function playOnOwnMesh(scenario: Scenario, options: PlayOptions): Promise<Ending> {
  const hops = { database: await Hop.open(), bus: await Hop.open(), gateway: await Hop.open() };
  try {
    const system = await startTestMesh({
      repositories: [REPOSITORY],
      ...scenario.mesh,
      adapt: (spec) => throughHops(spec, hops),
    });
    const stage = new Stage(system, hops, options.signal);
    try {
      return await playOn(stage, scenario, options);
    } finally {
      await stage.putRight();
      await system.stop();
    }
  } finally {
    await Promise.all(Object.values(hops).map(async (hop) => hop.close()));
  }
}

/** The orchestrator reaches its servers, and runners reach the gateway, by way of the hops. */
function throughHops(spec: ServiceSpec, { database, bus, gateway }: Hops): ServiceSpec {
  const { DELTA_DATABASE_URL = '', DELTA_NATS_URL = '', DELTA_GATEWAY_URL = '' } = spec.env;
  if (spec.name === 'orchestrator') {
    const own = {
      DELTA_DATABASE_URL: database.through(DELTA_DATABASE_URL),
      DELTA_NATS_URL: bus.through(DELTA_NATS_URL),
    };
    return { ...spec, env: { ...spec.env, ...own } };
  }
  if (spec.name !== 'runner-controller') return spec;
  // Clients put their paths behind it: an address without one ends without a slash.
  return { ...spec, env: { ...spec.env, DELTA_GATEWAY_URL: gateway.through(DELTA_GATEWAY_URL).replace(/\/$/u, '') } };
}

async function playOn(stage: Stage, scenario: Scenario, { out, signal }: PlayOptions): Promise<Ending> {
  const acted = await act(stage, scenario);
  if (signal.aborted) return { outcome: 'broken', why: ['interrupted'], provoked: {}, verdict: null };
  const verdict = await haveJudged(stage, scenario, out);
  await stage.putRight();
  const left = await stage.system.endProcesses();
  const why = [...acted.why, ...verdictProblems(verdict), ...left];
  if (why.length > 0) keepLogs(stage.system, scenario, out);
  return { outcome: why.length === 0 ? 'holds' : 'broken', why, provoked: acted.provoked, verdict };
}

async function act(stage: Stage, scenario: Scenario): Promise<{ provoked: Provoked; why: string[] }> {
  try {
    const provoked = await Promise.race([scenario.act(stage), rejectedOn(stage.signal)]);
    const never = Object.entries(provoked).filter(([, count]) => count === 0);
    return { provoked, why: never.map(([fault]) => `never provoked: ${fault}`) };
  } catch (error) {
    return { provoked: {}, why: [error instanceof Error ? error.message : String(error)] };
  }
}

function rejectedOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const interrupt = (): void => reject(new Error('interrupted'));
    if (signal.aborted) interrupt();
    signal.addEventListener('abort', interrupt, { once: true });
  });
}

function verdictProblems(verdict: Verdict | null): string[] {
  if (verdict === null) return ['the checker came to no verdict'];
  return verdict.invariants.flatMap(({ id, holds, violations }) => {
    if (holds) return [];
    return violations.length === 0 ? [`${id}: not put to the test`] : violations.map((what) => `${id}: ${what}`);
  });
}

/** The checker is a process of its own: it knows what the evidence says, and nothing of what happened here. */
async function haveJudged(stage: Stage, scenario: Scenario, out: string): Promise<Verdict | null> {
  mkdirSync(out, { recursive: true });
  // Beside the ledger, where no job can look: it says how to get into everything.
  const evidenceFile = join(dirname(stage.system.effects.file), 'evidence.json');
  const verdictFile = join(out, `${scenario.name}.json`);
  rmSync(verdictFile, { force: true });
  writeFileSync(evidenceFile, JSON.stringify(evidenceOf(stage, scenario)), { mode: 0o600 });
  const words = [CHECKER, evidenceFile, verdictFile];
  const checker = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  await once(checker, 'exit');
  return existsSync(verdictFile) ? (JSON.parse(readFileSync(verdictFile, 'utf8')) as Verdict) : null;
}

function evidenceOf({ system, accepted }: Stage, scenario: Scenario): Evidence {
  const { mesh, forge, nats, effects } = system;
  return {
    scenario: scenario.name,
    databaseUrl: mesh.adminDatabaseUrl,
    natsUrl: nats.url,
    forge: { apiUrl: forge.apiUrl, token: FORGE_SECRETS.token },
    effectsFile: effects.file,
    artifactDir: join(mesh.directory, 'artifacts'),
    serviceLogsDir: join(mesh.directory, 'logs'),
    meshDirectory: mesh.directory,
    acceptedRuns: [...accepted],
    secrets: [...Object.values(FORGE_SECRETS), mesh.adminToken, mesh.registrationToken],
    bounds: { slackMs: scenario.slackMs },
    required: [...ALWAYS_REQUIRED, ...(scenario.requires ?? [])],
  };
}

function keepLogs({ mesh }: TestMesh, scenario: Scenario, out: string): void {
  cpSync(join(mesh.directory, 'logs'), join(out, LOGS, scenario.name), { recursive: true });
}
