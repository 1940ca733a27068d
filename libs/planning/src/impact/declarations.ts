import type { JobKind } from '@delta-ci/contracts';
import { compileGlobList, compileGlobListBelow, literalFolderOf, type PathMatcher } from '../glob.ts';
import type { Unit } from '../model.ts';
import { byText, foldersUpwards } from '../tree-paths.ts';

/** A unit that declares to read a path, with which of its commands, and where that is written. */
export interface Declaration {
  readonly unit: Unit;
  readonly kinds: 'all' | readonly JobKind[];
  readonly evidence: string;
  /** The patterns it is declared with. */
  readonly paths: readonly string[];
  readonly meaning: string | null;
  readonly also: boolean;
}

/** Declarations by path, ordered by unit. */
export interface Declarations {
  /** Every one that a path falls under. */
  readonly of: (path: string) => readonly Declaration[];
  /** Every one that paths below a folder can fall under. */
  readonly below: (folder: string) => readonly Declaration[];
}

/** Lists of patterns that are written alike, whoever they belong to: compiled and matched once for all. */
interface Declared {
  readonly matches: PathMatcher;
  readonly matchesBelow: PathMatcher;
  readonly by: Declaration[];
}

/**
 * What units declare, found by path. A list of patterns is looked at only for paths below a folder that one of its
 * patterns begins with, so that a thousand units with lists of their own cost a path no more than one.
 */
export function declarationsIn(units: readonly Unit[]): Declarations {
  const lists = new Map<string, Declared>();
  const byFolder = new Map<string, Set<Declared>>();
  const belowFolder = new Map<string, Set<Declared>>();
  for (const unit of units) {
    for (const { paths, kinds, evidence, meaning = null, also = false } of unit.inputs) {
      const key = paths.join('\n');
      const known = lists.get(key);
      const declared = known ?? {
        matches: compileGlobList(paths, 'matches'),
        matchesBelow: compileGlobListBelow(paths, 'matches'),
        by: [],
      };
      declared.by.push({ unit, kinds, evidence, paths, meaning, also });
      if (known !== undefined) continue;
      lists.set(key, declared);
      for (const folder of foldersOf(paths)) {
        addTo(byFolder, folder, declared);
        for (const above of foldersUpwards(folder)) addTo(belowFolder, above, declared);
      }
    }
  }
  return {
    of: (path) => found(byFolder, path),
    below: (folder) => {
      const around = foldersUpwards(folder).flatMap((each) => [...(byFolder.get(each) ?? [])]);
      const near = new Set([...around, ...(belowFolder.get(folder) ?? [])]);
      return byUnit([...near].filter(({ matchesBelow }) => matchesBelow(folder)));
    },
  };
}

function addTo(index: Map<string, Set<Declared>>, folder: string, declared: Declared): void {
  const known = index.get(folder);
  if (known === undefined) index.set(folder, new Set([declared]));
  else known.add(declared);
}

function foldersOf(paths: readonly string[]): Set<string> {
  return new Set(paths.filter((pattern) => !pattern.startsWith('!')).map(literalFolderOf));
}

function found(byFolder: ReadonlyMap<string, ReadonlySet<Declared>>, path: string): Declaration[] {
  const lists = new Set(foldersUpwards(path).flatMap((folder) => [...(byFolder.get(folder) ?? [])]));
  return byUnit([...lists].filter(({ matches }) => matches(path)));
}

function byUnit(lists: readonly Declared[]): Declaration[] {
  return lists.flatMap(({ by }) => by).sort((one, other) => byText(one.unit.id, other.unit.id));
}
