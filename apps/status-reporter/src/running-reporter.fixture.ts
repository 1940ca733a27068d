import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectBus, consumeReports, runRelay, topology, type Bus } from '@delta-ci/bus';
import {
  runStream,
  type DomainEvent,
  type ProposedPlan,
  type Report,
  type ReportData,
  type RunId,
} from '@delta-ci/contracts';
import { LogReader, LogWriter, migrate, openLog, provisionRoles, showRun } from '@delta-ci/event-log';
import { prepareService } from '@delta-ci/service';
import { FakeForge } from '../../../test/support/fake-forge/fake-forge.ts';
import { eventually, freshDatabase, freshNats } from '../../../test/support/infra/index.ts';
import { reporterSettings } from './config.ts';
import { startReporter } from './start-reporter.ts';

/** A reporter on a real nats-server and a real Postgres before a forge of ours, with the test in the orchestrator's place. */
export interface RunningReporter {
  readonly forge: FakeForge;
  /** What was reported so far. */
  readonly reported: readonly ReportData<'status-reporter.publication'>[];
  /** Appends to the stream of a run; the relay brings it to the bus. */
  append: (runId: RunId, events: readonly DomainEvent[], plans?: readonly ProposedPlan[]) => Promise<void>;
  isReported: (runId: RunId) => Promise<boolean>;
  /** Resolves when nothing that was appended or published is unseen by the reporter, and it has nothing left to send. */
  settled: () => Promise<void>;
  /** Starts the reporter (again). */
  start: () => Promise<void>;
  stop: () => Promise<string[]>;
  end: () => Promise<void>;
}

export const TOKEN = 'not-a-secret-token-of-a-forge';
const PASSWORDS = { orchestrator: 'not-a-secret-orchestrator', reader: 'not-a-secret-reader' };
const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** @param settings environment variables besides those that every reporter needs */
export async function runningReporter(settings: Readonly<Record<string, string>> = {}): Promise<RunningReporter> {
  const [database, nats] = await Promise.all([freshDatabase(), freshNats()]);
  await migrate({ adminUrl: database.adminUrl });
  const urls = await provisionRoles({ adminUrl: database.adminUrl, passwords: PASSWORDS });
  const directory = await mkdtemp(join(tmpdir(), 'delta-reporter-'));
  const forge = await FakeForge.start({ directory, token: TOKEN });
  const forgesFile = join(directory, 'forges.json');
  await writeFile(forgesFile, JSON.stringify(settingsOf(forge)));
  const orchestrator = await standIn(urls.orchestratorUrl, nats.url);
  const env = {
    DELTA_DATABASE_URL: urls.readerUrl,
    DELTA_NATS_URL: nats.url,
    DELTA_FORGES_FILE: forgesFile,
    DELTA_GATEWAY_URL: 'http://127.0.0.1:7070',
    DELTA_COALESCE_MS: '20',
    DELTA_SWEEP_INTERVAL_MS: '200',
    DELTA_RETRY_INITIAL_MS: '20',
    DELTA_RETRY_CAP_MS: '100',
    DELTA_FORGE_TIMEOUT_MS: '1000',
    ...settings,
  };
  let stop = await startOne(env);
  return {
    ...orchestrator,
    forge,
    settled: async () => {
      const seen = async (): Promise<string> => `${await orchestrator.head()} ${forge.calls.length}`;
      await eventually('nothing moves any more', async () => {
        const before = await seen();
        // More than two sweeps: whatever had to be sent would have been.
        await sleep(500);
        return before === (await seen());
      });
    },
    start: async () => {
      stop = await startOne(env);
    },
    stop: async () => stop(),
    end: async () => {
      await stop();
      await orchestrator.close();
      await forge.close();
      await Promise.all([database.drop(), nats.remove(), rm(directory, { recursive: true, force: true })]);
    },
  };
}

interface StandIn extends Pick<RunningReporter, 'append' | 'reported' | 'isReported'> {
  head: () => Promise<number>;
  close: () => Promise<void>;
}

