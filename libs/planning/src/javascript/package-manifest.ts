import { asRecord, asText, asTexts, memberOf, orderedText, sortedText, textMembers } from '../parsed-values.ts';

/** What planning reads of a `package.json`. */
export interface PackageManifest {
  readonly name: string | null;
  readonly scripts: ReadonlyMap<string, string>;
  readonly dependencies: readonly DeclaredDependency[];
  /** Globs of members; null when the package is no workspace root by its own words. */
  readonly workspaces: readonly string[] | null;
  /** Which Node it asks for, and where: what Volta pins before the range that is supported. */
  readonly nodeVersion: { readonly range: string; readonly member: string } | null;
  /** For instance `pnpm@9.1.0`. */
  readonly packageManager: string | null;
  /** What the manifest says to Nx; undefined when nothing. */
  readonly nx: unknown;
  /** Everything that can change what is built or run, as comparable text. */
  readonly meaning: string;
  /** Of that, what members of a workspace notice when the package is its root; which packages they get is apart. */
  readonly workspaceMeaning: () => string;
  /** Settings of tools that stand in the manifest itself, as text to look for names in. */
  readonly settings: () => string;
}

export interface DeclaredDependency {
  readonly name: string;
  readonly range: string;
  readonly kind: 'production' | 'development' | 'optional' | 'peer';
}

const DEPENDENCY_MEMBERS = [
  ['dependencies', 'production'],
  ['devDependencies', 'development'],
  ['optionalDependencies', 'optional'],
  ['peerDependencies', 'peer'],
] as const;

/** Said to people and registries, never to a build. `version` is among them: no build of ours publishes. */
const WITHOUT_MEANING = new Set(
  'version description keywords homepage bugs license author contributors maintainers funding repository'.split(' '),
);

/** Members whose order is part of their meaning: conditions are tried from the first to the last. */
const ORDERED = new Set(['exports', 'imports']);

const DEPENDENCY_NAMES = DEPENDENCY_MEMBERS.map(([name]) => name);
const NOT_OF_MEMBERS = new Set(['name', 'scripts', ...DEPENDENCY_NAMES]);
const NOT_SETTINGS = new Set([...NOT_OF_MEMBERS, ...WITHOUT_MEANING, 'overrides', 'resolutions', 'pnpm']);

/** Null when the text is not a JSON object. */
export function parsePackageManifest(text: string): PackageManifest | null {
  const root = parseJsonObject(text);
  if (root === null) return null;
  const member = (name: string): unknown => memberOf(root, name);
  return {
    name: asText(member('name')),
    scripts: new Map(textMembers(member('scripts'))),
    dependencies: DEPENDENCY_MEMBERS.flatMap(([name, kind]) =>
      textMembers(member(name)).map(([dependency, range]) => ({ name: dependency, range, kind })),
    ),
    workspaces: asTexts(member('workspaces')) ?? asTexts(memberOf(member('workspaces'), 'packages')),
    nodeVersion: nodeVersionOf(root),
    packageManager: asText(member('packageManager')),
    nx: member('nx'),
    meaning: meaningOf(root, new Set()),
    workspaceMeaning: () => meaningOf(root, NOT_OF_MEMBERS),
    settings: () => orderedText(Object.entries(root).filter(([name]) => !NOT_SETTINGS.has(name))),
  };
}

function nodeVersionOf(root: unknown): PackageManifest['nodeVersion'] {
  const places = ['volta', 'engines'].map((member) => ({
    range: asText(memberOf(memberOf(root, member), 'node')),
    member: `${member}.node`,
  }));
  return places.flatMap(({ range, member }) => (range === null ? [] : [{ range, member }]))[0] ?? null;
}

function meaningOf(root: Readonly<Record<string, unknown>>, without: ReadonlySet<string>): string {
  const names = Object.keys(root).sort();
  const kept = names.filter((name) => !WITHOUT_MEANING.has(name) && !without.has(name));
  return JSON.stringify(
    kept.map((name) => [name, ORDERED.has(name) ? orderedText(root[name]) : sortedText(root[name])]),
  );
}

/** For a folder that has no `package.json` and is described otherwise: nothing is installed for it, and no script run in it. */
export function manifestOtherwise(name: string | null, meaning: string): PackageManifest {
  return {
    name,
    scripts: new Map(),
    dependencies: [],
    workspaces: null,
    nodeVersion: null,
    packageManager: null,
    nx: undefined,
    meaning,
    workspaceMeaning: () => meaning,
    settings: () => '',
  };
}

/** Null when the text is no JSON or no object. A byte order mark, which some editors write, is allowed. */
export function parseJsonObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/u, ''));
    return asRecord(value);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
