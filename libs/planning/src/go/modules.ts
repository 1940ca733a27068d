import type { DiscoveryProblem } from '../model.ts';
import type { RepositoryView, Selection } from '../tracing/repository-view.ts';
import { fileNameOf, folderOf, resolvePath } from '../tree-paths.ts';
import { parseGoMod, parseGoWork, type GoMod, type GoReplacement } from './module-files.ts';

/** A module of the repository. */
export interface GoModule {
  readonly root: string;
  readonly mod: GoMod;
  /** Roots of the modules of the same `go.work`, itself included; empty when none names it. */
  readonly joined: readonly string[];
  /** Folder of that `go.work`; its own root when it stands alone. */
  readonly workspace: string;
  /** Its own replacements and those of its `go.work`, which go first. */
  readonly replaces: readonly (GoReplacement & { readonly folder: string | null })[];
  /** Whether its dependencies lie in the repository, below `vendor`. */
  readonly vendored: boolean;
}

/** Vendored modules are copies, and what lies under `testdata` or begins with `_` or `.` is invisible to the go command. */
const INVISIBLE = /(?:^|\/)(?:vendor|testdata|[_.][^/]*|node_modules)\//u;

export function isVisibleToGo(path: string): boolean {
  return !INVISIBLE.test(path);
}

/** Every module, by root. What names no module is a problem. */
export function readModules(snapshot: RepositoryView, problems: DiscoveryProblem[]): Map<string, GoModule> {
  const mods = readGoMods(snapshot, problems);
  const works = readWorkspaces(snapshot, problems);
  const vendors = new Set(snapshot.listed(isVendorList).map(({ path }) => folderOf(folderOf(path))));
  const modules = [...mods].map(([root, mod]): [string, GoModule] => {
    const work = works.find(({ uses }) => uses.includes(root));
    const workspace = work?.root ?? root;
    return [
      root,
      {
        root,
        mod,
        joined: work?.uses ?? [],
        workspace,
        replaces: [...placed(work?.replaces ?? [], workspace), ...placed(mod.replaces, root)],
        vendored: vendors.has(root) || vendors.has(workspace),
      },
    ];
  });
  return new Map(modules);
}

/** With the folder that a replacement leads to; null for another module, and for what lies outside of the repository. */
function placed(replaces: readonly GoReplacement[], from: string): GoModule['replaces'] {
  return replaces.map((each) => ({
    ...each,
    folder: /^\.{1,2}(?:\/|$)/u.test(each.by) ? resolvePath(from, each.by) : null,
  }));
}

function readGoMods(snapshot: RepositoryView, problems: DiscoveryProblem[]): Map<string, GoMod> {
  const mods = new Map<string, GoMod>();
  for (const { path } of snapshot.listed(isGoMod)) {
    const mod = parseGoMod(snapshot.contents.get(path) ?? '');
    if (mod !== null) mods.set(folderOf(path), mod);
    else {
      const message = `${path} names no module: what it describes is not planned for`;
      problems.push({ code: 'manifest_unreadable', message, path, scope: folderOf(path) });
    }
  }
  return mods;
}

interface Workspace {
  readonly root: string;
  readonly uses: readonly string[];
  readonly replaces: readonly GoReplacement[];
}

function readWorkspaces(snapshot: RepositoryView, problems: DiscoveryProblem[]): Workspace[] {
  return snapshot.listed(isGoWork).map(({ path }) => {
    const root = folderOf(path);
    const text = snapshot.contents.get(path);
    if (text === undefined) {
      const message = `${path} is too large or not text: its modules are planned one by one`;
      problems.push({ code: 'workspace_unreadable', message, path, scope: root });
    }
    const { uses, replaces } = parseGoWork(text ?? '');
    return {
      root,
      replaces,
      uses: uses.map((folder) => resolvePath(root, folder)).filter((folder) => folder !== null),
    };
  });
}

const isGoMod: Selection = (path) => fileNameOf(path) === 'go.mod' && isVisibleToGo(path);
const isGoWork: Selection = (path) => fileNameOf(path) === 'go.work' && isVisibleToGo(path);
const isVendorList: Selection = (path) => path.endsWith('vendor/modules.txt');
