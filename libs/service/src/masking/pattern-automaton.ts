/** States and bytes share one number: more states than this would not leave room for the byte. */
const STATES_MAX = 2 ** 22;

/** Spreads keys over a table whose size is a power of two. */
const SPREAD = 0x9e37_79b1;

/** The state in which nothing of any pattern has been seen. */
export const ROOT = 0;

const BYTES = 256;

/**
 * Finds many patterns in one pass over a stream of bytes (Aho and Corasick): a state is the longest beginning of a pattern
 * that the text read so far ends with. Each byte costs two look-ups on average, however many patterns there are and
 * whatever the text is.
 */
export class PatternAutomaton {
  /** Length of the longest pattern. */
  readonly longest: number;
  /** For each state: how much of a pattern has been seen. */
  readonly depth: Int32Array;
  /** For each state: length of the longest pattern that ends here; 0 for none. */
  readonly found: Int32Array;
  /** For each byte: 1 when a pattern begins with it. */
  readonly begins = new Uint8Array(BYTES);
  readonly #fallback: Int32Array;
  readonly #edges: Edges;
  /** The state after each byte, for the root and the states after one byte: where nearly every text is nearly all the time. */
  readonly #shallow: Int32Array;

  /** @param patterns none of them empty. @throws RangeError when they are several megabytes together */
  constructor(patterns: readonly Uint8Array[]) {
    const trie = new Trie(patterns);
    this.longest = patterns.reduce((longest, { byteLength }) => Math.max(longest, byteLength), 0);
    this.depth = trie.depth;
    this.found = new Int32Array(trie.states);
    this.#fallback = new Int32Array(trie.states);
    this.#edges = trie.edges;
    this.#shallow = new Int32Array((trie.firsts.length + 1) * BYTES);
    for (const [index, byte] of trie.firsts.entries()) {
      this.begins[byte] = 1;
      this.#shallow[byte] = index + 1;
    }
    for (let state = 1; state <= trie.firsts.length; state += 1) this.#completeShallow(state);
    for (const state of trie.byDepth()) this.#complete(state, trie);
  }

  /** The state after one more byte. */
  next(state: number, byte: number): number {
    let from = state;
    while (from * BYTES >= this.#shallow.length) {
      const to = this.#edges.from(from, byte);
      if (to !== NO_EDGE) return to;
      from = this.#fallback[from] as number;
    }
    return this.#shallow[from * BYTES + byte] as number;
  }

  #completeShallow(state: number): void {
    for (let byte = 0; byte < BYTES; byte += 1) {
      const to = this.#edges.from(state, byte);
      this.#shallow[state * BYTES + byte] = to === NO_EDGE ? (this.#shallow[byte] as number) : to;
    }
  }

  /** Needs everything that is less deep to be complete. */
  #complete(state: number, { parent, byte, ends }: Trie): void {
    const before = parent[state] as number;
    const fallback = before === ROOT ? ROOT : this.next(this.#fallback[before] as number, byte[state] as number);
    this.#fallback[state] = fallback;
    this.found[state] = (ends[state] === 1 ? this.depth[state] : this.found[fallback]) as number;
  }
}

/** All beginnings of all patterns. The root is state 0, and the states after one byte come next. */
class Trie {
  readonly edges: Edges;
  /** The bytes that patterns begin with: the first one leads to state 1, and so on. */
  readonly firsts: readonly number[];
  readonly parent: Int32Array;
  readonly byte: Uint8Array;
  readonly depth: Int32Array;
  /** 1 for each state in which a pattern is complete. */
  readonly ends: Uint8Array;
  states = 1;

  constructor(patterns: readonly Uint8Array[]) {
    const statesMax = 1 + patterns.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (statesMax > STATES_MAX)
      throw new RangeError(`patterns of ${statesMax} bytes are more than can be searched for`);
    this.edges = new Edges(statesMax);
    this.parent = new Int32Array(statesMax);
    this.byte = new Uint8Array(statesMax);
    this.ends = new Uint8Array(statesMax);
    const depth = new Int32Array(statesMax);
    this.firsts = [...new Set(patterns.map((pattern) => pattern[0] as number))];
    for (const first of this.firsts) this.#follow(ROOT, first, depth);
    for (const pattern of patterns) {
      let state = ROOT;
      for (let index = 0; index < pattern.length; index += 1) {
        state = this.#follow(state, pattern[index] as number, depth);
      }
      this.ends[state] = 1;
    }
    this.depth = depth.slice(0, this.states);
  }

  /** All states but the root, the less deep before the deeper: sorted by counting. */
  byDepth(): Int32Array {
    const { depth } = this;
    const places = new Int32Array(depth.length + 1);
    for (const level of depth) places[level + 1] = (places[level + 1] as number) + 1;
    for (let level = 1; level < places.length; level += 1)
      places[level] = (places[level] as number) + (places[level - 1] as number);
    const sorted = new Int32Array(depth.length);
    for (let state = 0; state < depth.length; state += 1) {
      const level = depth[state] as number;
      const place = places[level] as number;
      sorted[place] = state;
      places[level] = place + 1;
    }
    return sorted.subarray(1);
  }

  #follow(state: number, byte: number, depth: Int32Array): number {
    const known = this.edges.from(state, byte);
    if (known !== NO_EDGE) return known;
    const made = this.states;
    this.states += 1;
    this.parent[made] = state;
    this.byte[made] = byte;
    depth[made] = (depth[state] as number) + 1;
    this.edges.add(state, byte, made);
    return made;
  }
}

const NO_EDGE = -1;

/** The edges of a trie in one table, found by state and byte. */
class Edges {
  readonly #keys: Int32Array;
  readonly #to: Int32Array;
  readonly #shift: number;
  readonly #slotMax: number;

  /** @param count how many there will be at most: the table is never more than half full, so that every search ends soon */
  constructor(count: number) {
    const bits = Math.max(4, Math.ceil(Math.log2(count)) + 1);
    this.#keys = new Int32Array(2 ** bits).fill(NO_EDGE);
    this.#to = new Int32Array(2 ** bits);
    this.#shift = 32 - bits;
    this.#slotMax = 2 ** bits - 1;
  }

  from(state: number, byte: number): number {
    const key = state * BYTES + byte;
    const slot = this.#slotOf(key);
    return this.#keys[slot] === key ? (this.#to[slot] as number) : NO_EDGE;
  }

  add(state: number, byte: number, to: number): void {
    const key = state * BYTES + byte;
    const slot = this.#slotOf(key);
    this.#keys[slot] = key;
    this.#to[slot] = to;
  }

  /** Where the key is, or would be. */
  #slotOf(key: number): number {
    const keys = this.#keys;
    let slot = Math.imul(key, SPREAD) >>> this.#shift;
    for (let held = keys[slot]; held !== key && held !== NO_EDGE; held = keys[slot]) slot = (slot + 1) & this.#slotMax;
    return slot;
  }
}
