import { STREAMS, type RecordedEvent } from '@delta-ci/contracts';
import type { Bus, BusLog, StoredMessage, StoreOutcome } from './bus.ts';
import { errorSentence } from './consume.ts';
import { HEADER_HASH, HEADER_POSITION, publishEvent } from './log-events.ts';

/**
 * The relay copies the log to EVENTS in position order. It keeps nothing: where to go on is read from the stream, in
 * which **the sequence of a message is the position of its event**. Every publication expects the sequence before
 * its own, so two relays at once, or one that woke up late, cannot fork, skip or reorder; one of them is refused and
 * looks again. A stream that was lost or lost its tail is filled again from where it stands; the sequences handed
 * out a second time carry the same events as the first time.
 */

/** The log, as the relay needs it. */
export interface RelaySource {
  /** Events after a position, in order, without a gap, at most `limit`. */
  readAfter(position: number, limit: number): Promise<readonly RecordedEvent[]>;
  /** Resolves when there may be more, or when the signal aborts. */
  waitForMore(signal: AbortSignal): Promise<void>;
}

export interface RelayOptions {
  readonly signal: AbortSignal;
  readonly log: BusLog;
  /** Called when the stream is not there or has lost its tail: creates streams and puts consumers right. */
  readonly provision: () => Promise<void>;
  /** Events published side by side, 256 unless told: hides the round trip, bounds what a refusal wastes. */
  readonly batchSize?: number;
  /** How often an idle relay looks whether the stream still holds what it published, 5 s unless told. */
  readonly recheckMs?: number;
  /** Told about every event that the stream has taken, while others of its batch are still on their way. */
  readonly onStored?: (position: number) => void;
  /** Told the position up to which the stream is complete; for the lag metric. */
  readonly onProgress?: (position: number) => void;
}

export type RelayEnd =
  | { readonly end: 'stopped' }
  /**
   * The stream holds something that is not in the log: another database, or one restored from before. Nothing was
   * published over it. A person decides; deleting the stream makes the relay fill it anew.
   */
  | { readonly end: 'forked'; readonly position: number; readonly detail: string };

const BATCH_SIZE_DEFAULT = 256;
const RECHECK_MS_DEFAULT = 5_000;
/**
 * A stream has to be missing this long before it is made anew: servers before 2.10 forget a stream a moment before they
 * remove its files, and one made in that moment loses its files to the removal.
 */
const MISSING_MS_MIN = 250;
/** Pause before looking again at a stream or log that was away. Doubles from the first to the second. */
const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 5_000;

/** Runs until stopped or until a fork is found. That only one relay works at a time is the caller's matter. */
export async function runRelay(bus: Bus, source: RelaySource, options: RelayOptions): Promise<RelayEnd> {
  return new Relay(bus, source, options).run();
}

type Resume =
  | { readonly at: number }
  | { readonly at: null; readonly reason: 'missing' | 'unreachable' }
  | { readonly forkedAt: number; readonly detail: string };

class Relay {
  readonly #bus: Bus;
  readonly #source: RelaySource;
  readonly #options: RelayOptions;
  /** Position up to which the stream is known to be a copy of the log; null when that has to be looked up. */
  #at: number | null = null;
  /** The highest position seen published: a stream that ends before it has lost its tail. */
  #highest = 0;
  #pauseMs = PAUSE_MS_MIN;

  constructor(bus: Bus, source: RelaySource, options: RelayOptions) {
    this.#bus = bus;
    this.#source = source;
    this.#options = options;
  }

  async run(): Promise<RelayEnd> {
    const { signal, log } = this.#options;
    while (!signal.aborted) {
      try {
        const forked = await this.#step();
        if (forked !== null) return forked;
      } catch (error) {
        // The log is away (database restart): what was published stays, the rest follows when it is back.
        log.warn({ reason: errorSentence(error) }, 'relay could not go on, trying again');
        this.#at = null;
        await this.#pause();
      }
    }
    return { end: 'stopped' };
  }

  async #step(): Promise<RelayEnd | null> {
    if (this.#at === null) return this.#findPlace();
    const batch = await this.#source.readAfter(this.#at, this.#options.batchSize ?? BATCH_SIZE_DEFAULT);
    if (batch.length === 0) await this.#idle(this.#at);
    else await this.#publish(this.#at, batch);
    return null;
  }

