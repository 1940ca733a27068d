import type { ChangedFile } from './raw-diff.ts';
import { entryTypeOf, type TreeEntry } from './tree-listing.ts';

/** A listing after changes: what stands in it, what of that is new or other than before, and what is no longer as it was. */
export interface CarriedEntries {
  readonly entries: readonly TreeEntry[];
  readonly changed: readonly TreeEntry[];
  readonly gone: ReadonlySet<string>;
}

/** Ordered by UTF-16 code units of the path, whatever order git has. */
export function inOrder(entries: readonly TreeEntry[]): readonly TreeEntry[] {
  return entries.toSorted(byPath);
}

function byPath(one: { readonly path: string }, other: { readonly path: string }): number {
  return one.path < other.path ? -1 : one.path > other.path ? 1 : 0;
}

/**
 * Applies a difference to the ordered listing it was taken from. Null when it does not fit: a path changes that is not
 * there, is added twice, or the tree holds one name twice. Git refuses to make such trees and reads them when others did.
 */
export function carriedEntries(before: readonly TreeEntry[], changes: readonly ChangedFile[]): CarriedEntries | null {
  const edits = editsOf(changes);
  if (edits === null) return null;
  const parts: (readonly TreeEntry[])[] = [];
  const paths = [...edits.keys()].sort();
  let at = 0;
  for (const path of paths) {
    const place = placeOf(before, path, at);
    const known = before[place]?.path === path;
    const { had, entry } = edits.get(path) ?? NO_EDIT;
    if (known !== had || before[place + 1]?.path === path) return null;
    parts.push(before.slice(at, place), entry === null ? [] : [entry]);
    at = known ? place + 1 : place;
  }
  parts.push(before.slice(at));
  const changed = paths.flatMap((path) => edits.get(path)?.entry ?? []);
  return { entries: parts.flat(), changed, gone: new Set(paths) };
}

interface Edit {
  /** Whether the path was there before. */
  readonly had: boolean;
  /** What is there now; null when nothing is. */
  readonly entry: TreeEntry | null;
}

const NO_EDIT: Edit = { had: false, entry: null };

function editsOf(changes: readonly ChangedFile[]): Map<string, Edit> | null {
  const edits = new Map<string, Edit>();
  for (const change of changes) {
    const { path, oldPath, newBlobId, newMode } = change;
    if (change.status === 'R' && oldPath !== undefined) {
      // What was moved away may be replaced at once by something else.
      const known = edits.get(oldPath);
      if (known?.had === true) return null;
      edits.set(oldPath, { had: true, entry: known?.entry ?? null });
    }
    const type = newMode === null ? undefined : entryTypeOf(newMode);
    if (newMode !== null && (type === undefined || newBlobId === null)) return null;
    const entry =
      newMode === null || type === undefined ? null : { path, mode: newMode, type, blobId: newBlobId ?? '' };
    const isNew = change.status === 'A' || change.status === 'R' || change.status === 'C';
    const known = edits.get(path);
    if (known !== undefined && !(known.entry === null && isNew)) return null;
    edits.set(path, { had: known?.had ?? !isNew, entry });
  }
  return edits;
}

/** Where `path` stands, or would stand, in an ordered list, looked for from a place on. */
function placeOf(entries: readonly TreeEntry[], path: string, from: number): number {
  let [low, high] = [from, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.path ?? '') < path) low = middle + 1;
    else high = middle;
  }
  return low;
}
