import type { DiscoveryProblem } from '../model.ts';
import { foldersWith, type Paths, type Question, type RepositoryView } from '../tracing/repository-view.ts';
import { fileNameOf, folderOf, foldersUpwards, inFolder, isWithin } from '../tree-paths.ts';
import { readRubyManifest, type RubyManifest } from './gemfile.ts';
import { readGemfileLock, type GemfileLock } from './gemfile-lock.ts';

/** A folder with a Gemfile, a gemspec or both. */
export interface RubyProject {
  readonly root: string;
  readonly manifest: string;
  readonly gemfile: RubyManifest | null;
  /** Gems that are made here, by name. */
  readonly gems: ReadonlyMap<string, RubyManifest>;
  readonly lock: RubyLock | null;
}

export type RubyLock =
  | { readonly path: string; readonly read: GemfileLock }
  | { readonly path: string; readonly read: null; readonly reason: string };

export interface RubyTree {
  readonly snapshot: RepositoryView;
  readonly files: Paths;
  readonly projects: ReadonlyMap<string, RubyProject>;
  /** Projects by the gems they make. */
  readonly byGem: ReadonlyMap<string, RubyProject>;
  /** Roots below which there are specs, or tests, that belong to no project further down. */
  readonly specs: ReadonlySet<string>;
  readonly tests: ReadonlySet<string>;
}

const GEMFILES = ['Gemfile', 'gems.rb'];
const LOCKS: Readonly<Record<string, string>> = { Gemfile: 'Gemfile.lock', 'gems.rb': 'gems.locked' };
/** Installed, or material of tests. */
const NOT_PROJECTS =
  /(?:^|\/)(?:node_modules|vendor|\.bundle|fixtures?|testdata|templates?)\/|(?:^|\/)(?:spec|test)\/(?:\w+\/)*dummy\//u;

export function isRubyManifest(path: string): boolean {
  const name = fileNameOf(path);
  return (GEMFILES.includes(name) || /^[\w.-]+\.gemspec$/u.test(name)) && !NOT_PROJECTS.test(path);
}

const SPEC_FOLDERS = foldersWith((path) => path.endsWith('_spec.rb') && !NOT_PROJECTS.test(path));
const TEST_FOLDERS = foldersWith((path) => /_test\.rb$|\/test_[^/]*\.rb$/u.test(path) && !NOT_PROJECTS.test(path));

export function readProjects(snapshot: RepositoryView, problems: DiscoveryProblem[]): RubyTree {
  const { files, listed, ask } = snapshot;
  const projects = new Map<string, RubyProject>();
  const manifests = Map.groupBy(
    listed(isRubyManifest).map(({ path }) => path),
    folderOf,
  );
  for (const [root, paths] of manifests) {
    const project = projectOf(root, paths, snapshot, problems);
    if (project !== null) projects.set(root, project);
  }
  const byGem = new Map(
    [...projects.values()].flatMap((each) => [...each.gems.keys()].map((name) => [name, each] as const)),
  );
  const rootsOf = (folders: Question<ReadonlySet<string>>, folder: string): Set<string> => {
    const roots = [...ask(folders)].flatMap((at) => {
      const root = foldersUpwards(at).find((each) => projects.has(each));
      return root !== undefined && isWithin(at, inFolder(root, folder)) ? [root] : [];
    });
    return new Set(roots);
  };
  return {
    snapshot,
    files,
    projects,
    byGem,
    specs: rootsOf(SPEC_FOLDERS, 'spec'),
    tests: rootsOf(TEST_FOLDERS, 'test'),
  };
}

function projectOf(
  root: string,
  paths: readonly string[],
  { contents, files }: RepositoryView,
  problems: DiscoveryProblem[],
): RubyProject | null {
  const read = (path: string): RubyManifest | null => {
    const text = contents.get(path);
    if (text !== undefined) return readRubyManifest(text, root);
    const message = `${path} is too large or not text: what it describes is not planned for`;
    problems.push({ code: 'manifest_unreadable', message, path, scope: root });
    return null;
  };
  const file = GEMFILES.map((name) => inFolder(root, name)).find((path) => paths.includes(path));
  const gemfile = file === undefined ? null : read(file);
  const gems = new Map(
    paths
      .filter((path) => path.endsWith('.gemspec'))
      .flatMap((path) => {
        const spec = read(path);
        return spec === null ? [] : [[fileNameOf(path).slice(0, -'.gemspec'.length), spec] as const];
      }),
  );
  const [first] = gems.keys();
  const manifest =
    gemfile === null || file === undefined ? (first === undefined ? null : inFolder(root, `${first}.gemspec`)) : file;
  if (manifest === null) return null;
  const lockPath = inFolder(root, LOCKS[fileNameOf(manifest)] ?? 'Gemfile.lock');
  const locked = gemfile !== null && files.has(lockPath);
  return { root, manifest, gemfile, gems, lock: locked ? lockAt(lockPath, root, contents.get(lockPath)) : null };
}

function lockAt(path: string, root: string, text: string | undefined): RubyLock {
  if (text === undefined) return { path, read: null, reason: 'it is too large or not text' };
  const read = readGemfileLock(text, root);
  return read === null ? { path, read, reason: 'it is no lockfile of bundler' } : { path, read };
}
