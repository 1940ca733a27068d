import { STREAMS } from '@delta-ci/contracts';
import type { Delivery } from '@delta-ci/bus';
import type { Committed } from '../database/rows.ts';
import type { EventRecord } from './record.ts';
import type { Tally } from './tally.ts';

/** Services that answer an event with a report, and which events they owe one for. The others only look at the state. */
const OWED: Readonly<Record<string, (event: Pick<EventRecord, 'type' | 'data'>) => boolean>> = {
  planner: ({ type }) => type === 'run.created',
};

/**
 * 18: whoever acknowledges a message has done what it asks for by then, because from there nobody else will. Judged when
 * the server hears it: a report is in the inbox, an event is answered by the report it is owed, and an attempt that was
 * dispatched does not wait any more.
 */
export class Acknowledged {
  readonly #tally: Tally;
  readonly #committed: Committed;
  /** Events that a report on the bus names as its cause. */
  readonly #answered = new Set<string>();

  constructor(tally: Tally, committed: Committed) {
    this.#tally = tally;
    this.#committed = committed;
  }

  /** The bus took a report. */
  reported(body: Uint8Array): void {
    this.#answered.add((dataIn(body) as { causation: string }).causation);
  }

  /** The server hears that a message is done with. */
  heard({ stream, consumer, subject, body }: Delivery, nowMs: number): void {
    if (stream === STREAMS.parked) return;
    const check = (holds: boolean) =>
      this.#tally.check('18 acknowledged when done', holds, () => `${consumer} acknowledged ${subject} too early`);
    if (stream === STREAMS.reports) {
      const { id } = dataIn(body) as { id: string };
      check(this.#committed.table('inbox').has(`report-${id}`));
    }
    if (stream === STREAMS.dispatch) check(!this.#waits(dataIn(body) as Dispatched, nowMs));
    if (stream !== STREAMS.events) return;
    const event = dataIn(body) as EventRecord;
    if (OWED[consumer]?.(event) === true) check(this.#answered.has(event.id));
  }

  /** Whether it could still start: one whose time has passed is left to the sweep. */
  #waits({ runId, jobKey, attempt }: Dispatched, nowMs: number): boolean {
    const queued = this.#committed.table('attempt').get(`${runId} ${jobKey} ${attempt}`);
    if (queued?.['waiting'] !== true) return false;
    const runEndsAtMs = this.#committed.table('run_deadline').get(runId)?.['due_at_ms'];
    return nowMs < Math.min(Number(queued['queue_deadline_at_ms']), Number(runEndsAtMs ?? Number.POSITIVE_INFINITY));
  }
}

interface Dispatched {
  readonly runId: string;
  readonly jobKey: string;
  readonly attempt: number;
}

/** What an envelope carries. */
function dataIn(body: Uint8Array): unknown {
  return (JSON.parse(Buffer.from(body).toString('utf8')) as { data: unknown }).data;
}
