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

/** Where a change counts: a renamed file at its old place too, for whoever used to find it there. */
export function placesOf({ status, path, oldPath }: ChangedFile): string[] {
  return status === 'R' && oldPath !== undefined ? [path, oldPath] : [path];
}
