import type { Access, Endpoint } from '@delta-ci/contracts';

export interface RequestLimits {
  /** Requests of one kind that are worked on at once: enough to fill the log's transactions. */
  readonly atOnce: number;
  /** More wait for their turn; beyond so many, newcomers are told to come again, and nothing of their bodies is read. */
  readonly waitingMax: number;
  /** Who has waited this long is told to come again. */
  readonly patienceMs: number;
}

/**
 * Lets requests of forges and of people in, each kind by its own door. Under too much load they wait here, where a request
 * costs nothing, rather than all at once in the event loop, where runners' heartbeats and completions would wait behind
 * them. Runners have no door: they are bounded by their number.
 */
export class RequestRoom {
  readonly #doors: Readonly<Record<'forges' | 'people', Door>>;

  constructor(limits: RequestLimits) {
    this.#doors = { forges: new Door(limits), people: new Door(limits) };
  }

  /** Whether a newcomer would be sent away now. */
  isFull(endpoint: Endpoint): boolean {
    const kind = kindOf(endpoint);
    return kind !== null && this.#doors[kind].isFull();
  }

  /**
   * Calls `decided` once: with true when the request may go on, maybe at once, with false when it has to come again.
   * @returns to be called when the request is over, however it ended
   */
  enter(endpoint: Endpoint, decided: (admitted: boolean) => void): () => void {
    const kind = kindOf(endpoint);
    if (kind !== null) return this.#doors[kind].enter(decided);
    decided(true);
    return () => undefined;
  }
}

interface Guest {
  readonly decided: (admitted: boolean) => void;
  patience: NodeJS.Timeout | null;
  inside: boolean;
}

class Door {
  readonly #limits: RequestLimits;
  /** In the order in which they came. */
  readonly #waiting = new Set<Guest>();
  #inside = 0;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
  }

  isFull(): boolean {
    return this.#inside >= this.#limits.atOnce && this.#waiting.size >= this.#limits.waitingMax;
  }

  enter(decided: (admitted: boolean) => void): () => void {
    const guest: Guest = { decided, patience: null, inside: false };
    if (this.isFull()) decided(false);
    else if (this.#inside < this.#limits.atOnce) this.#admit(guest);
    else this.#seat(guest);
    return () => this.#leave(guest);
  }

  #admit(guest: Guest): void {
    guest.inside = true;
    this.#inside += 1;
    guest.decided(true);
  }

  #seat(guest: Guest): void {
    this.#waiting.add(guest);
    guest.patience = setTimeout(() => {
      this.#waiting.delete(guest);
      guest.decided(false);
    }, this.#limits.patienceMs);
  }

  #leave(guest: Guest): void {
    if (guest.patience !== null) clearTimeout(guest.patience);
    this.#waiting.delete(guest);
    if (!guest.inside) return;
    guest.inside = false;
    this.#inside -= 1;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    if (next.patience !== null) clearTimeout(next.patience);
    this.#admit(next);
  }
}

const KIND_OF: Readonly<Record<Access, 'forges' | 'people' | null>> = {
  signature: 'forges',
  viewer: 'people',
  operator: 'people',
  auditor: 'people',
  admin: 'people',
  anyone: null,
  registration: null,
  runner: null,
};

/** What streams takes as long as its reader wants, and has limits of its own. */
function kindOf({ access, answers }: Endpoint): 'forges' | 'people' | null {
  const streams = Object.values(answers).some((content) => typeof content === 'string' && content !== 'json');
  return streams ? null : KIND_OF[access];
}
