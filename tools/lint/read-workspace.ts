import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { importsOf } from './imports-of.ts';
import type { Project, SourceFile, Workspace } from './workspace.ts';

interface PackageJson {
  readonly name?: string;
  readonly workspaces?: readonly string[];
  readonly nx?: { readonly tags?: readonly string[] };
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

interface TsConfig {
  readonly references?: readonly { readonly path: string }[];
}

const sourceFile = /\.(ts|mts|js|mjs|cjs)$/;
/** A comment that switches lint rules off; type checker comments are the business of a lint rule. */
const silencer = /(oxlint|eslint)-disable/;

/**
 * Reads the workspace at `root` as git sees it: committed and new files, but nothing ignored.
 *
 * @throws when a package.json or tsconfig.json is not JSON, or a source file does not parse.
 */
export function readWorkspace(root: string): Workspace {
  const files = listFiles(root);
  const manifest = readManifest(root, 'package.json');
  const projects = projectFolders(files, manifest.workspaces ?? []).map((folder) => readProject(root, folder, files));
  return {
    projects,
    roomFolders: [...new Set(files.flatMap((file) => /^(?:apps|libs)\/[^/]+(?=\/)/.exec(file)?.[0] ?? []))],
    builtFolders: readReferences(root, '.'),
    developmentPackages: Object.keys({ ...manifest.devDependencies, ...manifest.optionalDependencies }),
    peersOf: readPeers(root, projects),
    files,
  };
}

function listFiles(root: string): readonly string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const listed = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return listed.split('\0').filter((path) => path !== '' && existsSync(join(root, path)));
}

/** Folders with a package.json that match the workspaces of the root: what Nx takes for projects. */
function projectFolders(files: readonly string[], globs: readonly string[]): readonly string[] {
  const belongs = (folder: string): boolean =>
    globs.some((glob) => glob === folder || glob === `${posix.dirname(folder)}/*`);
  return files
    .filter((file) => posix.basename(file) === 'package.json')
    .map((file) => posix.dirname(file))
    .filter(belongs);
}

function readProject(root: string, folder: string, files: readonly string[]): Project {
  const manifest = readManifest(root, `${folder}/package.json`);
  const inside = files.filter((file) => file.startsWith(`${folder}/`) && !file.includes('/fixtures/'));
  return {
    folder,
    packageName: manifest.name ?? '',
    tags: manifest.nx?.tags ?? [],
    dependencies: dependenciesOf(manifest),
    doors: Object.keys(manifest.exports ?? {}),
    scripts: Object.keys(manifest.scripts ?? {}),
    references: readReferences(root, folder),
    sources: inside.filter((file) => sourceFile.test(file)).map((path) => readSource(root, path)),
    annexes: inside
      .filter((file) => posix.basename(file) === 'package.json' && posix.dirname(file) !== folder)
      .map((file) => ({ folder: posix.dirname(file), dependencies: dependenciesOf(readManifest(root, file)) })),
  };
}

const dependenciesOf = (manifest: PackageJson): Project['dependencies'] => ({
  ...manifest.dependencies,
  ...manifest.devDependencies,
  ...manifest.optionalDependencies,
});

function readSource(root: string, path: string): SourceFile {
  const text = read(root, path);
  try {
    return { path, imports: importsOf(text), silences: silencer.test(text) };
  } catch (error) {
    throw new Error(`${path} does not parse`, { cause: error });
  }
}

function readReferences(root: string, folder: string): readonly string[] {
  const path = posix.join(folder, 'tsconfig.json');
  if (!existsSync(join(root, path))) return [];
  return (readTsConfig(root, path).references ?? []).map((reference) => posix.join(folder, reference.path));
}

function readPeers(root: string, projects: readonly Project[]): Workspace['peersOf'] {
  const names = new Set(projects.flatMap((project) => Object.keys(project.dependencies)));
  return Object.fromEntries([...names].map((name) => [name, peers(root, name)]));
}

function peers(root: string, packageName: string): readonly string[] {
  const path = `node_modules/${packageName}/package.json`;
  if (!existsSync(join(root, path))) return [];
  const { peerDependencies = {}, peerDependenciesMeta = {} } = readManifest(root, path);
  return Object.keys(peerDependencies).filter((peer) => peerDependenciesMeta[peer]?.optional !== true);
}

const readManifest = (root: string, path: string): PackageJson => JSON.parse(read(root, path)) as PackageJson;

const readTsConfig = (root: string, path: string): TsConfig => JSON.parse(read(root, path)) as TsConfig;

const read = (root: string, path: string): string => readFileSync(join(root, path), 'utf8');
