import type { Row, Transaction } from '../database/rows.ts';
import { textIn, type EventRecord } from './record.ts';
import type { Tally } from './tally.ts';

/** Senders whose command id is the causation of what follows from it; reports name the event that caused them instead. */
const COMMANDING: ReadonlySet<string> = new Set(['forge-user', 'operator', 'runner']);

/** 6 and 15: every command once, every delivery one run at most, and what was answered as accepted is there and stays. */
export class AppliedOnce {
  readonly #tally: Tally;
  readonly #inbox = new Map<string, Row>();
  readonly #commitOf = new Map<string, number>();
  readonly #deliveries = new Map<string, string>();
  readonly #runs = new Set<string>();
  readonly #answers = new Map<string, number>();
  #commits = 0;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  get runs(): readonly string[] {
    return [...this.#runs];
  }

  committed(transaction: Transaction, records: readonly EventRecord[]): void {
    this.#commits += 1;
    const remembered = transaction.changes.get('inbox') ?? new Map<string, Row | null>();
    for (const [id, row] of remembered) this.#takeRemembered(id, row);
    if (records.length > 0) {
      this.#tally.check(
        '6 applied once',
        remembered.size > 0,
        () => `${records[0]?.type} was appended and no command remembered with it`,
      );
    }
    for (const record of records) this.#take(record);
  }

  /** Somebody was told that this run is accepted. */
  accepted(runId: string): void {
    this.#tally.check(
      '15 what was accepted stays',
      this.#runs.has(runId),
      () => `${runId} was accepted and is not in the log`,
    );
  }

  /** A forge was told which run its delivery led to. @returns how often it has been told by now */
  answered(deliveryId: string, runId: string): number {
    this.accepted(runId);
    const recorded = this.#deliveries.get(deliveryId);
    this.#tally.check(
      '6 applied once',
      recorded === runId,
      () => `${deliveryId} led to ${recorded}, answered was ${runId}`,
    );
    const times = (this.#answers.get(deliveryId) ?? 0) + 1;
    this.#answers.set(deliveryId, times);
    return times;
  }

  #takeRemembered(id: string, row: Row | null): void {
    this.#tally.check('6 applied once', row !== null && !this.#inbox.has(id), () => `the memory of ${id} was changed`);
    if (row !== null) this.#inbox.set(id, row);
  }

  #take(record: EventRecord): void {
    const { type, data, causation, actor } = record;
    if (type === 'run.created') this.#runs.add(textIn(data, 'runId'));
    if (type === 'delivery.accepted') {
      const id = textIn(data, 'deliveryId');
      this.#tally.check('6 applied once', !this.#deliveries.has(id), () => `${id} was accepted twice`);
      this.#deliveries.set(id, textIn(data, 'runId'));
    }
    if (!COMMANDING.has(actor.kind)) return;
    const commit = this.#commitOf.get(causation) ?? this.#commits;
    this.#tally.check('6 applied once', commit === this.#commits, () => `${causation} was applied again: ${type}`);
    this.#commitOf.set(causation, this.#commits);
  }
}
