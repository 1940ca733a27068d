import type { DependencyKind } from '../model.ts';
import { asRecord, asText, asTexts, memberOf, sortedText, type ParsedRecord } from '../parsed-values.ts';
import { parseToml } from '../toml-text.ts';
import { folderOf, resolvePath } from '../tree-paths.ts';

/** What planning reads of a `Cargo.toml`. */
export interface CargoManifest {
  readonly path: string;
  /** Folder of the manifest. */
  readonly root: string;
  readonly text: ParsedRecord;
  /** Null for a virtual manifest, which describes a workspace and no package. */
  readonly packageName: string | null;
  /** Null when the manifest is no root of a workspace. */
  readonly workspace: CargoWorkspaceTable | null;
  /** Folder of the workspace it says it belongs to. */
  readonly workspacePointer: string | null;
  readonly dependencies: readonly CargoDependency[];
  /** Packages that stand in for others of their name, wherever they are required, by the folder they lie in. */
  readonly patches: readonly { readonly name: string; readonly folder: string; readonly table: string }[];
  readonly features: ReadonlySet<string>;
}

export interface CargoWorkspaceTable {
  readonly members: readonly string[];
  readonly exclude: readonly string[];
  readonly dependencies: ParsedRecord;
  readonly package: ParsedRecord;
  readonly lints: unknown;
}

export interface CargoDependency {
  /** What code calls it. */
  readonly name: string;
  readonly kind: DependencyKind;
  /** The table it stands in. */
  readonly table: string;
  /** Whether the root of the workspace says what it is. */
  readonly inherited: boolean;
  readonly written: unknown;
}

/** What a dependency is once what it inherits is known. */
export interface CargoSource {
  /** The name it is published under. */
  readonly package: string;
  /** Folder of the repository it comes from; null when it comes from elsewhere. */
  readonly folder: string | null;
  readonly git: string | null;
  /** What version of it is asked for, as written. */
  readonly version: string | null;
}

/** Null when the text is not TOML, or describes neither a package nor a workspace. */
export function parseCargoManifest(path: string, content: string | undefined): CargoManifest | null {
  const text = content === undefined ? null : parseToml(content);
  if (text === null) return null;
  const root = folderOf(path);
  const described = asRecord(memberOf(text, 'package')) ?? asRecord(memberOf(text, 'project'));
  const workspace = asRecord(memberOf(text, 'workspace'));
  if (described === null && workspace === null) return null;
  const pointer = asText(memberOf(described, 'workspace'));
  return {
    path,
    root,
    text,
    packageName: described === null ? null : asText(memberOf(described, 'name')),
    workspace: workspace === null ? null : workspaceTable(workspace),
    workspacePointer: pointer === null ? null : resolvePath(root, pointer),
    dependencies: dependenciesOf(text),
    patches: patchesOf(root, text),
    features: new Set(Object.keys(asRecord(memberOf(text, 'features')) ?? {})),
  };
}

function workspaceTable(table: ParsedRecord): CargoWorkspaceTable {
  return {
    members: asTexts(table['members']) ?? [],
    exclude: asTexts(table['exclude']) ?? [],
    dependencies: asRecord(table['dependencies']) ?? {},
    package: asRecord(table['package']) ?? {},
    lints: memberOf(table, 'lints'),
  };
}

const DEPENDENCY_TABLES = [
  ['dependencies', 'production'],
  ['dev-dependencies', 'development'],
  ['dev_dependencies', 'development'],
  ['build-dependencies', 'build'],
  ['build_dependencies', 'build'],
] as const;

function dependenciesOf(text: ParsedRecord): CargoDependency[] {
  const targets = Object.entries(asRecord(memberOf(text, 'target')) ?? {});
  const places: [where: string, tables: unknown][] = [
    ['', text],
    ...targets.map(([cfg, tables]): [string, unknown] => [`target.${cfg}.`, tables]),
  ];
  return places.flatMap(([where, tables]) =>
    DEPENDENCY_TABLES.flatMap(([table, kind]) => dependenciesIn(`${where}${table}`, memberOf(tables, table), kind)),
  );
}

function dependenciesIn(table: string, found: unknown, kind: DependencyKind): CargoDependency[] {
  return Object.entries(asRecord(found) ?? {}).map(([name, written]) => ({
    name,
    kind: kind === 'production' && memberOf(written, 'optional') === true ? 'optional' : kind,
    table,
    inherited: memberOf(written, 'workspace') === true,
    written,
  }));
}

