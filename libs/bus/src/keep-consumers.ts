import { STREAMS, type StreamName } from '@delta-ci/contracts';
import type { Bus, BusLog, Doubts } from './bus.ts';
import { errorSentence } from './consume.ts';

/**
 * A stream that lost its tail hands the lost sequences out again, and a consumer that had passed them never sees the
 * messages that have them now. This watch has such consumers made anew. Of each stream a mark is kept of where it ended at
 * the last look, outside the bus, so that whoever watches next goes on from it: a stream that ends before its mark, or holds
 * another message there, has lost its tail; and after each outage, as after each change of the watch, whatever came later is
 * in doubt: a restarted server may have lost it and be filled again before anybody can look. Repeats are harmless, a
 * message never seen is not.
 */

/** Where a stream ended. */
export interface StreamMark {
  readonly sequence: number;
  /** Of the message there; null when there is none to be compared. */
  readonly storedAt: string | null;
}

/** Marks that outlive the bus and whoever watches. One that is older than the truth only has more heard again. */
export interface KeptMarks {
  read(): Promise<ReadonlyMap<StreamName, StreamMark>>;
  /** Replaces the marks of these streams. */
  write(marks: ReadonlyMap<StreamName, StreamMark>): Promise<void>;
}

export interface KeepConsumersOptions {
  readonly signal: AbortSignal;
  readonly log: BusLog;
  /** Creates what is missing and makes consumers anew that passed what is in doubt. May reject: tried again. */
  readonly provision: (doubts: Doubts) => Promise<void>;
  readonly marks: KeptMarks;
  /** How often to look, 5 s unless told. */
  readonly recheckMs?: number;
}

/** What of a bus it needs. */
export type WatchedBus = Pick<Bus, 'clock' | 'outages' | 'streamState' | 'readStored'>;

/** Not EVENTS: there the same sequence is the same event, whatever was lost. */
const WATCHED = [STREAMS.reports, STREAMS.dispatch, STREAMS.parked] as const;

const RECHECK_MS_DEFAULT = 5_000;
const PAUSE_MS_MAX = 60_000;

/** Runs until stopped; never rejects. Two at once repeat each other's work and do no harm. */
export async function keepConsumers(bus: WatchedBus, options: KeepConsumersOptions): Promise<void> {
  const { signal, log, recheckMs = RECHECK_MS_DEFAULT } = options;
  const watch = new ConsumerWatch(bus, options);
  let pauseMs = recheckMs;
  while (!signal.aborted) {
    try {
      await watch.look();
      pauseMs = recheckMs;
    } catch (error) {
      log.warn({ reason: errorSentence(error) }, 'could not put consumers right, trying again');
      pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX);
    }
    await bus.clock.sleep(pauseMs, signal);
  }
}

interface Look {
  readonly mark: StreamMark;
  /** The first sequence in doubt, null for none. */
  readonly doubtedFrom: number | null;
}

class ConsumerWatch {
  readonly #bus: WatchedBus;
  readonly #options: KeepConsumersOptions;
  /** Null before the first look. */
  #marks: ReadonlyMap<StreamName, StreamMark> | null = null;
  /** As they are kept outside; where that could not be done they are older. */
  #kept: ReadonlyMap<StreamName, StreamMark> = new Map();
  /** Outages up to the last look; null before the first. */
  #outages: number | null = null;

  constructor(bus: WatchedBus, options: KeepConsumersOptions) {
    this.#bus = bus;
    this.#options = options;
  }

  /** Looks at all streams. What it learnt holds only when it saw them all, with no outage in between. */
  async look(): Promise<void> {
    const outages = this.#bus.outages();
    const marks = this.#marks ?? (await this.#read());
    const looks = new Map<StreamName, Look>();
    for (const stream of WATCHED) {
      const look = await this.#lookAt(stream, marks.get(stream), outages);
      if (look === null) return;
      looks.set(stream, look);
    }
    if (this.#bus.outages() !== outages || this.#options.signal.aborted) return;
    const doubts = new Map<StreamName, number>();
    for (const [stream, { doubtedFrom }] of looks) if (doubtedFrom !== null) doubts.set(stream, doubtedFrom);
    // Whoever looks for the first time does not know whether all is there.
    if (doubts.size > 0 || this.#outages === null) await this.#options.provision(doubts);
    // After consumers were put right, never before: a mark says that nothing up to it is in doubt.
    this.#marks = new Map([...looks].map(([stream, { mark }]) => [stream, mark]));
    this.#outages = outages;
    await this.#keep(this.#marks);
  }

  async #read(): Promise<ReadonlyMap<StreamName, StreamMark>> {
    this.#kept = await this.#options.marks.read();
    return this.#kept;
  }

  async #keep(marks: ReadonlyMap<StreamName, StreamMark>): Promise<void> {
    const moved = new Map([...marks].filter(([stream, mark]) => !isSame(mark, this.#kept.get(stream))));
    if (moved.size > 0) await this.#options.marks.write(moved);
    this.#kept = marks;
  }

  /** Null when the stream cannot be seen now. */
  async #lookAt(stream: StreamName, before: StreamMark | undefined, outages: number): Promise<Look | null> {
    const state = await this.#bus.streamState(stream);
    if (state.outcome !== 'known') return null;
    const storedAt = await this.#storedAt(stream, state.lastSequence);
    const mark = { sequence: state.lastSequence, storedAt };
    // Whatever there is may have come in the place of something else: nobody ever told how far the stream was seen.
    if (before === undefined) return { mark, doubtedFrom: 1 };
    if (await this.#isLost(stream, before, state.lastSequence)) {
      this.#options.log.warn(
        { stream, position: state.lastSequence, highest: before.sequence },
        'stream lost its tail, making consumers anew that had passed it',
      );
      return { mark, doubtedFrom: 1 };
    }
    return { mark, doubtedFrom: outages === this.#outages ? null : before.sequence + 1 };
  }

  async #isLost(stream: StreamName, { sequence, storedAt }: StreamMark, lastSequence: number): Promise<boolean> {
    if (lastSequence < sequence) return true;
    if (storedAt === null) return false;
    const now = await this.#storedAt(stream, sequence);
    return now !== null && now !== storedAt;
  }

  async #storedAt(stream: StreamName, sequence: number): Promise<string | null> {
    if (sequence === 0) return null;
    const read = await this.#bus.readStored(stream, sequence);
    return read.outcome === 'found' && read.message.sequence === sequence ? read.message.storedAt : null;
  }
}

const isSame = (mark: StreamMark, before: StreamMark | undefined): boolean =>
  mark.sequence === before?.sequence && mark.storedAt === before.storedAt;
