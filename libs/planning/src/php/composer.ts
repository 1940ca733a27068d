import { hostOf } from '../javascript/locked-packages.ts';
import { parseJsonObject } from '../javascript/package-manifest.ts';
import { compileGlob } from '../glob.ts';
import { asRecord, asText, asTexts, memberOf, orderedText, sortedText, textMembers } from '../parsed-values.ts';
import { resolvePath } from '../tree-paths.ts';

/** What planning reads of a `composer.json`. */
export interface ComposerManifest {
  readonly name: string | null;
  readonly production: readonly string[];
  readonly development: readonly string[];
  /** Packages that it stands for, as the whole does for its parts. */
  readonly replaced: readonly string[];
  /** Whether a folder of the repository is a source of packages, by a repository of type `path`. */
  readonly hasPath: (folder: string) => boolean;
  readonly scripts: ReadonlyMap<string, readonly string[]>;
  readonly binaries: string;
  readonly php: string | null;
  readonly meaning: string;
}

/** Said to people and registries, never to an installation. */
const TOLD = new Set('description keywords homepage license authors support funding readme time abandoned'.split(' '));

/** Null for what is no JSON object. @param folder the one the file lies in */
export function readComposer(text: string, folder: string): ComposerManifest | null {
  const root = parseJsonObject(text);
  if (root === null) return null;
  const globs = pathRepositories(memberOf(root, 'repositories')).flatMap((url) => {
    const at = resolvePath(folder, url);
    return at === null ? [] : (compileGlob(at) ?? []);
  });
  const scripts = Object.entries(asRecord(memberOf(root, 'scripts')) ?? {}).map(
    ([name, run]) => [name, typeof run === 'string' ? [run] : (asTexts(run) ?? [])] as const,
  );
  const config = memberOf(root, 'config');
  const named = (member: string): string[] => textMembers(memberOf(root, member)).map(([name]) => name.toLowerCase());
  return {
    name: asText(memberOf(root, 'name'))?.toLowerCase() ?? null,
    production: named('require'),
    development: named('require-dev'),
    replaced: named('replace'),
    hasPath: (at) => globs.some((matches) => matches(at)),
    scripts: new Map(scripts),
    binaries: asText(memberOf(config, 'bin-dir')) ?? `${asText(memberOf(config, 'vendor-dir')) ?? 'vendor'}/bin`,
    php:
      lowest(asText(memberOf(memberOf(config, 'platform'), 'php'))) ??
      lowest(asText(memberOf(memberOf(root, 'require'), 'php'))),
    // Repositories are asked in the order in which they stand.
    meaning: orderedText(
      Object.entries(root)
        .filter(([member]) => !TOLD.has(member))
        .sort(([one], [other]) => (one < other ? -1 : 1)),
    ),
  };
}

function pathRepositories(written: unknown): string[] {
  const repositories: unknown[] = Array.isArray(written) ? written : Object.values(asRecord(written) ?? {});
  return repositories.flatMap((each) =>
    memberOf(each, 'type') === 'path' ? (asText(memberOf(each, 'url')) ?? []) : [],
  );
}

/** The first version that a constraint names: `^8.1 || ^8.2` asks for 8.1 at least. */
function lowest(constraint: string | null): string | null {
  return /^[\^~>=v\s]*(?<version>\d{1,3}(?:\.\d{1,3}){0,2})/u.exec(constraint ?? '')?.groups?.['version'] ?? null;
}

/** What `composer.lock` says of one package. */
export interface LockedComposerPackage {
  readonly identity: string;
  /** Where in the repository it lies; null for what comes from elsewhere. */
  readonly folder: string | null;
}

export interface ComposerLock {
  readonly packages: ReadonlyMap<string, LockedComposerPackage>;
  readonly platform: string;
  readonly hosts: readonly string[];
}

/** Null for what is no lockfile of composer. */
export function readComposerLock(text: string, folder: string): ComposerLock | null {
  const root = parseJsonObject(text);
  const listed = ['packages', 'packages-dev'].map((member) => memberOf(root, member));
  if (root === null || !Array.isArray(listed[0])) return null;
  const packages = new Map<string, LockedComposerPackage>();
  const hosts = new Set<string>();
  for (const each of listed.flatMap((list): unknown[] => (Array.isArray(list) ? list : []))) {
    const name = asText(memberOf(each, 'name'))?.toLowerCase() ?? null;
    if (name === null) continue;
    const dist = memberOf(each, 'dist');
    const url = asText(memberOf(dist, 'url')) ?? '';
    const at = memberOf(dist, 'type') === 'path' ? resolvePath(folder, url) : null;
    const host = at === null ? hostOf(url) : null;
    if (host !== null) hosts.add(host);
    const identity = Object.entries(asRecord(each) ?? {}).filter(([member]) => !TOLD.has(member));
    packages.set(name, { identity: sortedText(Object.fromEntries(identity)), folder: at });
  }
  const platform = sortedText(
    ['platform', 'platform-dev', 'platform-overrides'].map((member) => memberOf(root, member) ?? null),
  );
  return { packages, platform, hosts: [...hosts].sort() };
}