function patchesOf(root: string, text: ParsedRecord): CargoManifest['patches'] {
  const patched = Object.entries(asRecord(memberOf(text, 'patch')) ?? {}).map(([source, found]): [string, unknown] => [
    `patch.${source}`,
    found,
  ]);
  return [...patched, ['replace', memberOf(text, 'replace')] as const].flatMap(([table, found]) =>
    Object.entries(asRecord(found) ?? {}).flatMap(([key, written]) => {
      const reference = asText(memberOf(written, 'path'));
      const folder = reference === null ? null : resolvePath(root, reference);
      // Keys of `replace` are `name:version`.
      const name = asText(memberOf(written, 'package')) ?? key.replace(/[:@].*$/u, '');
      return folder === null ? [] : [{ name, folder, table }];
    }),
  );
}

/** Where a dependency of a package comes from; `workspace` is the root it inherits from, if any. */
export function sourceOf(
  manifest: CargoManifest,
  dependency: CargoDependency,
  workspace: CargoManifest | null,
): CargoSource {
  const { name, inherited } = dependency;
  const table = workspace?.workspace ?? null;
  const written = inherited && table !== null ? memberOf(table.dependencies, name) : dependency.written;
  const at = inherited && workspace !== null ? workspace.root : manifest.root;
  const reference = asText(memberOf(written, 'path'));
  return {
    package: asText(memberOf(written, 'package')) ?? name,
    folder: reference === null ? null : resolvePath(at, reference),
    git: asText(memberOf(written, 'git')),
    version: asText(written) ?? asText(memberOf(written, 'version')),
  };
}

/** A member of the package table, or what the workspace says it is. */
export function packageField(manifest: CargoManifest, name: string, workspace: CargoManifest | null): unknown {
  const own = memberOf(memberOf(manifest.text, 'package') ?? memberOf(manifest.text, 'project'), name);
  return memberOf(own, 'workspace') === true ? memberOf(workspace?.workspace?.package, name) : own;
}

/** Said to people and registries, never to a build. The version counts only where it is asked for: see the units. */
const WITHOUT_MEANING = new Set(
  'version authors description documentation readme homepage repository license license-file keywords categories publish include exclude workspace'.split(
    ' ',
  ),
);

/** Everything that can change what a package is built to, as comparable text: without its workspace's part of it. */
export function meaningOf({ text }: CargoManifest): string {
  const kept = Object.entries(text).filter(([name]) => name !== 'workspace');
  return sortedText(
    Object.fromEntries(
      kept.map(([name, value]) => [name, name === 'package' || name === 'project' ? meantOf(value) : value]),
    ),
  );
}

function meantOf(table: unknown): ParsedRecord {
  return Object.fromEntries(Object.entries(asRecord(table) ?? {}).filter(([name]) => !WITHOUT_MEANING.has(name)));
}

/** What of a member's description stands in the manifest of its workspace, as comparable text. */
export function inheritedBy(manifest: CargoManifest, workspace: CargoManifest): string {
  const table = workspace.workspace;
  const fields = Object.keys(asRecord(memberOf(manifest.text, 'package')) ?? {});
  const meant = fields
    .filter((name) => !WITHOUT_MEANING.has(name))
    .map((name) => [name, packageField(manifest, name, workspace)]);
  const inherited = manifest.dependencies.filter((dependency) => dependency.inherited);
  const lints = memberOf(memberOf(manifest.text, 'lints'), 'workspace') === true ? table?.lints : null;
  return sortedText([
    Object.fromEntries(meant.filter(([name]) => fieldIsInherited(manifest, String(name)))),
    Object.fromEntries(inherited.map(({ name }) => [name, memberOf(table?.dependencies, name)])),
    lints ?? null,
  ]);
}

function fieldIsInherited({ text }: CargoManifest, name: string): boolean {
  return memberOf(memberOf(memberOf(text, 'package'), name), 'workspace') === true;
}

/** What the manifest at the root of a workspace says to all of its members: profiles, patches, the resolver. */
export function workspaceMeaningOf(manifest: CargoManifest): string {
  const { text } = manifest;
  const resolver = memberOf(memberOf(text, 'workspace'), 'resolver') ?? packageField(manifest, 'resolver', manifest);
  const edition = packageField(manifest, 'edition', manifest);
  const shared = ['profile', 'patch', 'replace', 'cargo-features'].map((name) => memberOf(text, name) ?? null);
  return sortedText([resolver ?? null, resolver === undefined ? (edition ?? null) : null, ...shared]);
}
