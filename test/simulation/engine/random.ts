/**
 * The simulator's only source of chance: xoshiro128** 1.1 (Blackman and Vigna, 2018), seeded through splitmix32. Integer
 * arithmetic alone, so that a seed means the same on every machine and with every version of Node.
 */
export class Random {
  #s0: number;
  #s1: number;
  #s2: number;
  #s3: number;

  /** Each use draws from a stream of its own, so that one more draw here changes nothing there. */
  constructor(seed: number, use: string) {
    const word = fnv1a(`${seed} ${use}`);
    this.#s0 = splitmix32((word + GOLDEN) >>> 0);
    this.#s1 = splitmix32((word + 2 * GOLDEN) >>> 0);
    this.#s2 = splitmix32((word + 3 * GOLDEN) >>> 0);
    this.#s3 = splitmix32((word + 4 * GOLDEN) >>> 0);
  }

  /** 32 random bits. */
  bits(): number {
    const s1 = this.#s1;
    const s2 = this.#s2 ^ this.#s0;
    const s3 = this.#s3 ^ s1;
    this.#s1 = s1 ^ s2;
    this.#s0 ^= s3;
    this.#s2 = s2 ^ (s1 << 9);
    this.#s3 = rotated(s3, 11);
    return Math.imul(rotated(Math.imul(s1, 5), 7), 9) >>> 0;
  }

  /** 0 <= value < 1, in steps of 2^-32. */
  unit(): number {
    return this.bits() / 4_294_967_296;
  }

  chance(probability: number): boolean {
    return probability > 0 && this.unit() < probability;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.between(0, choices.length - 1)];
    if (choice === undefined) throw new RangeError('nothing to pick from');
    return choice;
  }

  fill(bytes: Uint8Array): void {
    for (let index = 0; index < bytes.length; index += 1) bytes[index] = this.bits() >>> 24;
  }
}

const GOLDEN = 0x9e3779b9;

const rotated = (word: number, by: number): number => ((word << by) | (word >>> (32 - by))) >>> 0;

function splitmix32(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
