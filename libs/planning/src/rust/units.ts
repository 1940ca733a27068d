import { literalPattern } from '../glob.ts';
import type { DeclaredInput, Discovery, ExternalClosure, Unit, UnitCache, UnitEdge } from '../model.ts';
import type { RepositoryView } from '../tracing/repository-view.ts';
import { plainUnit } from '../plain-unit.ts';
import { asRecord, asText, memberOf } from '../parsed-values.ts';
import { byText, folderOf, foldersUpwards, inFolder, isWithin, resolvePath } from '../tree-paths.ts';
import { closureOf, lockedVersionOf, type CargoClosure, type CargoLock } from './cargo-lock.ts';
import type { CargoLine } from './ci-lines.ts';
import { commandsOf, foreignTargetOf } from './commands.ts';
import { edgesOf, type LockedMember } from './edges.ts';
import { hostsOf } from './hosts.ts';
import { inheritedBy, meaningOf, packageField, sourceOf, workspaceMeaningOf, type CargoManifest } from './manifest.ts';
import {
  CLIPPY_FILES,
  configOf,
  CONFIG_FILES,
  nearest,
  RUSTFMT_FILES,
  TOOLCHAIN_FILES,
  toolchainOf,
} from './settings.ts';
import { sourceInputs } from './sources.ts';
import { inheritanceOf, surroundingsOf, type Surroundings } from './surroundings.ts';
import { readCargoTree, type CargoPackage } from './workspaces.ts';

/** Units and edges of all packages of cargo. */
export function discoverCargo(snapshot: RepositoryView): Discovery {
  const tree = readCargoTree(snapshot);
  const around = surroundingsOf(snapshot, tree);
  const found = tree.packages.map((each) => ({ each, closure: lockedOf(around, each) }));
  const edges = edgesOf(around, found);
  const byOrigin = Map.groupBy(edges, ({ from }) => from);
  const required = requiredVersions(around);
  const units = found.map(({ each, closure }) => {
    const own = byOrigin.get(each.manifest.root) ?? [];
    return unitOf(around, { each, closure, edges: own, required });
  });
  return { units, edges, problems: tree.problems };
}

/** Folders of packages whose version somebody in the repository asks for beside their path. */
function requiredVersions({ tree }: Surroundings): Set<string> {
  return new Set(
    tree.packages.flatMap((each) =>
      each.manifest.dependencies.flatMap((dependency) => {
        const { folder, version } = sourceOf(each.manifest, dependency, inheritanceOf(each));
        return folder === null || version === null ? [] : [folder];
      }),
    ),
  );
}

function versionOf(each: CargoPackage): string | null {
  return asText(packageField(each.manifest, 'version', inheritanceOf(each)));
}

function lockedOf({ locks, members }: Surroundings, each: CargoPackage): CargoClosure | null {
  const { manifest, workspace } = each;
  const lock = locks.get(workspace.root);
  if (lock?.kind !== 'read' || manifest.packageName === null) return null;
  const names = new Set(members.get(workspace.root)?.keys());
  return closureOf(lock, { name: manifest.packageName, version: versionOf(each) }, names);
}

function externalOf(lock: CargoLock | undefined, closure: CargoClosure | null): ExternalClosure {
  if (lock === undefined || lock.kind === 'none') return { kind: 'none' };
  if (lock.kind === 'unreadable') return { kind: 'unreadable', lockfile: lock.path, reason: lock.reason };
  return { kind: 'resolved', lockfile: lock.path, packages: closure?.external ?? new Map() };
}

interface Found extends LockedMember {
  /** What it needs of others. */
  readonly edges: readonly UnitEdge[];
  readonly required: ReadonlySet<string>;
}

function unitOf(around: Surroundings, { each, closure, edges, required }: Found): Unit {
  const { manifest, workspace } = each;
  const { root } = manifest;
  const lock = around.locks.get(workspace.root);
  const inherited = inheritedBy(manifest, workspace);
  const version = versionOf(each);
  const noted =
    manifest.packageName === null || lock === undefined
      ? null
      : lockedVersionOf(lock, { name: manifest.packageName, version });
  // A version matters to those who ask for it, and to a lockfile that has another one.
  const counted = required.has(root) || noted !== version ? version : null;
  const internal = edges.map(({ to, kind }) => `${to} ${kind}`);
  const toolchain = toolchainOf(around, each);
  return {
    ...plainUnit({ root, ecosystem: 'cargo', manifest: manifest.path }),
    name: manifest.packageName ?? root,
    workspace: workspace.root,
    meaning: JSON.stringify([
      meaningOf(manifest),
      inherited,
      counted,
      internal.sort(byText),
      toolchain?.version ?? null,
    ]),
    workspaceMeaning: manifest.workspace === null ? null : workspaceMeaningOf(manifest),
    inherited,
    closure: externalOf(lock, closure),
    commands: manifest.packageName === null ? [] : commandsFor(around, each, manifest.packageName),
    inputs: inputsOf(around, each),
    caches: manifest.packageName === null ? [] : cachesOf(around, workspace),
    hosts: manifest.packageName === null ? [] : hostsFor(around, each, lock),
    env: { CI: 'true', CARGO_INCREMENTAL: '0', CARGO_TERM_COLOR: 'never' },
    toolchain,
  };
}

function hostsFor(around: Surroundings, each: CargoPackage, lock: CargoLock | undefined): string[] {
  const { snapshot } = around;
  const { workspace } = each;
  const ofWorkspace = around.tree.packages.filter((other) => other.workspace === workspace);
  const sources = ofWorkspace.flatMap((other) =>
    other.manifest.dependencies.map((dependency) => sourceOf(other.manifest, dependency, inheritanceOf(other))),
  );
  return hostsOf(lock, sources, configOf(snapshot, each.manifest.root));
}

