import type { Comparison } from './compare.ts';
import type { Difference } from './differences.ts';

/** What came of one commit. */
export type CommitOutcome =
  | { readonly kind: 'compared'; readonly comparison: Comparison }
  /** Planning refused, with the code of its refusal. */
  | { readonly kind: 'not planned'; readonly reason: string }
  | { readonly kind: 'not answered'; readonly reason: string };

/** How often something explained a difference, and where to look it up. */
export interface Explained {
  readonly count: number;
  readonly first: { readonly commit: string; readonly unit: string };
}

export interface Unexplained {
  readonly commit: string;
  readonly subject: string;
  readonly unit: string;
  readonly words: string;
}

/** A history, as the plans and one tool see it. */
export interface Tally {
  readonly commits: number;
  readonly compared: number;
  /** Commits that could not be compared, by why. */
  readonly left: Readonly<Record<string, number>>;
  /** Units that both list, added up over commits: what running everything would have been. */
  readonly listed: number;
  /** Units that the tool named and could say nothing about, likewise. */
  readonly unknown: number;
  readonly both: number;
  /** By the rule of the plan. */
  readonly oursOnly: Readonly<Record<string, number>>;
  /** By reason; several that play a part together are joined by `and`. */
  readonly theirsOnly: Readonly<Record<string, Explained>>;
  readonly unexplained: number;
  readonly firstUnexplained: Unexplained | null;
}

export const NOTHING_YET: Tally = {
  commits: 0,
  compared: 0,
  left: {},
  listed: 0,
  unknown: 0,
  both: 0,
  oursOnly: {},
  theirsOnly: {},
  unexplained: 0,
  firstUnexplained: null,
};

/** The tally with one commit more. */
export function withCommit(
  tally: Tally,
  { commit, subject }: { readonly commit: string; readonly subject: string },
  outcome: CommitOutcome,
): Tally {
  const commits = tally.commits + 1;
  if (outcome.kind !== 'compared') {
    return { ...tally, commits, left: counted(tally.left, [`${outcome.kind}: ${outcome.reason}`]) };
  }
  const { listed, unknown, both, oursOnly, theirsOnly } = outcome.comparison;
  const [first, ...more] = theirsOnly.filter(({ reasons }) => reasons.length === 0);
  const explained = theirsOnly.filter(({ reasons }) => reasons.length > 0);
  return {
    ...tally,
    commits,
    compared: tally.compared + 1,
    listed: tally.listed + listed,
    unknown: tally.unknown + unknown,
    both: tally.both + both.length,
    oursOnly: counted(
      tally.oursOnly,
      oursOnly.map(({ rule }) => rule),
    ),
    theirsOnly: explained.reduce((all, each) => withExplained(all, commit, each), tally.theirsOnly),
    unexplained: tally.unexplained + (first === undefined ? 0 : 1 + more.length),
    firstUnexplained:
      tally.firstUnexplained ??
      (first === undefined ? null : { commit, subject, unit: first.unit, words: first.words }),
  };
}

function counted(counts: Readonly<Record<string, number>>, names: readonly string[]): Readonly<Record<string, number>> {
  const result = { ...counts };
  for (const name of names) result[name] = (result[name] ?? 0) + 1;
  return result;
}

function withExplained(
  all: Tally['theirsOnly'],
  commit: string,
  { unit, reasons }: Difference,
): Readonly<Record<string, Explained>> {
  const name = reasons.join(' and ');
  const known = all[name] ?? { count: 0, first: { commit, unit } };
  return { ...all, [name]: { ...known, count: known.count + 1 } };
}

/** How often each reason explained a difference. */
export const countsOf = (explained: Tally['theirsOnly']): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(explained).map(([name, { count }]) => [name, count]));

export const sumOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);
