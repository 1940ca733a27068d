import { NOT_TEXT, unreadable, type Lock, type LockSource } from './lock-source.ts';
import { readYarnBerryLock } from './yarn-berry-lock.ts';
import { readYarnClassicLock } from './yarn-classic-lock.ts';

/** Reads a `yarn.lock`, which is one of two formats by whoever wrote it. */
export function readYarnLock(source: LockSource): Lock {
  const { text } = source;
  if (text === undefined) return unreadable(source, NOT_TEXT);
  if (isBerryLock(text)) return readYarnBerryLock(source, text);
  if (/^# yarn lockfile v1$/mu.test(text)) return readYarnClassicLock(source, text);
  return unreadable(source, 'it says of no version of Yarn to be its');
}

export function isBerryLock(text: string): boolean {
  return /^__metadata:/mu.test(text);
}
