/** Bytes of bodies that may be under way at once. */
export interface RoomLimits {
  readonly bytesMax: number;
  readonly bytesPerSourceMax: number;
}

/**
 * Room for bodies of strangers: they are held whole until their signature can be checked, so whoever sends many large
 * ones at once would fill the memory. One source can take a part of the room alone.
 */
export class BodyRoom {
  readonly #limits: RoomLimits;
  /** Bytes under way by source; only sources that have some. */
  readonly #taken = new Map<string, number>();
  #total = 0;

  constructor(limits: RoomLimits) {
    this.#limits = limits;
  }

  /** Takes room for a body. @returns what gives it back, to be called once; null when there is none left */
  take(source: string, bytes: number): (() => void) | null {
    const { bytesMax, bytesPerSourceMax } = this.#limits;
    if (this.#total + bytes > bytesMax || this.#of(source) + bytes > bytesPerSourceMax) return null;
    this.#change(source, bytes);
    return () => this.#change(source, -bytes);
  }

  #of(source: string): number {
    return this.#taken.get(source) ?? 0;
  }

  #change(source: string, bytes: number): void {
    this.#total += bytes;
    const left = this.#of(source) + bytes;
    if (left === 0) this.#taken.delete(source);
    else this.#taken.set(source, left);
  }
}
