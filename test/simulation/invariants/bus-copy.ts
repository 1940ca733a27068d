import { STREAMS } from '@delta-ci/contracts';
import type { MemoryServer } from '@delta-ci/bus';
import type { Committed } from '../database/rows.ts';
import type { Tally } from './tally.ts';

/** 7: whatever EVENTS holds at a sequence is the record at that position, and nothing is there that is not in the log. */
export class BusCopy {
  readonly #tally: Tally;
  readonly #committed: Committed;
  readonly #server: MemoryServer;
  #checked = 0;

  constructor(tally: Tally, committed: Committed, server: MemoryServer) {
    this.#tally = tally;
    this.#committed = committed;
    this.#server = server;
  }

  /** After something was stored, or the end of the stream was lost. */
  look(): void {
    const stream = this.#server.streams.get(STREAMS.events);
    const last = stream?.lastSequence ?? 0;
    if (last < this.#checked) this.#checked = last;
    for (let sequence = this.#checked + 1; sequence <= last; sequence += 1) {
      const message = stream?.get(sequence);
      const record = this.#committed.events[sequence - 1];
      const same = message !== undefined && record !== undefined && message.headers['Delta-Hash'] === record.hash;
      const held = () =>
        `sequence ${sequence} holds ${message?.headers['Delta-Position'] ?? 'nothing'}, the log ${record?.type ?? 'ends before'}`;
      this.#tally.check('7 the bus is a prefix of the log', same, held);
    }
    this.#checked = last;
  }

  get lastSequence(): number {
    return this.#server.streams.get(STREAMS.events)?.lastSequence ?? 0;
  }

  /** When everything is quiet, nothing is missing. */
  get isComplete(): boolean {
    return this.lastSequence === this.#committed.head.position;
  }
}
