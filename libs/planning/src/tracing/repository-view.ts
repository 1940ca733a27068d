import type { LockMemory } from '../javascript/lock-memory.ts';
import type { EntryType, SnapshotEntry } from '../model.ts';
import { folderOf } from '../tree-paths.ts';

/**
 * A snapshot as detectors see it: paths, types, and the contents that are wanted. Whatever is asked of it is written down,
 * and what was found stands for later snapshots as long as all of that has the same answers. So ask for as little as
 * will do.
 */
export interface RepositoryView {
  /** Paths of entries. */
  readonly files: Paths;
  /** Paths of entries and of the folders around them; the root is always there. */
  readonly places: Paths;
  readonly contents: Texts;
  readonly typeOf: (path: string) => EntryType | undefined;
  /** Entries of a kind, ordered by path. */
  readonly listed: (selection: Selection) => readonly ListedEntry[];
  /** Texts of entries of a kind, ordered by path; without those that cannot be read. */
  readonly texts: (selection: Selection) => readonly (readonly [path: string, text: string])[];
  /** What a text says; undefined where it cannot be read. Parsed once for each text, however many snapshots have it. */
  readonly parsed: <T>(path: string, parse: Parse<T>) => T | undefined;
  readonly ask: <T>(question: Question<T>) => T;
}

export interface Paths {
  readonly has: (path: string) => boolean;
}

/** By path. What is too large, or not UTF-8, is missing. */
export type Texts = Pick<ReadonlyMap<string, string>, 'get' | 'has'>;

export type ListedEntry = Pick<SnapshotEntry, 'path' | 'type'>;

/** A kind of entries: a function of path and type alone, the same one whenever it is asked for. */
export type Selection = (path: string, type: EntryType) => boolean;

/** A function of path and text alone, the same one whenever it is used. */
export type Parse<T> = (text: string, path: string) => T;

/**
 * Something that is asked of many snapshots in the course of finding out more. While its answer stays the same, whatever
 * became of what it was found out from, what was concluded from it stands.
 */
export interface Question<T> {
  readonly answer: (view: RepositoryView, memory: DetectorMemory) => T;
  /** Whether two of its answers say the same. */
  readonly same: (one: unknown, other: unknown) => boolean;
}

/** What detectors keep from one snapshot to the next, beside the answers themselves. */
export interface DetectorMemory {
  readonly locks: LockMemory;
}

/** Answers that are the same only when they are one and the same. */
export function isSame(one: unknown, other: unknown): boolean {
  return one === other;
}

/** Which folders have files of a kind right in them: one more file where there is one already changes nothing. */
export function foldersWith(selection: Selection): Question<ReadonlySet<string>> {
  return { answer: (view) => new Set(view.listed(selection).map(({ path }) => folderOf(path))), same: areSameSets };
}

export function areSameSets(one: unknown, other: unknown): boolean {
  if (!(one instanceof Set) || !(other instanceof Set) || one.size !== other.size) return false;
  for (const each of one) if (!other.has(each)) return false;
  return true;
}
