import type { StreamId } from '@delta-ci/contracts';

export interface Head {
  readonly position: number;
  readonly hash: string;
}

/** When a sealed batch may append. */
export interface Turn {
  /** Resolves when the batch before has appended, or failed; null: it has already. */
  readonly before: Promise<void> | null;
  /** To be called when this batch has appended, or failed: from then on it holds the head, or nobody waits for it. */
  readonly over: () => void;
}

/** Batches that ask for the head after a prediction was wrong: doubles while somebody else keeps writing. */
const DISTRUST_FIRST = 8;
const DISTRUST_MAX = 256;
/** Streams other than runs whose version is remembered, e.g. pools. A forgotten one costs one wrong prediction. */
const STREAMS_MAX = 10_000;

/**
 * Where the log will stand when everything this writer has sealed is committed. A writer that works alone knows that
 * without asking, so it need not hold the head while it waits for an answer: the next batch is sealed onto one that is
 * still being written. The append function checks; a wrong prediction only means that the batch is done again.
 */
export class HeadPrediction {
  #tail: Head | null = null;
  #lastTurn: Promise<void> | null = null;
  #versions = new Map<StreamId, number>();
  #asking = 0;
  #distrust = 0;
  #distrustNext = DISTRUST_FIRST;

  /** The predicted head, or null: the head has to be asked for, and `asked` called when it is known. */
  predict(): Head | null {
    if (this.#tail !== null && this.#asking === 0 && this.#distrust === 0) return this.#tail;
    this.#asking += 1;
    return null;
  }

  /** The version of a stream that is not locked; 0: never seen, probably new. */
  versionOf(stream: StreamId): number {
    return this.#versions.get(stream) ?? 0;
  }

  /** After `predict` gave null: the head is locked, or asking for it failed. */
  asked(): void {
    this.#asking -= 1;
    this.#distrust = Math.max(0, this.#distrust - 1);
  }

  /**
   * A batch was sealed: the log will end with it. `versions`: of streams other than runs. Answers the batch's turn: it
   * must not append before the one it was sealed onto has.
   */
  sealed(tail: Head, versions: ReadonlyMap<StreamId, number>): Turn {
    const before = this.#lastTurn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lastTurn = promise;
    this.#tail = tail;
    for (const [stream, version] of versions) this.#versions.set(stream, version);
    if (this.#versions.size > STREAMS_MAX) this.#versions.clear();
    const over = () => {
      if (this.#lastTurn === promise) this.#lastTurn = null;
      resolve();
    };
    return { before, over };
  }

  /** A sealed batch was committed, as predicted or asked for. */
  confirmed(): void {
    this.#distrustNext = Math.max(DISTRUST_FIRST, this.#distrustNext - 1);
  }

  /** A sealed batch was not committed, or nobody knows: nothing that was predicted counts any more. */
  failed(): void {
    this.#tail = null;
    this.#versions.clear();
    this.#distrust = this.#distrustNext;
    this.#distrustNext = Math.min(DISTRUST_MAX, this.#distrustNext * 2);
  }
}
