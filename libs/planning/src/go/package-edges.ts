import type { UnitEdge } from '../model.ts';
import { folderOf, isWithin, resolvePath } from '../tree-paths.ts';
import type { ImportResolver } from './local-imports.ts';
import type { GoModule } from './modules.ts';
import type { GoPackage, ModulePackages } from './packages.ts';
import type { GoFile } from './source-file.ts';

/** What edges are made from: every module with its packages, and how import paths resolve. */
export interface GoTree {
  readonly modules: ReadonlyMap<string, GoModule>;
  readonly packages: ReadonlyMap<string, ModulePackages>;
  readonly resolve: ImportResolver;
}

/** Imports of a package, each once: those of what is built, then those that only tests have. */
export function edgesOfPackage(tree: GoTree, module: GoModule, each: GoPackage): UnitEdge[] {
  const edges = new Map<string, UnitEdge>();
  const add = (files: readonly GoFile[], kind: 'production' | 'test'): void => {
    for (const path of new Set(files.flatMap(({ imports }) => imports))) {
      for (const target of tree.resolve(module, path).local) {
        const to = unitAt(tree, target.module, target.folder);
        if (to === null || to === each.folder || edges.has(to)) continue;
        const how = target.how === '' ? '' : `, ${target.how}`;
        const where = kind === 'test' ? '_test.go files' : '.go files';
        edges.set(to, { from: each.folder, to, kind, evidence: `import ${path} in ${where} of ${each.folder}${how}` });
      }
    }
  };
  add(each.production, 'production');
  add(each.tests, 'test');
  return [...edges.values()];
}

/** The unit that holds a folder of a module: its package, or the nearest above (below `testdata` there are no units). */
function unitAt({ packages }: GoTree, module: GoModule, folder: string): string | null {
  const found = packages.get(module.root);
  if (found?.kind !== 'packages') return module.root;
  for (let at = folder; at !== module.root && at !== '.'; at = folderOf(at)) if (found.packages.has(at)) return at;
  return found.packages.has(module.root) || folder === module.root ? module.root : null;
}

/** What tells of a package's own tests that they look at everything below a folder above it. */
export function foldersAbove({ folder, production, tests }: GoPackage): string[] {
  const folders = [...production, ...tests].flatMap(({ outside }) =>
    outside.flatMap(({ path }) => {
      const at = resolvePath(folder, path);
      return at !== null && isWithin(folder, at) ? [at] : [];
    }),
  );
  return [...new Set(folders)];
}

/** Edges of packages whose tests look at whole folders above them; null when that is too many to be told one by one. */
export function lookingEdges(packages: ReadonlyMap<string, GoPackage>): UnitEdge[] | null {
  const edges: UnitEdge[] = [];
  for (const each of packages.values()) {
    for (const above of foldersAbove(each)) {
      const evidence = `its tests look at ${above === '.' ? 'the whole repository' : `everything below ${above}`}`;
      for (const to of packages.keys()) {
        if (to !== each.folder && isWithin(to, above)) edges.push({ from: each.folder, to, kind: 'test', evidence });
      }
    }
    if (edges.length > LOOKING_EDGES_MAX) return null;
  }
  return edges;
}

/** A few tests that look at all of a large repository, not hundreds. */
const LOOKING_EDGES_MAX = 100_000;

/** A module that is planned as a whole depends on all packages of those it replaces or is joined with. */
export function edgesOfWhole({ modules, packages, resolve }: GoTree, module: GoModule): UnitEdge[] {
  const { root, mod } = module;
  return mod.requires.flatMap(({ path }) =>
    resolve(module, path).local.flatMap(({ module: target, how }) => {
      if (target.root === root || !modules.has(target.root)) return [];
      const found = packages.get(target.root);
      const units = found?.kind === 'packages' ? new Set([target.root, ...found.packages.keys()]) : [target.root];
      const evidence = `require ${path} of ${root === '.' ? '' : `${root}/`}go.mod, ${how}`;
      return [...units].map((to): UnitEdge => ({ from: root, to, kind: 'production', evidence }));
    }),
  );
}
