import type { EntryType } from '../model.ts';
import type { Difference } from './difference.ts';
import type { Listing } from './listing.ts';
import type { ParsedTexts } from './parsed-texts.ts';
import type {
  DetectorMemory,
  ListedEntry,
  Parse,
  Question,
  RepositoryView,
  Selection,
  Texts,
} from './repository-view.ts';
import { emptyTrace, holds, type Later, type Trace } from './trace.ts';

/** What is asked: a listing, and of the contents those that may be seen. */
export interface Asked {
  readonly listing: Listing;
  readonly contents: ReadonlyMap<string, string>;
  readonly isVisible: (path: string) => boolean;
}

interface Answer {
  readonly value: unknown;
  readonly trace: Trace;
}

/**
 * Answers to questions about one snapshot, each with the trace of what it was found out from. An answer about an earlier
 * snapshot stands when its trace holds in this one; an answer that was found anew and says the same takes the place of
 * the earlier one, so that what was concluded from it stands as well. These are the verifying traces of "Build systems à la
 * carte" (Mokhov, Mitchell, Peyton Jones, 2018), with their early cut-off.
 */
export class Answers {
  readonly #asked: Asked;
  readonly #memory: DetectorMemory;
  readonly #parsed: ParsedTexts;
  readonly #known = new Map<Question<unknown>, Answer>();
  #earlier: { readonly answers: Answers; readonly difference: Difference } | null;

  /** @param earlier answers about another snapshot of which the same contents may be seen, and where both differ */
  constructor(
    asked: Asked,
    memory: DetectorMemory,
    parsed: ParsedTexts,
    earlier: { readonly answers: Answers; readonly difference: Difference } | null,
  ) {
    this.#asked = asked;
    this.#memory = memory;
    this.#parsed = parsed;
    this.#earlier = earlier;
  }

  to<T>(question: Question<T>): T {
    const known = this.#known.get(question) ?? this.#carried(question) ?? this.#found(question);
    this.#known.set(question, known);
    // What is kept under a question came from it.
    return known.value as T;
  }

  /** Lets go of the earlier snapshot: what was not asked by now is found out anew. */
  settle(): void {
    this.#earlier = null;
  }

  #carried(question: Question<unknown>): Answer | null {
    if (this.#earlier === null) return null;
    const { answers, difference } = this.#earlier;
    const known = answers.#known.get(question);
    if (known === undefined) return null;
    const later: Later = {
      before: answers.#asked.listing,
      after: this.#asked.listing,
      difference,
      answer: (each) => this.to(each),
    };
    return holds(known.trace, later) ? known : null;
  }

  #found<T>(question: Question<T>): Answer {
    const trace = emptyTrace();
    const value = question.answer(this.#view(trace), this.#memory);
    const earlier = this.#earlier === null ? undefined : this.#earlier.answers.#known.get(question);
    const isKnown = earlier !== undefined && question.same(earlier.value, value);
    return { value: isKnown ? earlier.value : value, trace };
  }

  /** Notes in a trace what is asked of it. */
  #view(trace: Trace): RepositoryView {
    const { listing } = this.#asked;
    const typeOf = (path: string): EntryType | undefined => {
      const type = listing.typeOf(path);
      trace.types.set(path, type);
      return type;
    };
    const hasPlace = (path: string): boolean => {
      const known = trace.places.get(path) ?? listing.hasPlace(path);
      trace.places.set(path, known);
      return known;
    };
    const listed = (selection: Selection): readonly ListedEntry[] => {
      trace.selections.add(selection);
      return listing.select(selection);
    };
    const contents = this.#textsNotedIn(trace);
    return {
      typeOf,
      listed,
      contents,
      files: { has: (path) => typeOf(path) !== undefined },
      places: { has: hasPlace },
      texts: (selection) =>
        listed(selection).flatMap(({ path }) => {
          const text = contents.get(path);
          return text === undefined ? [] : [[path, text] as const];
        }),
      parsed: <T>(path: string, parse: Parse<T>): T | undefined => {
        const text = contents.get(path);
        return text === undefined ? undefined : this.#parsed.read(parse, path, text);
      },
      ask: <T>(question: Question<T>): T => {
        const answer = this.to(question);
        trace.questions.set(question, answer);
        return answer;
      },
    };
  }

  #textsNotedIn(trace: Trace): Texts {
    const { contents, isVisible } = this.#asked;
    const get = (path: string): string | undefined => {
      trace.texts.add(path);
      const text = contents.get(path);
      return text !== undefined && isVisible(path) ? text : undefined;
    };
    return { get, has: (path) => get(path) !== undefined };
  }
}
