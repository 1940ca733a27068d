import type { Parse } from './repository-view.ts';

interface Parsed {
  readonly text: string;
  readonly value: unknown;
}

/** Of a repository with tens of thousands of manifests each is kept; what is beyond that is read again. */
const KEPT_MAX = 100_000;

/** What texts say, by who parsed them and where they stand: a commit that changes one manifest leaves the others as they are. */
export class ParsedTexts {
  #kept = new Map<Parse<unknown>, Map<string, Parsed>>();
  #count = 0;

  read<T>(parse: Parse<T>, path: string, text: string): T {
    const known = this.#kept.get(parse)?.get(path);
    // What is kept under a parser came from it.
    if (known?.text === text) return known.value as T;
    const value = parse(text, path);
    this.#keep(parse, path, { text, value });
    return value;
  }

  #keep(parse: Parse<unknown>, path: string, parsed: Parsed): void {
    if (this.#count >= KEPT_MAX) {
      this.#kept = new Map();
      this.#count = 0;
    }
    const ofParser = this.#kept.get(parse) ?? new Map<string, Parsed>();
    this.#kept.set(parse, ofParser);
    if (!ofParser.has(path)) this.#count += 1;
    ofParser.set(path, parsed);
  }
}
