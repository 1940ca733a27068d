import type { EntryType } from '../model.ts';
import { foldersUpwards } from '../tree-paths.ts';
import type { Difference } from './difference.ts';
import type { Listing } from './listing.ts';
import type { Question, Selection } from './repository-view.ts';

/** Everything that was asked of a snapshot until a question was answered, and what the answers were. */
export interface Trace {
  readonly types: Map<string, EntryType | undefined>;
  readonly places: Map<string, boolean>;
  readonly selections: Set<Selection>;
  readonly texts: Set<string>;
  readonly questions: Map<Question<unknown>, unknown>;
}

export function emptyTrace(): Trace {
  return { types: new Map(), places: new Map(), selections: new Set(), texts: new Set(), questions: new Map() };
}

/** What a trace is held against: a later snapshot, and where it differs from the one that was asked. */
export interface Later {
  readonly before: Listing;
  readonly after: Listing;
  readonly difference: Difference;
  /** The answer to a question there; the very same as before when it says the same. */
  readonly answer: (question: Question<unknown>) => unknown;
}

/**
 * Whether everything that was asked has the same answer in a later snapshot, so that what was concluded stands too: what is
 * asked first is always the same, and what is asked then depends on nothing but earlier answers.
 */
export function holds(trace: Trace, later: Later): boolean {
  const { listed, contents } = later.difference;
  if (contents.some((path) => trace.texts.has(path))) return false;
  if (!listed.every((path) => isAsBefore(path, trace, later))) return false;
  for (const [question, answer] of trace.questions) if (later.answer(question) !== answer) return false;
  return true;
}

/** Whether nobody asked about a path that came, went or is of another type now, or has another answer for it. */
function isAsBefore(path: string, trace: Trace, { before, after }: Later): boolean {
  const [earlier, now] = [before.typeOf(path), after.typeOf(path)];
  if (trace.types.has(path) && trace.types.get(path) !== now) return false;
  const isSelected = (selection: Selection): boolean =>
    (earlier !== undefined && selection(path, earlier)) || (now !== undefined && selection(path, now));
  for (const selection of trace.selections) if (isSelected(selection)) return false;
  return foldersUpwards(path).every((each) => {
    const known = trace.places.get(each);
    return known === undefined || known === after.hasPlace(each);
  });
}
