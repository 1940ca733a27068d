import type { RepositorySnapshot, SnapshotEntry } from '../model.ts';

/** Where two snapshots differ in what discovery may look at. */
export interface Difference {
  /** Paths that only one of them has, or that are of another type. */
  readonly listed: readonly string[];
  /** Paths whose contents differ, or are there in one of them only. */
  readonly contents: readonly string[];
}

/** Snapshots that differ in more are not worth comparing to their end. */
const DIFFERENCES_MAX = 2_000;

export const sizeOf = ({ listed, contents }: Difference): number => listed.length + contents.length;

/** Of two snapshots whose entries are ordered by path; null when they differ in very much. */
export function differenceBetween(one: RepositorySnapshot, other: RepositorySnapshot): Difference | null {
  const listed = listedDifferences(one.entries, other.entries);
  const contents = listed === null ? null : contentDifferences(one.contents, other.contents);
  return listed === null || contents === null ? null : { listed, contents };
}

/** Goes through two ordered listings side by side. Where one path stands twice it is compared as often. */
function listedDifferences(one: readonly SnapshotEntry[], other: readonly SnapshotEntry[]): string[] | null {
  if (one === other) return [];
  const differing: string[] = [];
  let [left, right] = [0, 0];
  while (left < one.length || right < other.length) {
    const [before, after] = [one[left], other[right]];
    if (before === after) {
      left += 1;
      right += 1;
      continue;
    }
    const beforeFirst = after === undefined || (before !== undefined && before.path < after.path);
    const afterFirst = before === undefined || (after !== undefined && after.path < before.path);
    if (beforeFirst) left += 1;
    else if (afterFirst) right += 1;
    else {
      left += 1;
      right += 1;
      if (before?.type === after?.type) continue;
    }
    differing.push((beforeFirst ? before : after)?.path ?? '');
    if (differing.length > DIFFERENCES_MAX) return null;
  }
  return differing;
}

function contentDifferences(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): string[] | null {
  if (one === other) return [];
  const differing: string[] = [];
  for (const [path, text] of other) if (one.get(path) !== text) differing.push(path);
  if (differing.length > DIFFERENCES_MAX) return null;
  for (const path of one.keys()) if (!other.has(path)) differing.push(path);
  return differing.length > DIFFERENCES_MAX ? null : differing;
}
