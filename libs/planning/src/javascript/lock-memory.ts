import type { Lock, LockSource } from './lock-source.ts';
import type { PackageManager } from './package-managers.ts';

interface KeptLock {
  readonly manager: PackageManager['name'];
  readonly source: LockSource;
  readonly lock: Lock;
}

/** Characters of lockfiles, together: read, each takes some ten times as much as its text. */
const CHARACTERS_MAX = 6_000_000;

/**
 * Lockfiles that were read, for snapshots that have the same ones: most commits touch none, and reading one may take longer than
 * all the rest. What was read depends on nothing but what it was read from, so it is never out of date.
 */
export class LockMemory {
  #kept: readonly KeptLock[] = [];

  /** As `manager.readLock`. */
  read(manager: PackageManager, source: LockSource): Lock {
    const known = this.#kept.find((kept) => kept.manager === manager.name && isSame(kept.source, source));
    const lock = known?.lock ?? manager.readLock(source);
    this.#keep(known ?? { manager: manager.name, source, lock });
    return lock;
  }

  /** The one used last first, and as many behind it as there is room for. */
  #keep(used: KeptLock): void {
    let characters = 0;
    this.#kept = [used, ...this.#kept.filter((kept) => kept !== used)].filter(({ source }) => {
      characters += source.text?.length ?? 0;
      return characters <= CHARACTERS_MAX;
    });
  }
}

function isSame(one: LockSource, other: LockSource): boolean {
  return (
    one.path === other.path &&
    one.workspace === other.workspace &&
    one.text === other.text &&
    isSameSet(one.roots, other.roots) &&
    isSameSet(one.names, other.names)
  );
}

function isSameSet(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((each) => other.has(each));
}