function commandsFor(around: Surroundings, each: CargoPackage, name: string): Unit['commands'] {
  const { manifest, workspace } = each;
  const lock = around.locks.get(workspace.root);
  const alike = lock?.kind === 'read' ? (lock.packages.get(name) ?? []).length : 0;
  const version = versionOf(each);
  return commandsOf({
    manifest,
    workspace,
    name,
    spec: alike > 1 && version !== null ? `${name}@${version}` : name,
    locked: lock !== undefined && lock.kind !== 'none',
    clippyFile: nearest(around, manifest.root, CLIPPY_FILES),
    rustfmtFile: nearest(around, manifest.root, RUSTFMT_FILES),
    hasLibrary: hasLibrary(around, manifest),
    lines: linesFor(around, workspace),
    foreignTarget: foreignTargetOf(configOf(around.snapshot, manifest.root)),
  });
}

function hasLibrary({ snapshot }: Surroundings, { root, text }: CargoManifest): boolean {
  const library = asRecord(memberOf(text, 'lib'));
  return library !== null || snapshot.files.has(inFolder(root, 'src/lib.rs'));
}

/** Workflows run cargo where a checkout begins: packages that stand apart from what is there are not meant. */
function linesFor({ byFolder, lines }: Surroundings, workspace: CargoManifest): readonly CargoLine[] {
  return byFolder.has('.') && workspace.root !== '.' ? [] : lines;
}

/** Whatever sets cargo and its tools up for a folder, now or once there is such a file. */
function inputsOf(around: Surroundings, each: CargoPackage): DeclaredInput[] {
  const { root, packageName } = each.manifest;
  if (packageName === null) return [];
  const upwards = (names: readonly string[]): string[] =>
    foldersUpwards(root).map((folder) => inFolder(literalPattern(folder), `{${names.join(',')}}`));
  return [
    { paths: upwards([...TOOLCHAIN_FILES, ...CONFIG_FILES]), kinds: 'all', evidence: 'it sets cargo up' },
    { paths: upwards([...CLIPPY_FILES, ...RUSTFMT_FILES]), kinds: ['lint'], evidence: 'it sets clippy or rustfmt up' },
    {
      paths: upwards(['.config/nextest.toml', 'nextest.toml']),
      kinds: ['test'],
      evidence: 'it sets up how tests are run',
    },
    { paths: upwards(['deny.toml', '.deny.toml']), kinds: [], evidence: 'cargo-deny reads it, which no job runs' },
    ...targetInputs(around, each.manifest),
    ...sourceInputs(around.references.get(root) ?? [], root),
  ];
}

const TARGET_TABLES = ['lib', 'bin', 'test', 'bench', 'example'];
const TARGET_FOLDERS = ['src/**', 'tests/**', 'benches/**', 'examples/**', 'build.rs'];

/**
 * Sources that lie out of the unit's folder; and, for the package at the root of a workspace, those that are its own and
 * not of everybody there.
 */
function targetInputs({ byFolder }: Surroundings, { root, text, workspace }: CargoManifest): DeclaredInput[] {
  const targets = TARGET_TABLES.flatMap((table) => [memberOf(text, table)].flat());
  const written = [...targets.map((each) => memberOf(each, 'path')), memberOf(memberOf(text, 'package'), 'build')];
  const named = written.flatMap((path) => {
    const target = asText(path);
    const resolved = target === null ? null : resolvePath(root, target);
    return resolved === null ? [] : [resolved];
  });
  const outside = named.filter((path) => !isWithin(path, root));
  const usual = workspace === null ? [] : TARGET_FOLDERS.map((pattern) => inFolder(literalPattern(root), pattern));
  const unusual = workspace === null ? outside : named;
  const patterns = [
    ...usual,
    ...unusual.map((path) =>
      folderOf(path) === root ? literalPattern(path) : inFolder(literalPattern(folderOf(path)), '**'),
    ),
  ];
  if (patterns.length === 0) return [];
  const others = [...byFolder.keys()].filter((folder) => folder !== root && folder !== '.' && isWithin(folder, root));
  const within = others.filter((folder) => patterns.some((pattern) => isWithin(folder, pattern.replace('/**', ''))));
  const without = within.map((folder) => `!${inFolder(literalPattern(folder), '**')}`);
  return [{ paths: [...new Set(patterns), ...without], kinds: 'all', evidence: 'its sources are there' }];
}

/** Downloads are kept by what was resolved; what was compiled also by who compiled it. */
function cachesOf({ snapshot }: Surroundings, workspace: CargoManifest): UnitCache[] {
  const lock = inFolder(workspace.root, 'Cargo.lock');
  const resolved = [snapshot.files.has(lock) ? lock : workspace.path];
  const toolchain = foldersUpwards(workspace.root).flatMap((folder) =>
    TOOLCHAIN_FILES.map((name) => inFolder(folder, name)),
  );
  const keyFiles = [...resolved, ...toolchain.filter((path) => snapshot.files.has(path))];
  return [
    {
      type: 'deps',
      name: 'cargo-registry',
      paths: ['~/.cargo/registry/index', '~/.cargo/registry/cache', '~/.cargo/git/db'],
      keyFiles: resolved,
    },
    { type: 'build', name: 'cargo-target', paths: [inFolder(workspace.root, 'target')], keyFiles },
  ];
}
