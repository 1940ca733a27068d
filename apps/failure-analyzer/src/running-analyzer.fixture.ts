import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileArtifactStore, digestOf } from '@delta-ci/artifact-store';
import { connectBus, consumeReports, publishEvent, topology, type Bus } from '@delta-ci/bus';
import {
  runStream,
  type ArtifactRecord,
  type AttemptRef,
  type CompletionReport,
  type RecordedEventOf,
  type Report,
} from '@delta-ci/contracts';
import { prepareService } from '@delta-ci/service';
import { eventually, freshNats } from '../../../test/support/infra/index.ts';
import { aReport } from '../../../test/support/made-up/completion-report.ts';
import { analyzerSettings } from './config.ts';
import { startAnalyzer } from './start-analyzer.ts';

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

type Finished = RecordedEventOf<'attempt.finished'>['data'];
export type Explained = Report<'failure-analyzer.failure-explained'>;

/** An analyzer between a real bus and a real store, with the test at the orchestrator's ends of both streams. */
export class RunningAnalyzer {
  readonly reports: Explained[] = [];
  readonly store: FileArtifactStore;
  readonly #bus: Bus;
  readonly #endings: (() => Promise<unknown>)[];
  #position = 0;

  private constructor(store: FileArtifactStore, bus: Bus, endings: (() => Promise<unknown>)[]) {
    this.store = store;
    this.#bus = bus;
    this.#endings = endings;
  }

  static async start(): Promise<RunningAnalyzer> {
    const directory = await mkdtemp(join(tmpdir(), 'delta-analyzer-'));
    const nats = await freshNats();
    const bus = await connectBus({ servers: [nats.url], name: 'test', log: SILENT });
    await bus.provision(topology({ pools: ['default'] }));
    const stop = await runAnalyzer(nats.url, directory);
    const analyzer = new RunningAnalyzer(new FileArtifactStore(directory), bus, [
      stop,
      async () => bus.close(),
      async () => nats.remove(),
      async () => rm(directory, { recursive: true }),
    ]);
    analyzer.#collect();
    return analyzer;
  }

  #collect(): void {
    const keep = async (report: Explained): Promise<void> => void this.reports.push(report);
    const consumption = consumeReports(this.#bus, { 'failure-analyzer.failure-explained': keep }, { log: SILENT });
    this.#endings.unshift(async () => consumption.close(0));
  }

  /** Says that an attempt has finished, as the log's relay would. */
  async finish({ runId, jobKey, attempt }: AttemptRef, given: Partial<Finished>): Promise<void> {
    this.#position += 1;
    const stored = await publishEvent(this.#bus, {
      id: `00000000-0000-7000-8000-${this.#position.toString(16).padStart(12, '0')}`,
      position: this.#position,
      stream: runStream(runId),
      version: this.#position,
      schemaVersion: 1,
      time: '2026-01-02T03:04:05.678Z',
      actor: { kind: 'service', name: 'orchestrator' },
      correlation: runId,
      causation: `command-${this.#position}`,
      traceparent: null,
      prevHash: '',
      hash: '',
      type: 'attempt.finished',
      data: { jobKey, attempt, outcome: 'failed', failureClass: 'user', reason: 'exit', report: null, ...given },
    });
    if (stored.outcome !== 'stored') throw new Error(`the event is ${stored.outcome}`);
  }

  async writeLog(attempt: AttemptRef, text: string): Promise<void> {
    await this.store.logs.append(attempt, 0, Buffer.from(text));
  }

  /** Stores a test report as the gateway would. */
  async junit(name: string, xml: string): Promise<ArtifactRecord> {
    const stored = await this.store.artifacts.put(Buffer.from(xml), {
      expected: digestOf(xml),
      sizeBytesMax: 4 * xml.length + 1,
    });
    return { name, type: 'junit', ...stored, retentionDays: 1 };
  }

  /** The explanation of an attempt, once it has come. */
  async explained({ runId, jobKey, attempt }: AttemptRef): Promise<Explained> {
    return eventually(`the explanation of ${jobKey} ${attempt}`, () =>
      this.reports.find(({ data }) => data.runId === runId && data.jobKey === jobKey && data.attempt === attempt),
    );
  }

  async end(): Promise<void> {
    for (const ending of this.#endings) await ending();
  }
}

async function runAnalyzer(natsUrl: string, artifactDir: string): Promise<() => Promise<unknown>> {
  const env = { DELTA_NATS_URL: natsUrl, DELTA_ARTIFACT_DIR: artifactDir };
  const prepared = prepareService(
    { name: 'failure-analyzer', settings: analyzerSettings, start: startAnalyzer },
    { env, sink: { write: () => true } },
  );
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.problems));
  await prepared.service.start();
  return async () => prepared.service.stop('the test is over');
}

/** What a runner says of a job whose step ended with an exit code. */
export function reportOf(given: Partial<CompletionReport> = {}): CompletionReport {
  const usage = { wallMs: 900, cpuMs: null, memoryPeakBytes: null };
  const ended = { exitCode: 1, signal: null, timedOut: false, oomKilled: false };
  const steps = [{ name: 'test', ...ended, usage, logRange: { from: 0, to: 0 } }];
  return aReport('failed', { steps, usage, runnerFinishedAtMs: 900, ...given });
}
