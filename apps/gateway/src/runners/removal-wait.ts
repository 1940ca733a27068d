import { refusedWith, type Refused } from '../http/refused.ts';

/** What a refusal asks for: about as long as a store needs for another portion of what is removed at once. */
const ASK_AGAIN_MS = 5_000;
/** Longer than a store needs to remove a thousand objects, shorter than a runner waits for an answer. */
const PATIENCE_MS = 5_000;

/**
 * Waits for removals of one kind that are under way. Each wait holds a connection to the database for as long as a store may take,
 * so there is one at a time: whoever comes meanwhile shares the one after it, which begins once all of them have come.
 */
export class RemovalWait {
  readonly #wait: () => Promise<void>;
  readonly #removed: string;
  #underWay: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  /**
   * @param wait resolves when every removal is over that was under way when it was called
   * @param removed what they remove, for people
   */
  constructor(wait: () => Promise<void>, removed: string) {
    this.#wait = wait;
    this.#removed = removed;
  }

  /**
   * Resolves when every removal is over that is under way now.
   * @throws Refused `unavailable` once `patience` is over; what the wait fails with
   */
  async pass(patience = AbortSignal.timeout(PATIENCE_MS)): Promise<void> {
    const { promise: tooLong, reject } = Promise.withResolvers<never>();
    const refuse = (): void => reject(this.#stillRemoving());
    patience.addEventListener('abort', refuse, { once: true });
    try {
      if (patience.aborted) throw this.#stillRemoving();
      await Promise.race([this.#joined(), tooLong]);
    } finally {
      patience.removeEventListener('abort', refuse);
    }
  }

  async #joined(): Promise<void> {
    this.#next ??= this.#begin();
    return this.#next;
  }

  #begin(): Promise<void> {
    const next = this.#underWay.then(async () => {
      this.#next = null;
      return this.#wait();
    });
    // How it ends is for those who share it; some of them may be gone, and whoever comes next begins anew.
    this.#underWay = next.catch(() => undefined);
    return next;
  }

  #stillRemoving(): Refused {
    const message = `${this.#removed} are being removed: ask again in a moment`;
    return refusedWith('unavailable', message, { retryAfterMs: ASK_AGAIN_MS });
  }
}
