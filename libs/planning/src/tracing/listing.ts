import type { EntryType, SnapshotEntry } from '../model.ts';
import { byText, firstPlace } from '../tree-paths.ts';
import type { ListedEntry, Selection } from './repository-view.ts';

/** The entries of a snapshot, ordered by path, so that one path or folder is found among them without going through all. */
export class Listing {
  readonly entries: readonly SnapshotEntry[];
  readonly #selected = new Map<Selection, readonly ListedEntry[]>();

  private constructor(entries: readonly SnapshotEntry[]) {
    this.entries = entries;
  }

  static of(entries: readonly SnapshotEntry[]): Listing {
    return new Listing(isOrdered(entries) ? entries : entries.toSorted(byPath));
  }

  /** Takes over from a listing that differs in the paths given what was selected of it. */
  carry(before: Listing, differing: readonly string[]): void {
    const gone = new Set(differing);
    const come = [...gone].flatMap((path) => this.#at(path));
    for (const [selection, known] of before.#selected) {
      const left = known.some(({ path }) => gone.has(path)) ? known.filter(({ path }) => !gone.has(path)) : known;
      const added = come.filter(({ path, type }) => selection(path, type));
      this.#selected.set(selection, added.length === 0 ? left : [...left, ...added].sort(byPath));
    }
  }

  select(selection: Selection): readonly ListedEntry[] {
    const known = this.#selected.get(selection) ?? this.entries.filter(({ path, type }) => selection(path, type));
    this.#selected.set(selection, known);
    return known;
  }

  typeOf(path: string): EntryType | undefined {
    const entry = this.entries[this.#placeOf(path)];
    return entry?.path === path ? entry.type : undefined;
  }

  /** Whether something stands there or below. */
  hasPlace(path: string): boolean {
    if (path === '.' || this.typeOf(path) !== undefined) return true;
    return this.entries[this.#placeOf(`${path}/`)]?.path.startsWith(`${path}/`) === true;
  }

  #at(path: string): SnapshotEntry[] {
    const found: SnapshotEntry[] = [];
    for (let at = this.#placeOf(path); this.entries[at]?.path === path; at += 1) {
      const entry = this.entries[at];
      if (entry !== undefined) found.push(entry);
    }
    return found;
  }

  #placeOf(path: string): number {
    return firstPlace(this.entries.length, (at) => (this.entries[at]?.path ?? '') < path);
  }
}

function byPath(one: ListedEntry, other: ListedEntry): number {
  return byText(one.path, other.path);
}

function isOrdered(entries: readonly SnapshotEntry[]): boolean {
  let before = '';
  for (const { path } of entries) {
    if (path < before) return false;
    before = path;
  }
  return true;
}
