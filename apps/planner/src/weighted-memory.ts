interface Kept<T> {
  readonly value: T;
  readonly bytes: number;
}

/** Values by key, as many as a number of bytes allows; the longest unused goes first, and what is larger is not kept. */
export class WeightedMemory<T> {
  readonly #bytesMax: number;
  readonly #kept = new Map<string, Kept<T>>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  take(key: string): T | null {
    const kept = this.#kept.get(key);
    if (kept === undefined) return null;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept.value;
  }

  /** In place of what is there under this key. @param bytes what it weighs, as its owner reckons */
  keep(key: string, value: T, bytes: number): void {
    this.#drop(key);
    if (bytes > this.#bytesMax) return;
    this.#kept.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0;
    this.#kept.delete(key);
  }
}
