import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { CommandClient } from '@delta-ci/bus';
import type { Actor, CommandData, CommandName, CommandResult, RunnerCapabilities } from '@delta-ci/contracts';
import { aReport } from '../../../test/support/made-up/completion-report.ts';
import { HttpClient } from './http-client.ts';

/** What a runner holds: by its capability over HTTP, by its hash over the bus. */
export interface HeldLease {
  readonly lease: string;
  readonly runId: string;
  readonly jobKey: string;
}

/** A runner that takes jobs and does nothing with them: what is left is the system's own work. */
export interface Worker {
  /** Waits for work; null when there was none. */
  readonly lease: (waitSeconds: number) => Promise<HeldLease | null>;
  readonly acknowledge: (held: HeldLease) => Promise<void>;
  readonly complete: (held: HeldLease) => Promise<void>;
}

const CAPABILITIES: RunnerCapabilities = {
  os: 'linux',
  arch: 'x64',
  isolation: ['sandbox'],
  toolchains: [],
  labels: [],
};
const REPORT = aReport();
const REPORT_BODY = JSON.stringify(REPORT);
/** A lease request waits no longer than this, so that workers notice when there is nothing left. */
const WAIT_SECONDS = 1;

/** Runners that speak to the orchestrator as the gateway does, without HTTP. */
export async function busWorkers(commands: CommandClient, count: number): Promise<Worker[]> {
  return Promise.all(Array.from({ length: count }, async () => busWorker(commands)));
}

async function busWorker(commands: CommandClient): Promise<Worker> {
  const runnerId = `rnr_${randomBytes(16).toString('hex')}`;
  const actor: Actor = { kind: 'runner', name: runnerId };
  const send = async <N extends CommandName>(
    name: N,
    data: CommandData<N>,
    timeoutMs = 10_000,
  ): Promise<CommandResult<N>> => {
    const answer = await commands.send(name, data, {
      id: `${name}-${randomUUID()}`,
      actor,
      traceparent: null,
      timeoutMs,
    });
    if (!answer.ok) throw new Error(`${name}: ${answer.refusal.code}: ${answer.refusal.message}`);
    return answer.result;
  };
  const facts = { name: `bench-${runnerId}`, pool: 'default', capabilities: CAPABILITIES, version: '0.1.0' };
  await send('register-runner', { runnerId, ...facts });
  return {
    lease: async (waitSeconds) => {
      const leaseHash = createHash('sha256').update(randomBytes(32)).digest('hex');
      const wanted = { leaseHash, runnerId, pool: 'default', waitMs: waitSeconds * 1_000 };
      const { lease } = await send('grant-lease', wanted, waitSeconds * 1_000 + 10_000);
      return lease === null ? null : { lease: leaseHash, runId: lease.runId, jobKey: lease.jobKey };
    },
    acknowledge: async ({ lease }) => {
      await send('acknowledge-lease', { leaseHash: lease, runnerId });
    },
    complete: async ({ lease }) => {
      await send('complete-attempt', { leaseHash: lease, runnerId, report: REPORT });
    },
  };
}

export interface HttpWorker extends Worker {
  readonly token: string;
  readonly heartbeat: (held: HeldLease) => Promise<number>;
  readonly appendLog: (held: HeldLease, offset: number, chunk: Uint8Array) => Promise<void>;
}

/** Runners that speak the whole protocol to the gateway. */
export async function httpWorkers(
  client: HttpClient,
  registrationToken: string,
  count: number,
  atOnce = 50,
): Promise<HttpWorker[]> {
  const workers: HttpWorker[] = [];
  let begun = 0;
  const registrar = async (): Promise<void> => {
    while (begun++ < count) workers.push(await httpWorker(client, registrationToken));
  };
  await Promise.all(Array.from({ length: atOnce }, registrar));
  return workers;
}

async function httpWorker(client: HttpClient, registrationToken: string): Promise<HttpWorker> {
  const facts = { name: `bench-${randomUUID()}`, pool: 'default', capabilities: CAPABILITIES, version: '0.1.0' };
  const registered = await client.post('/runner/v1/runners', registrationToken, JSON.stringify(facts));
  if (registered.status !== 201) throw new Error(`registration: HTTP ${registered.status} ${registered.body}`);
  const { token } = JSON.parse(registered.body) as { token: string };
  const say = async (path: string, body: string | Uint8Array): Promise<string> => {
    const answer = await client.post(`/runner/v1/leases${path}`, token, body);
    if (answer.status === 204) return '';
    if (answer.status !== 200) throw new Error(`${path}: HTTP ${answer.status} ${answer.body}`);
    return answer.body;
  };
  return {
    token,
    lease: async (waitSeconds) => {
      const body = await say('', JSON.stringify({ waitSeconds }));
      if (body === '') return null;
      const { leaseId, runId, jobKey } = JSON.parse(body) as { leaseId: string; runId: string; jobKey: string };
      return { lease: leaseId, runId, jobKey };
    },
    acknowledge: async ({ lease }) => void (await say(`/${lease}/ack`, '{}')),
    complete: async ({ lease }) => void (await say(`/${lease}/complete`, REPORT_BODY)),
    heartbeat: async ({ lease }) =>
      (await client.post(`/runner/v1/leases/${lease}/heartbeat`, token, HEARTBEAT_BODY)).status,
    appendLog: async ({ lease }, offset, chunk) => void (await say(`/${lease}/log?offset=${offset}`, chunk)),
  };
}

export const HEARTBEAT = { phase: 'running', percent: null, step: null, message: null, logCursor: 0 } as const;
const HEARTBEAT_BODY = JSON.stringify(HEARTBEAT);

export interface Drained {
  readonly jobs: number;
  readonly tookMs: number;
  readonly perSecond: number;
  /** From asking for work that was there to its recorded completion, per job. */
  readonly lifecycleMs: readonly number[];
}

/** Lets workers take jobs until `jobs` are completed. @throws when a job was completed twice */
export async function drain(workers: readonly Worker[], jobs: number, over: AbortSignal): Promise<Drained> {
  const completed = new Set<string>();
  const lifecycleMs: number[] = [];
  const startedAt = performance.now();
  const work = async (worker: Worker): Promise<void> => {
    while (completed.size < jobs && !over.aborted) {
      const askedAt = performance.now();
      const held = await worker.lease(WAIT_SECONDS);
      if (held === null) continue;
      await worker.acknowledge(held);
      await worker.complete(held);
      lifecycleMs.push(performance.now() - askedAt);
      const job = `${held.runId} ${held.jobKey}`;
      if (completed.has(job)) throw new Error(`${job} was completed twice`);
      completed.add(job);
      if (completed.size === jobs) tookMs = performance.now() - startedAt;
    }
  };
  let tookMs = Number.NaN;
  await Promise.all(workers.map(work));
  return { jobs, tookMs, perSecond: (jobs / tookMs) * 1_000, lifecycleMs };
}
