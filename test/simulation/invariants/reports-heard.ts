import { STREAMS } from '@delta-ci/contracts';
import type { MemoryServer } from '@delta-ci/bus';
import type { Committed } from '../database/rows.ts';

/**
 * Part of 16: a report that the bus took, and did not lose with its store or its tail, is decided sooner or later: the
 * inbox remembers it, or it is parked for a person.
 */
export class ReportsHeard {
  readonly #committed: Committed;
  readonly #server: MemoryServer;
  /** Ids of those not known to be heard, by sequence in REPORTS: one that got lost with the tail makes room for another. */
  readonly #waiting = new Map<number, string>();

  constructor(committed: Committed, server: MemoryServer) {
    this.#committed = committed;
    this.#server = server;
  }

  stored(id: string, sequence: number): void {
    this.#waiting.set(sequence, id);
  }

  /** Reports nobody has decided yet, and that are still there to be decided. */
  unheard(): string[] {
    const stream = this.#server.streams.get(STREAMS.reports);
    for (const [sequence, id] of this.#waiting) {
      const isThere = stream?.get(sequence) !== undefined;
      if (!isThere || this.#committed.table('inbox').has(`report-${id}`)) this.#waiting.delete(sequence);
    }
    return this.#server.streams.get(STREAMS.parked)?.messages === 0 ? [...this.#waiting.values()] : [];
  }
}
