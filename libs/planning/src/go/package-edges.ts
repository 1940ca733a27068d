import type { UnitEdge } from '../model.ts';
import { folderOf, foldersUpwards, isWithin, resolvePath } from '../tree-paths.ts';
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

/**
 * What a package imports, and what its code names to run or build it, each once: of what is built, then of what only
 * tests have.
 */
export function edgesOfPackage(tree: GoTree, module: GoModule, each: GoPackage): UnitEdge[] {
  const edges = new Map<string, UnitEdge>();
  const add = (files: readonly GoFile[], kind: 'production' | 'test'): void => {
    const where = `${kind === 'test' ? '_test.go files' : '.go files'} of ${each.folder}`;
    const meet = (to: string | null, evidence: string): void => {
      if (to !== null && to !== each.folder && !edges.has(to)) edges.set(to, { from: each.folder, to, kind, evidence });
    };
    for (const path of new Set(files.flatMap(({ imports }) => imports))) {
      for (const target of tree.resolve(module, path).local) {
        const how = target.how === '' ? '' : `, ${target.how}`;
        meet(unitAt(tree, target.module, target.folder), `import ${path} in ${where}${how}`);
      }
    }
    for (const word of new Set(files.flatMap(wordsOf))) {
      for (const to of packagesNamed(tree, module, each.folder, word)) meet(to, `${word} in a literal in ${where}`);
    }
  };
  add(each.production, 'production');
  add(each.tests, 'test');
  return [...edges.values()];
}

/** Paths that lead out may be written in parts. */
function wordsOf({ named, outside }: GoFile): string[] {
  return [...outside.flatMap(({ path, open }) => (open ? [] : [path])), ...named];
}

/**
 * Packages that a word leads to: as a path from the package's folder, where its tests run, or from that of its module,
 * where the go command is mostly started; or as an import path. A file of a package stands for the package.
 */
function packagesNamed(tree: GoTree, module: GoModule, from: string, word: string): string[] {
  if (/^\.{1,2}\//u.test(word)) {
    const folders = [from, module.root].map((folder) => resolvePath(folder, word));
    // Folders above are looked at as a whole, if they are.
    return folders.flatMap((at) => (at === null || isWithin(from, at) ? [] : (packageAt(tree, at) ?? [])));
  }
  return tree.resolve(module, word).local.flatMap(({ folder }) => packageAt(tree, folder) ?? []);
}

/** The unit whose own folder this is, or a `.go` file in it. */
function packageAt({ modules, packages }: GoTree, path: string): string | null {
  const folder = path.endsWith('.go') ? folderOf(path) : path;
  const root = foldersUpwards(folder).find((each) => modules.has(each));
  const found = root === undefined ? undefined : packages.get(root);
  if (root === undefined || found === undefined) return null;
  return found.kind === 'whole' ? root : found.packages.has(folder) ? folder : null;
}

/** The unit that holds a folder of a module: its package, or the nearest above (below `testdata` there are no units). */
function unitAt({ packages }: GoTree, module: GoModule, folder: string): string | null {
  const found = packages.get(module.root);
  if (found?.kind !== 'packages') return module.root;
  for (let at = folder; at !== module.root && at !== '.'; at = folderOf(at)) if (found.packages.has(at)) return at;
  return found.packages.has(module.root) || folder === module.root ? module.root : null;
}

/** What tells of files in a folder that they look at everything below a folder above it. */
function foldersAbove(folder: string, files: readonly GoFile[], kind: LookingKind): string[] {
  const folders = files.flatMap(({ outside }) =>
    outside.flatMap(({ path, bare }) => {
      const at = bare === true && kind !== 'test' ? null : resolvePath(folder, path);
      return at !== null && isWithin(folder, at) ? [at] : [];
    }),
  );
  return [...new Set(folders)];
}

type LookingKind = 'production' | 'test';

/** Edges of packages that look at whole folders above them; null when that is too many to be told one by one. */
export function lookingEdges(packages: ReadonlyMap<string, GoPackage>): UnitEdge[] | null {
  const edges: UnitEdge[] = [];
  for (const { folder, production, tests } of packages.values()) {
    const look = (files: readonly GoFile[], kind: LookingKind): void => {
      for (const above of foldersAbove(folder, files, kind)) {
        const what = above === '.' ? 'the whole repository' : `everything below ${above}`;
        const evidence = `its ${kind === 'test' ? 'tests look' : 'code looks'} at ${what}`;
        for (const to of packages.keys()) {
          if (to !== folder && isWithin(to, above)) edges.push({ from: folder, to, kind, evidence });
        }
      }
    };
    look(production, 'production');
    look(tests, 'test');
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
