import type { DeclaredInput, Discovery, DiscoveryProblem, ExternalClosure, Unit, UnitEdge } from '../model.ts';
import type { Paths, RepositoryView } from '../tracing/repository-view.ts';
import { plainUnit } from '../plain-unit.ts';
import { commandsOf } from '../php/commands.ts';
import { readComposer, readComposerLock, type ComposerLock, type ComposerManifest } from '../php/composer.ts';
import { pinnedVersion } from '../tool-versions.ts';
import { fileNameOf, folderOf, foldersUpwards, inFolder, isWithin } from '../tree-paths.ts';
import type { Detector } from './detector.ts';

/** Packages and programs of PHP, as composer installs them. */
export const phpDetector: Detector = {
  ecosystem: 'php',
  lookedFor: 'composer.json (PHP packages)',
  wants: (path) => isManifest(path) || READ.test(fileNameOf(path)),
  condense: null,
  detect,
};

const READ = /^(?:composer\.lock|\.php-version|\.tool-versions|phpstan(?:\.dist)?\.neon(?:\.dist)?)$/u;

/** Installed, or material of tests. */
const NOT_PACKAGES = /(?:^|\/)(?:vendor|node_modules|fixtures?|testdata|stubs?)\//iu;

function isManifest(path: string): boolean {
  return fileNameOf(path) === 'composer.json' && !NOT_PACKAGES.test(path);
}

interface PhpPackage {
  readonly root: string;
  readonly manifest: ComposerManifest;
  readonly lockPath: string | null;
  /** Null where there is none, or none that can be read. */
  readonly lock: ComposerLock | null;
}

function detect(snapshot: RepositoryView): Discovery {
  const problems: DiscoveryProblem[] = [];
  const { files } = snapshot;
  const packages = new Map<string, PhpPackage>();
  for (const { path } of snapshot.listed(isManifest)) {
    const root = folderOf(path);
    const manifest = readComposer(snapshot.contents.get(path) ?? '', root);
    if (manifest === null) {
      const message = `${path} is not a JSON object that can be read: what it describes is not planned for`;
      problems.push({ code: 'manifest_unreadable', message, path, scope: root });
      continue;
    }
    const lockPath = files.has(inFolder(root, 'composer.lock')) ? inFolder(root, 'composer.lock') : null;
    const lock = lockPath === null ? null : readComposerLock(snapshot.contents.get(lockPath) ?? '', root);
    packages.set(root, { root, manifest, lockPath, lock });
  }
  const all = [...packages.values()];
  return {
    units: all.map((each) => unitOf(each, snapshot, files, [...packages.keys()])),
    edges: all.flatMap((each) => edgesOf(each, packages)),
    problems,
  };
}

/** Packages that come by a path: as the lockfile has them, or as a repository of type `path` offers what is asked for. */
function edgesOf(
  { root, manifest, lock, lockPath }: PhpPackage,
  packages: ReadonlyMap<string, PhpPackage>,
): UnitEdge[] {
  const edge = (to: string, kind: UnitEdge['kind'], evidence: string): UnitEdge[] =>
    to === root || !packages.has(to) ? [] : [{ from: root, to, kind, evidence }];
  const locked = [...(lock?.packages ?? [])].flatMap(([name, { folder }]) =>
    folder === null ? [] : edge(folder, 'production', `${name} by path in ${lockPath ?? ''}`),
  );
  const offered = [...packages.values()].filter(({ root: at }) => manifest.hasPath(at));
  const named = (names: readonly string[], kind: UnitEdge['kind']): UnitEdge[] =>
    offered
      .filter((other) => other.manifest.name !== null && names.includes(other.manifest.name))
      .flatMap((other) => edge(other.root, kind, `${other.manifest.name ?? ''} in ${inFolder(root, 'composer.json')}`));
  const parts = [...packages.values()].filter((other) => manifest.replaced.includes(other.manifest.name ?? ''));
  const whole = parts.flatMap((part) => edge(part.root, 'workspace', `${part.manifest.name ?? ''} is a part of it`));
  return [
    ...locked,
    ...whole,
    ...named(manifest.production, 'production'),
    ...named(manifest.development, 'development'),
  ];
}

function unitOf(each: PhpPackage, { contents }: RepositoryView, files: Paths, roots: readonly string[]): Unit {
  const { root, manifest, lock, lockPath } = each;
  const path = inFolder(root, 'composer.json');
  const locked = new Set(lock?.packages.keys());
  const has = (name: string): boolean =>
    locked.has(name) || manifest.development.includes(name) || manifest.production.includes(name);
  const commands = commandsOf({ root, manifest, has, files, contents });
  const pinned = pinnedVersion(contents, root, 'php', '.php-version');
  const version = pinned?.version ?? (manifest.php === null ? null : `>=${manifest.php}`);
  const installs = commands.length > 0;
  const pins = foldersUpwards(root).map((folder) => inFolder(folder, '.php-version'));
  return {
    ...plainUnit({ root, ecosystem: 'php', manifest: path }),
    name: manifest.name ?? root,
    meaning: manifest.meaning,
    // A file for tools alone makes nobody the owner of what lies around it.
    workspaceMeaning: installs ? null : '',
    closure: closureOf(each),
    commands,
    inputs: [
      ...(installs ? inputsBelow(root, roots) : []),
      ...pins.flatMap((pin): DeclaredInput[] =>
        files.has(pin) ? [{ paths: [pin], kinds: 'all', evidence: 'it says what it is run with' }] : [],
      ),
    ],
    caches: installs
      ? [{ type: 'deps', name: 'composer', paths: ['~/.cache/composer'], keyFiles: [lockPath ?? path] }]
      : [],
    install: installs
      ? [{ name: 'install', run: 'composer install --no-interaction --no-progress --prefer-dist', workdir: root }]
      : [],
    hosts: installs ? hostsOf(lock) : [],
    env: { CI: 'true' },
    toolchain: version === null ? null : { name: 'php', version, evidence: pinned?.path ?? path },
  };
}

/** Tools go by the folders that they are set up for, whoever has what lies in these. */
function inputsBelow(root: string, roots: readonly string[]): DeclaredInput[] {
  const below = roots
    .filter((folder) => folder !== root && isWithin(folder, root))
    .map((folder) => `${folder}/**/*.php`);
  return below.length === 0
    ? []
    : [{ paths: below, kinds: 'all', also: true, evidence: 'its tools may look at all that lies below' }];
}

function closureOf({ lock, lockPath }: PhpPackage): ExternalClosure {
  if (lockPath === null) return { kind: 'none' };
  if (lock === null) return { kind: 'unreadable', lockfile: lockPath, reason: 'it is no lockfile of composer' };
  const external = [...lock.packages].flatMap(([name, { identity, folder }]): [string, string][] =>
    folder === null ? [[name, identity]] : [],
  );
  return { kind: 'resolved', lockfile: lockPath, packages: new Map([...external, ['(platform)', lock.platform]]) };
}

/** As many as a lockfile reasonably names. */
const HOSTS_MAX = 20;

/** Archives of packages lie at GitHub mostly, which sends from its own interface to where they are. */
function hostsOf(lock: ComposerLock | null): string[] {
  const named = lock?.hosts ?? ['api.github.com'];
  const archives = named.includes('api.github.com') ? ['codeload.github.com'] : [];
  return [...new Set(['repo.packagist.org', ...named, ...archives])].sort().slice(0, HOSTS_MAX);
}