/** Does what the orchestrator does for the reporter: relays the log and records publications. */
async function standIn(databaseUrl: string, natsUrl: string): Promise<StandIn> {
  const log = await openLog({ databaseUrl, applicationName: 'test' });
  const bus = await connectBus({ servers: [natsUrl], name: 'test', log: QUIET });
  const writer = new LogWriter({ pool: log.pool });
  const reader = new LogReader(log);
  const append = appending(writer);
  const reported: ReportData<'status-reporter.publication'>[] = [];
  await bus.provision(topology({ pools: ['default'] }));
  const stopRelay = startRelay(bus, reader);
  const record = async ({ runId, ...data }: ReportData<'status-reporter.publication'>): Promise<void> => {
    reported.push({ runId, ...data });
    const final: DomainEvent[] = data.final === null ? [] : [{ type: 'run.reported', data: { outcome: data.final } }];
    await append(runId, [{ type: 'publication.recorded', data }, ...final]);
  };
  const handlers = { 'status-reporter.publication': async (report: PublicationReport) => record(report.data) };
  const reports = consumeReports(bus, handlers, { log: QUIET });
  return {
    append,
    reported,
    isReported: async (runId) => (await showRun(log, runId))?.reported === true,
    head: async () => (await reader.head()).position,
    close: async () => {
      await reports.close();
      await stopRelay();
      await bus.close();
      await writer.close();
      await log.close();
    },
  };
}

type PublicationReport = Report<'status-reporter.publication'>;

function settingsOf(forge: FakeForge): object {
  return {
    forges: [
      {
        kind: 'github',
        name: 'github',
        apiUrl: forge.apiUrl,
        webhookSecret: { env: 'TEST_WEBHOOK_SECRET' },
        token: { env: 'TEST_FORGE_TOKEN' },
        cloneProtocols: ['http'],
        allowPrivateAddresses: true,
        repositories: [{ id: 'github/demo/shop', cloneUrl: forge.cloneUrl('demo/shop') }],
      },
      {
        kind: 'github',
        name: 'silent',
        apiUrl: forge.apiUrl,
        webhookSecret: { env: 'TEST_WEBHOOK_SECRET' },
        repositories: [{ id: 'silent/demo/shop', cloneUrl: 'https://forge.example/demo/shop.git' }],
      },
    ],
  };
}

async function startOne(env: Readonly<Record<string, string>>): Promise<() => Promise<string[]>> {
  const prepared = prepareService(
    {
      name: 'status-reporter',
      settings: reporterSettings,
      start: async (service) =>
        startReporter(service, { TEST_WEBHOOK_SECRET: 'not-a-secret-webhook', TEST_FORGE_TOKEN: TOKEN }),
    },
    { env, sink: { write: () => undefined } },
  );
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.problems));
  const { service } = prepared;
  if ((await service.start()).outcome !== 'ready') throw new Error('the reporter did not start');
  return async () => service.stop('the test is over');
}

function appending(writer: LogWriter): RunningReporter['append'] {
  let appended = 0;
  return async (runId, events, plans = []) => {
    appended += 1;
    const id = `append-${appended}`;
    const appends = [{ stream: runStream(runId), events }];
    const answer = await writer.submit({
      id,
      actor: { kind: 'service', name: 'test' },
      causation: id,
      traceparent: null,
      runs: [runId],
      decide: () => ({ appends, answer: { ok: true as const, result: {} }, plans }),
    });
    if (!answer.ok) throw new Error(answer.refusal.message);
  };
}

function startRelay(bus: Bus, reader: LogReader): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const ended = runRelay(
    bus,
    {
      readAfter: async (afterPosition, limit) => reader.read({ afterPosition, limit }),
      waitForMore: async () => sleep(10, undefined, { signal }).catch(() => undefined),
    },
    {
      signal,
      log: QUIET,
      provision: async () => {
        await bus.provision(topology({ pools: ['default'] }));
      },
    },
  );
  return async () => {
    stopping.abort();
    await ended;
  };
}
