import { hash } from 'node:crypto';
import type { StoredEvent } from '../database/rows.ts';
import type { EventRecord } from './record.ts';
import type { Tally } from './tally.ts';

const sha256 = (text: string): string => hash('sha256', text);

/** 3: positions are 1..N in commit order, versions are contiguous, the chain holds, and the text says what the row says. */
export class LogOrder {
  readonly #tally: Tally;
  readonly #versions = new Map<string, number>();
  #position = 0;
  #hash = '0'.repeat(64);
  #timeMs = 0;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  take(stored: StoredEvent, record: EventRecord): void {
    const check = (holds: boolean, what: string) =>
      this.#tally.check('3 log order', holds, () => `${what} at position ${stored.position} (${stored.type})`);
    check(stored.position === this.#position + 1, `the position does not follow ${this.#position}`);
    const version = (this.#versions.get(stored.stream) ?? 0) + 1;
    check(stored.version === version, `version ${stored.version} of ${stored.stream} is not ${version}`);
    check(stored.prev_hash === this.#hash, 'the hash before is another');
    check(stored.hash === sha256(this.#hash + sha256(stored.canonical)), 'the hash is not that of the text');
    const agrees =
      record.position === stored.position &&
      record.version === stored.version &&
      record.stream === stored.stream &&
      record.type === stored.type &&
      record.id === stored.id;
    check(agrees, `the text says position ${record.position}, version ${record.version} of ${record.stream}`);
    this.#position = stored.position;
    this.#hash = stored.hash;
    this.#versions.set(stored.stream, stored.version);
    // Transactions overlap: time may stand still or differ by as long as one waits for locks, and never by more.
    const timeMs = Date.parse(record.time);
    check(timeMs > this.#timeMs - 60_000, 'time goes back');
    this.#timeMs = Math.max(this.#timeMs, timeMs);
  }
}
