import type { Parse } from './repository-view.ts';

interface Parsed {
  readonly text: string;
  readonly value: unknown;
}

/** Of a repository with tens of thousands of manifests each is kept; what is beyond that is read again. */
const KEPT_MAX = 100_000;
/** Of paths and texts: as much as a snapshot may have that is kept. What they say takes a few times as much. */
const CHARACTERS_MAX = 16 * 1_024 ** 2;

/**
 * What texts say, by who parsed them and where they stand: a commit that changes one manifest leaves the others as they are.
 * Bounded in their number and in their length, whoever wrote them; when it is full it begins anew.
 */
export class ParsedTexts {
  readonly #charactersMax: number;
  #kept = new Map<Parse<unknown>, Map<string, Parsed>>();
  #count = 0;
  #characters = 0;

  constructor(charactersMax: number = CHARACTERS_MAX) {
    this.#charactersMax = charactersMax;
  }

  read<T>(parse: Parse<T>, path: string, text: string): T {
    const known = this.#kept.get(parse)?.get(path);
    // What is kept under a parser came from it.
    if (known?.text === text) return known.value as T;
    const value = parse(text, path);
    const characters = path.length + text.length;
    if (characters > this.#charactersMax) return value;
    this.#forget(parse, path);
    if (this.#count >= KEPT_MAX || this.#characters + characters > this.#charactersMax) this.#beginAnew();
    const ofParser = this.#kept.get(parse) ?? new Map<string, Parsed>();
    this.#kept.set(parse, ofParser.set(path, { text, value }));
    this.#count += 1;
    this.#characters += characters;
    return value;
  }

  #forget(parse: Parse<unknown>, path: string): void {
    const ofParser = this.#kept.get(parse);
    const known = ofParser?.get(path);
    if (ofParser === undefined || known === undefined) return;
    ofParser.delete(path);
    this.#count -= 1;
    this.#characters -= path.length + known.text.length;
  }

  #beginAnew(): void {
    this.#kept = new Map();
    this.#count = 0;
    this.#characters = 0;
  }
}
