import type { BusMessage, Delivery, MemoryServer, StoreOutcome } from '@delta-ci/bus';
import type { DatabaseServer } from '../database/server.ts';
import type { Transaction } from '../database/rows.ts';
import type { StoredArtifacts } from '../network/stored-artifacts.ts';
import type { PlanningPlaces } from '../world/planning-places.ts';
import type { Product } from '../world/product.ts';
import type { Sometimes } from '../world/sometimes.ts';
import { Acknowledged } from './acknowledged.ts';
import { AppliedOnce } from './applied-once.ts';
import { BusCopy } from './bus-copy.ts';
import { Causes } from './causes.ts';
import { Deadlines, RECOVERY_MS } from './deadlines.ts';
import { Fold } from './fold.ts';
import { Leases } from './leases.ts';
import { LogOrder } from './log-order.ts';
import { Quiet } from './quiet.ts';
import { recordOf, type EventRecord } from './record.ts';
import { ReportsHeard } from './reports-heard.ts';
import { RunHistory } from './run-history.ts';
import { Secrets } from './secrets.ts';
import { WaitingWork, type RunnersSeen } from './waiting-work.ts';
import { InvariantBroken, Tally } from './tally.ts';
import { noticeInLog } from './notice.ts';

export interface JudgeParts {
  readonly product: Product;
  readonly database: DatabaseServer;
  readonly busServer: MemoryServer;
  readonly artifacts: StoredArtifacts;
  readonly sometimes: Sometimes;
  readonly runners: RunnersSeen;
  readonly planning: Pick<PlanningPlaces, 'wereFullSince'>;
  readonly onBroken: (broken: InvariantBroken) => void;
}

/** Looks at everything that changed, right when it did: each commit, each message stored, each step of time. */
export class Judge {
  readonly tally: Tally;
  readonly secrets: Secrets;
  readonly applied: AppliedOnce;
  readonly bus: BusCopy;
  readonly quiet: Quiet;
  readonly histories = new Map<string, RunHistory>();
  readonly #parts: JudgeParts;
  readonly #fold: Fold;
  readonly #reports: ReportsHeard;
  readonly #acknowledged: Acknowledged;
  readonly #order: LogOrder;
  readonly #leases: Leases;
  readonly #deadlines: Deadlines;
  readonly #waiting: WaitingWork;
  readonly #causes: Causes;
  #lookedAtMs = 0;
  #wellSinceMs: number | null = null;

  constructor(parts: JudgeParts) {
    const { database, busServer, product } = parts;
    this.#parts = parts;
    this.tally = new Tally(parts.onBroken);
    this.secrets = new Secrets(this.tally);
    this.applied = new AppliedOnce(this.tally);
    this.#acknowledged = new Acknowledged(this.tally, database.committed);
    this.#order = new LogOrder(this.tally);
    this.#fold = new Fold(this.tally, product, database.committed);
    this.#leases = new Leases(this.tally, database.committed);
    this.bus = new BusCopy(this.tally, database.committed, busServer);
    this.#deadlines = new Deadlines(this.tally, database.committed);
    this.#waiting = new WaitingWork(this.tally, database.committed, parts.runners);
    this.#causes = new Causes(this.tally, database.committed, parts);
    const { artifacts } = parts;
    const { committed } = database;
    this.#reports = new ReportsHeard(database.committed, busServer);
    const { bus, histories } = this;
    const reports = this.#reports;
    const fold = this.#fold;
    this.quiet = new Quiet(this.tally, { committed, bus, fold, reports, histories, artifacts });
  }

  committed(transaction: Transaction): void {
    const records = transaction.appended.map((stored) => {
      const record = recordOf(stored);
      this.#order.take(stored, record);
      this.#takeRecord(record);
      this.secrets.look(`the log at position ${stored.position}`, stored.canonical);
      return record;
    });
    this.applied.committed(transaction, records);
    this.#fold.committed(transaction);
    this.#leases.committed(transaction, this.#parts.database.nowMs);
  }

  stored(message: BusMessage, messageId: string, outcome: StoreOutcome): void {
    if (outcome.outcome !== 'stored') return;
    this.secrets.look(`a message on ${message.subject}`, Buffer.from(message.body).toString('utf8'));
    if (message.subject.startsWith('delta.events.')) this.bus.look();
    if (!message.subject.startsWith('delta.reports.')) return;
    this.#reports.stored(messageId, outcome.sequence);
    this.#acknowledged.reported(message.body);
  }

  /** A consumer said that it is done with a message. */
  acknowledged(delivery: Delivery): void {
    this.#acknowledged.heard(delivery, this.#parts.database.nowMs);
  }

  /** A runner that holds a lease said something under one it had before, and was answered. */
  answeredForEnded(what: string, status: number): void {
    const refused = status < 200 || status >= 300;
    this.tally.check('2 fences', refused, () => `${what} under an older lease was accepted`);
    if (refused) this.#parts.sometimes.happened('a runner that held a lease spoke for an older one');
  }

  /** A service wrote a line. */
  logged(host: string, line: string): void {
    this.secrets.look(`the log of ${host}`, line);
    const failed = line.includes('"event":"decision-failed"');
    this.tally.check('17 every decision can be recorded', !failed, () => `${host}: ${line}`);
  }

  /**
   * Once a second of simulated time.
   * @param calmSinceMs null: something is wrong with the world
   * @param isWell whether nothing will be wrong any more, and every service takes part
   */
  stepped(calmSinceMs: number | null, isWell: boolean): void {
    const { nowMs } = this.#parts.database;
    if (nowMs < this.#lookedAtMs + 1_000) return;
    this.#lookedAtMs = nowMs;
    this.#wellSinceMs = isWell ? (this.#wellSinceMs ?? nowMs) : null;
    const goodSinceMs = this.#wellSinceMs === null ? null : this.#wellSinceMs + RECOVERY_MS;
    const isGood = goodSinceMs !== null && nowMs >= goodSinceMs;
    this.#waiting.look(nowMs, isGood);
    this.#causes.look(nowMs, isGood ? goodSinceMs : null);
    if (calmSinceMs !== null) this.#deadlines.look(nowMs, calmSinceMs);
  }

  #takeRecord(record: EventRecord): void {
    this.#fold.take(record);
    const { nowMs } = this.#parts.database;
    this.#waiting.take(record, nowMs);
    this.#causes.take(record, nowMs);
    noticeInLog(record, this.#parts.sometimes);
    if (record.type === 'artifact.recorded') this.#takeArtifact(record);
    if (!record.stream.startsWith('run-')) return;
    const runId = record.stream.slice('run-'.length);
    const history = this.histories.get(runId) ?? new RunHistory(runId, this.tally);
    this.histories.set(runId, history);
    history.take(record);
  }

  #takeArtifact({ data }: EventRecord): void {
    const { digest, sizeBytes } = data['artifact'] as { digest: string; sizeBytes: number };
    const bytes = this.#parts.artifacts.objects.get(digest);
    const whole = bytes !== undefined && bytes.byteLength === sizeBytes;
    this.tally.check(
      '13 artifacts have their digest',
      whole,
      () => `${digest} was recorded and the store has ${bytes?.byteLength ?? 'nothing'}`,
    );
  }
}