  async #findPlace(): Promise<RelayEnd | null> {
    const resume = await this.#resume();
    const { log } = this.#options;
    if ('forkedAt' in resume) {
      log.error({ position: resume.forkedAt, detail: resume.detail }, 'EVENTS is not a copy of this log: not touched');
      return { end: 'forked', position: resume.forkedAt, detail: resume.detail };
    }
    if (resume.at === null) {
      if (resume.reason === 'missing') await this.#provisionIfStillMissing();
      await this.#pause();
      return null;
    }
    if (resume.at < this.#highest) {
      log.warn({ position: resume.at, highest: this.#highest }, 'EVENTS lost its tail, filling it again');
      await this.#options.provision();
    }
    this.#advance(resume.at);
    this.#highest = resume.at;
    return null;
  }

  async #provisionIfStillMissing(): Promise<void> {
    await this.#bus.clock.sleep(MISSING_MS_MIN, this.#options.signal);
    const state = await this.#bus.streamState(STREAMS.events);
    if (state.outcome === 'missing' && !this.#options.signal.aborted) await this.#options.provision();
  }

  /** Where the stream stands, checked against the log. */
  async #resume(): Promise<Resume> {
    const state = await this.#bus.streamState(STREAMS.events);
    if (state.outcome !== 'known') return { at: null, reason: state.outcome };
    if (state.messages === 0) return { at: state.lastSequence };
    const read = await this.#bus.readStored(STREAMS.events, state.lastSequence);
    if (read.outcome === 'none') return { at: null, reason: 'unreachable' };
    if (read.outcome !== 'found') return { at: null, reason: read.outcome };
    const [event] = await this.#source.readAfter(state.lastSequence - 1, 1);
    const detail = differs(read.message, event);
    return detail === null ? { at: state.lastSequence } : { forkedAt: state.lastSequence, detail };
  }

  async #publish(after: number, batch: readonly RecordedEvent[]): Promise<void> {
    if (batch.some((event, index) => event.position !== after + index + 1)) {
      throw new Error(`the log has a gap after position ${after}`);
    }
    const outcomes = await Promise.all(batch.map(async (event) => this.#publishOne(event)));
    const refusedAt = outcomes.findIndex(({ outcome }) => outcome !== 'stored');
    if (refusedAt === -1) return this.#advance(after + batch.length);
    if (refusedAt > 0) this.#advance(after + refusedAt);
    await this.#lookAgain(after + refusedAt + 1, outcomes[refusedAt]);
  }

  async #publishOne(event: RecordedEvent): Promise<StoreOutcome> {
    const stored = await publishEvent(this.#bus, event);
    if (stored.outcome === 'stored') this.#options.onStored?.(event.position);
    return stored;
  }

  /** Something else than `stored`: another relay, a lost stream or answer. What the stream holds decides. */
  async #lookAgain(position: number, outcome: StoreOutcome | undefined): Promise<void> {
    this.#at = null;
    this.#options.log.info(
      { position, outcome: outcome?.outcome },
      'relay was refused, looking where the stream stands',
    );
    await this.#pause();
  }

  #advance(position: number): void {
    this.#at = position;
    this.#highest = Math.max(this.#highest, position);
    this.#pauseMs = PAUSE_MS_MIN;
    this.#options.onProgress?.(position);
  }

  /** Waits for more; when nothing came for a while, looks whether the stream still holds what was published. */
  async #idle(at: number): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, over.signal]);
    const more = this.#source.waitForMore(signal).then(() => 'more');
    const quiet = this.#bus.clock.sleep(this.#options.recheckMs ?? RECHECK_MS_DEFAULT, signal).then(() => 'quiet');
    const first = await Promise.race([more, quiet]).finally(() => over.abort());
    await Promise.all([more, quiet]);
    if (first === 'more' || this.#options.signal.aborted) return;
    const state = await this.#bus.streamState(STREAMS.events);
    if (state.outcome !== 'known' || state.lastSequence !== at) this.#at = null;
  }

  async #pause(): Promise<void> {
    await this.#bus.clock.sleep(this.#pauseMs, this.#options.signal);
    this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MS_MAX);
  }
}

/** Why a stored message is not the copy of the event with its sequence, or null when it is. */
function differs(message: StoredMessage, event: RecordedEvent | undefined): string | null {
  if (event === undefined) return `the stream is ahead of the log: it holds position ${message.sequence}`;
  const position = message.headers[HEADER_POSITION];
  if (position !== String(message.sequence)) return `sequence ${message.sequence} holds position ${position ?? 'none'}`;
  return message.headers[HEADER_HASH] === event.hash ? null : `position ${event.position} has another hash in the log`;
}
