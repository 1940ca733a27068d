/** Whoever holds and waits for row locks. */
export interface LockOwner {
  readonly name: string;
}

/** Row locks, held until the transaction ends, with the server's own check for circles. */
export class Locks<Owner extends LockOwner> {
  readonly #holders = new Map<string, Owner>();
  readonly #held = new Map<Owner, string[]>();
  readonly #waiting = new Map<Owner, string>();

  /** `wait`: somebody else has it. `deadlock`: waiting would close a circle. */
  take(owner: Owner, key: string): 'taken' | 'wait' | 'deadlock' {
    const holder = this.#holders.get(key);
    if (holder === owner) return 'taken';
    if (holder !== undefined) {
      this.#waiting.set(owner, key);
      return this.#leadsBackTo(owner, holder) ? 'deadlock' : 'wait';
    }
    this.#waiting.delete(owner);
    this.#holders.set(key, owner);
    const held = this.#held.get(owner);
    if (held === undefined) this.#held.set(owner, [key]);
    else held.push(key);
    return 'taken';
  }

  /** Gives everything back. @returns those who waited for some of it, in the order in which they came */
  release(owner: Owner): Owner[] {
    this.#waiting.delete(owner);
    const keys = this.#held.get(owner);
    if (keys === undefined) return [];
    for (const key of keys) this.#holders.delete(key);
    this.#held.delete(owner);
    if (this.#waiting.size === 0) return [];
    const held = new Set(keys);
    return [...this.#waiting].filter(([, key]) => held.has(key)).map(([waiter]) => waiter);
  }

  isWaiting(owner: Owner): boolean {
    return this.#waiting.has(owner);
  }

  #leadsBackTo(owner: Owner, holder: Owner): boolean {
    for (let one: Owner | undefined = holder; one !== undefined;) {
      if (one === owner) return true;
      const key = this.#waiting.get(one);
      one = key === undefined ? undefined : this.#holders.get(key);
    }
    return false;
  }
}
