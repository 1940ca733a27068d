import { EGRESS_DECISIONS_MAX, type EgressDecision, type EgressReason } from '@delta-ci/contracts';

/** Where something was to go, as far as that could be read. */
export type Place = Pick<EgressDecision, 'host' | 'port'>;

/** One connection or request that was decided about: to it bytes are counted. */
export type Line = { sentBytes: number; receivedBytes: number };

type Entry = { -readonly [name in keyof EgressDecision]: EgressDecision[name] };

/** Bounded, so that what a job tries cannot fill the warden's memory, its log or its report. */
export class EgressRecord {
  private readonly entries = new Map<string, Entry>();
  private readonly others: Entry = {
    host: null,
    port: null,
    decision: 'others',
    reason: null,
    count: 0,
    sentBytes: 0,
    receivedBytes: 0,
  };
  private readonly onFirst: (decision: EgressDecision) => void;
  /** Of everything, in both directions. */
  movedBytes = 0;

  /** @param onFirst told of each decision that is not like an earlier one, as long as they are told apart */
  constructor(onFirst: (decision: EgressDecision) => void) {
    this.onFirst = onFirst;
  }

  allowed(place: Place): Line {
    return this.note(place, 'allowed', null);
  }

  /** @param address of a name's, the one that is out of bounds; of several times the first is kept */
  refused(place: Place, reason: EgressReason, address?: string): void {
    this.note(place, 'refused', reason, address);
  }

  failed(place: Place, reason: EgressReason): void {
    this.note(place, 'failed', reason);
  }

  count(line: Line, sentBytes: number, receivedBytes: number): void {
    line.sentBytes += sentBytes;
    line.receivedBytes += receivedBytes;
    this.movedBytes += sentBytes + receivedBytes;
  }

  summary(): EgressDecision[] {
    const others = this.others.count === 0 ? [] : [this.others];
    return [...this.entries.values(), ...others].map((entry) => ({ ...entry }));
  }

  private note(
    { host, port }: Place,
    decision: 'allowed' | 'refused' | 'failed',
    reason: EgressReason | null,
    address?: string,
  ): Entry {
    const key = JSON.stringify([host, port, decision, reason]);
    const known = this.entries.get(key);
    const named = address === undefined ? {} : { address };
    const entry =
      known ?? this.open(key, { host, port, decision, reason, ...named, count: 0, sentBytes: 0, receivedBytes: 0 });
    entry.count += 1;
    if (known === undefined && entry !== this.others) this.onFirst({ ...entry });
    return entry;
  }

  private open(key: string, entry: Entry): Entry {
    if (this.entries.size >= EGRESS_DECISIONS_MAX - 1) return this.others;
    this.entries.set(key, entry);
    return entry;
  }
}
