import type { PlannedFile } from '@delta-ci/contracts';
import type { ChangedFile } from '../model.ts';

const WORDS = {
  A: 'added',
  M: 'modified',
  D: 'deleted',
  R: 'renamed',
  C: 'copied',
  T: 'type-changed',
} as const;

/** What happened to a file, in a word. */
export function changedWord(status: ChangedFile['status']): PlannedFile['status'] {
  return WORDS[status];
}

/** A program can be run; behind a link or a submodule there may be a whole folder, of which a change names no file. */
export type Held = 'file' | 'program' | 'link' | 'submodule';

/** Where a change counts, and what lay there before and lies there now. */
export interface ChangedPlace {
  readonly path: string;
  readonly holds: ReadonlySet<Held>;
}

/** The place itself; of a renamed file the old one too, for whoever used to find it there. */
export function placesOf(change: ChangedFile): readonly [ChangedPlace, ...ChangedPlace[]] {
  const { status, path, oldPath, oldMode, newMode } = change;
  if (status !== 'R' || oldPath === undefined) return [{ path, holds: heldBy(oldMode, newMode) }];
  return [
    { path, holds: heldBy(newMode) },
    { path: oldPath, holds: heldBy(oldMode) },
  ];
}

const HELD: ReadonlyMap<string, Held> = new Map([
  ['100755', 'program'],
  ['120000', 'link'],
  ['160000', 'submodule'],
]);

const FILE: ReadonlySet<Held> = new Set(['file']);

function heldBy(...modes: readonly (string | null | undefined)[]): ReadonlySet<Held> {
  if (modes.every((mode) => mode === undefined || mode === null || mode === '100644')) return FILE;
  return new Set(modes.flatMap((mode) => (typeof mode === 'string' ? [HELD.get(mode) ?? 'file'] : [])));
}

/** Whether there may be more below a place than the change can name. */
export const hidesFiles = ({ holds }: ChangedPlace): boolean => holds.has('link') || holds.has('submodule');
