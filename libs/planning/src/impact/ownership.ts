import type { Unit } from '../model.ts';
import { foldersUpwards } from '../tree-paths.ts';

/** Units with the longest root that contains a path; several where ecosystems share a folder, none for shared files. */
export type Owners = (path: string) => readonly Unit[];

export function ownersIn(units: readonly Unit[]): Owners {
  const byRoot = new Map<string, Unit[]>();
  for (const unit of units) byRoot.set(unit.root, [...(byRoot.get(unit.root) ?? []), unit]);
  // The path itself first: a submodule or a link may stand where a unit's folder stood.
  return (path) => {
    const root = foldersUpwards(path).find((folder) => byRoot.has(folder));
    return root === undefined ? [] : (byRoot.get(root) ?? []);
  };
}
