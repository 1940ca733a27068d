import { inFolder } from '../tree-paths.ts';
import type { GoModule } from './modules.ts';

/** Where the code behind an import path lies. */
export interface ImportTarget {
  /** Folders of the repository it may be in: of the importing module's own view, or of others' that include it. */
  readonly local: readonly { readonly module: GoModule; readonly folder: string; readonly how: string }[];
  /** Whether it comes from another module than the importing one: which version of that is chosen then matters. */
  readonly other: boolean;
}

export type ImportResolver = (from: GoModule, path: string) => ImportTarget;

const STANDARD: ImportTarget = { local: [], other: false };

/**
 * Resolves by the longest path of a module that begins the import path: the module itself, what its replacements and its
 * `go.work` bring from the repository, then what it requires. What it takes from elsewhere comes from here in the build
 * of a module that brings in both, so that counts too.
 */
export function importResolver(modules: ReadonlyMap<string, GoModule>): ImportResolver {
  const views = new Map([...modules.values()].map((module) => [module, viewOf(module, modules)]));
  const viewers = new Map<string, ReadonlyMap<string, Seen>[]>();
  for (const view of views.values()) {
    for (const root of new Set([...view.values()].map((seen) => seen.root))) {
      viewers.set(root, [...(viewers.get(root) ?? []), view]);
    }
  }
  const required = new Map(
    [...modules.values()].map((module) => [module, new Set(module.mod.requires.map(({ path }) => path))]),
  );
  const place = ({ root, how }: Seen, rest: string): ImportTarget['local'] => {
    const module = modules.get(root);
    return module === undefined ? [] : [{ module, how, folder: rest === '' ? root : inFolder(root, rest) }];
  };
  return (from, path) => {
    for (const prefix of prefixesOf(path)) {
      const rest = path.slice(prefix.length + 1);
      if (prefix === from.mod.module) return { local: place({ root: from.root, how: '' }, rest), other: false };
      const seen = views.get(from)?.get(prefix);
      if (seen !== undefined) return { local: place(seen, rest), other: true };
      const elsewhere = (viewers.get(from.root) ?? []).flatMap((view) => view.get(prefix) ?? []);
      if (elsewhere.length > 0 || required.get(from)?.has(prefix) === true) {
        return { local: elsewhere.flatMap((each) => place(each, rest)), other: true };
      }
    }
    return /^[^/]*\./u.test(path) ? { local: [], other: true } : STANDARD;
  };
}

interface Seen {
  readonly root: string;
  readonly how: string;
}

/** Modules of the repository that a module sees in place of published ones, by path. */
function viewOf(module: GoModule, modules: ReadonlyMap<string, GoModule>): Map<string, Seen> {
  const view = new Map<string, Seen>();
  for (const root of module.joined) {
    const joined = modules.get(root);
    if (joined !== undefined && root !== module.root) {
      view.set(joined.mod.module, { root, how: `joined by ${inFolder(module.workspace, 'go.work')}` });
    }
  }
  for (const { path, folder, by } of module.replaces.toReversed()) {
    if (folder !== null && modules.has(folder) && folder !== module.root)
      view.set(path, { root: folder, how: `replaced by ${by}` });
  }
  return view;
}

/** An import path has a handful of parts; of one that has hundreds only the first are looked at. */
const PARTS_MAX = 64;

/** Beginnings of a path at its slashes, the longest first. */
function prefixesOf(path: string): string[] {
  const parts = path.split('/').slice(0, PARTS_MAX);
  return parts.map((_, at) => parts.slice(0, parts.length - at).join('/'));
}
