import { shortHash, type CacheRequest } from '@delta-ci/contracts';
import type { SnapshotEntry, Unit, UnitCache } from '../model.ts';
import { byText } from '../tree-paths.ts';
import type { JobTerms } from './job-terms.ts';
import { staysInReach } from './workspace-paths.ts';

/** As many caches as a job of a plan may have, and paths of one. */
const CACHES_MAX = 20;
const PATHS_MAX = 100;

/** What hangs on more files than this is another thing in nearly every commit: no key of it would be met again. */
const KEY_FILES_MAX = 1_000;

/** Blob ids by path, of the files that decide what is in caches. */
export type KeyFileIds = ReadonlyMap<string, string>;

/** The ids of all key files of these units, as the tested tree has them. */
export function keyFileIds(units: readonly Unit[], entries: readonly SnapshotEntry[]): KeyFileIds {
  const wanted = new Set(units.flatMap(({ caches }) => caches.flatMap(({ keyFiles }) => keyFiles)));
  return new Map(entries.filter(({ path }) => wanted.has(path)).map(({ path, blobId }) => [path, blobId]));
}

/**
 * Caches of a job of these units, each under a key that says what decides its content: its name, where it lies, the operating
 * system, the toolchain, and the blob ids of its key files. None where no file of the tree decides what is in it: such a
 * cache would grow old and nobody would notice. What a job may do with one (those of changes that are not trusted read it at
 * most) is for the control plane to decide when it asks.
 *
 * Units that share a folder share its cache, under a key of all their files. So for a job in which commands of many units
 * join, `units` are all that could run in it: the key is then the same whichever of them a change reaches.
 */
export function cachesOf(units: readonly Unit[], { rules }: JobTerms, ids: KeyFileIds): CacheRequest[] {
  const toolchain = units.find((unit) => unit.toolchain !== null)?.toolchain ?? null;
  const toolchainText = toolchain === null ? 'any' : `${toolchain.name}@${toolchain.version.slice(0, 100)}`;
  const shared = Map.groupBy(
    units.flatMap(({ caches }) => caches),
    ({ type, name, paths }) => JSON.stringify([type, name, paths]),
  );
  return [...shared.values()]
    .flatMap(([first, ...others]): CacheRequest[] => {
      if (first === undefined || first.paths.length > PATHS_MAX || !first.paths.every(staysInReach)) return [];
      const content = contentOf([first, ...others], ids);
      if (content === null) return [];
      const key = [first.name, rules.os, toolchainText, shortHash(first.paths.join('\n')), content].join('-');
      return [{ type: first.type, key, paths: [...first.paths] }];
    })
    .slice(0, CACHES_MAX);
}

/** One text for the content of all key files; null when none of them is there, or there are too many. */
function contentOf(caches: readonly UnitCache[], ids: KeyFileIds): string | null {
  const files = [...new Set(caches.flatMap(({ keyFiles }) => keyFiles))].sort(byText);
  const known = files.flatMap((path) => ids.get(path) ?? []);
  return known.length === 0 || known.length > KEY_FILES_MAX ? null : foldedIds(known);
}

/** Odd, and with bits all over: the golden ratio's, as multiplicative hashing has it (Knuth, TAOCP 3, 6.4). */
const FACTOR = 0x9e3779b97f4a7c15n;

/**
 * One id as it is; several as one number of their length, in which each counts by its place. Blob ids are digests already, so
 * two sets that anybody has by chance come out alike as rarely as two blobs do. It is no defence against whoever wants
 * them to, and need not be: whoever wants the key of another cache of the repository can write it down.
 */
function foldedIds(ids: readonly string[]): string {
  const [only] = ids;
  if (ids.length === 1 && only !== undefined) return only;
  const digits = Math.max(...ids.map(({ length }) => length));
  const sum = ids.reduce((all, id) => BigInt.asUintN(4 * digits, all * FACTOR + BigInt(`0x${id}`)), 1n);
  return sum.toString(16).padStart(digits, '0');
}
