import { chmod, copyFile, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cachedProgram, findCachedProgram } from '../bootstrap/cached-program.mjs';
import { unpackDebianPackages } from '../bootstrap/debian-package.mjs';
import { lastLine, runCommand } from '../bootstrap/run-command.mjs';

export interface Where {
  readonly cacheDir: string;
  readonly say: (text: string) => void;
  /** Whether what is not there may be fetched from the distribution. */
  readonly fetch: boolean;
}

/** A toolchain of the distribution that is unpacked into a folder instead of being installed. */
interface Recipe {
  readonly name: string;
  /** An executable file of it. */
  readonly file: string;
  readonly packages: () => Promise<string[]>;
  /** Makes it work from where it lies. */
  readonly adapt: (folder: string) => Promise<string | null>;
  /** Folders below it that jobs get as prefixes, the first being all of it. */
  readonly prefixes: readonly string[];
}

export type UnpackedToolchain =
  { readonly folder: string; readonly dirs: readonly string[] } | { readonly folder: null; readonly reason: string };

export async function unpackedToolchain(recipe: Recipe, { cacheDir, say, fetch }: Where): Promise<UnpackedToolchain> {
  const { name, file } = recipe;
  const sources = [{ name: 'Debian packages', file, unpack: (into: string) => unpack(recipe, into) }];
  const wanted = { cacheDir, name: `trial-${name}`, sources };
  const found = fetch ? await cachedProgram({ ...wanted, say }) : await findCachedProgram(wanted);
  if (found === null) return { folder: null, reason: 'it was not fetched yet' };
  if (found.path === null) return { folder: null, reason: 'reasons' in found ? found.reasons.join('; ') : '' };
  const folder = found.path.slice(0, -file.length - 1);
  return { folder, dirs: recipe.prefixes.map((prefix) => join(folder, prefix)) };
}

type Result = Awaited<ReturnType<typeof unpackDebianPackages>>;

async function unpack({ packages, adapt }: Recipe, into: string): Promise<Result> {
  const names = await packages();
  if (names.length === 0) return { unpacked: false, reason: 'apt knows no such packages' };
  const result = await unpackDebianPackages(names, into);
  if (!result.unpacked) return result;
  const reason = await adapt(into);
  return reason === null ? { unpacked: true } : { unpacked: false, reason };
}

/** Packages and all they need that are of a kind: everything else is the system's. */
async function withNeeds(names: readonly string[], kind: RegExp): Promise<string[]> {
  const without = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map(
    (each) => `--no-${each}`,
  );
  const { code, stdout } = await runCommand('apt-cache', ['depends', '--recurse', ...without, ...names]);
  const known = code === 0 ? stdout.split('\n').filter((line) => /^[a-z0-9]/u.test(line)) : [];
  return [...new Set(known)].filter((name) => kind.test(name)).sort();
}

/** A program that runs another one with paths of where all of it lies: `$here` stands for that folder. */
async function wrap(folder: string, programs: Readonly<Record<string, string>>): Promise<null> {
  await mkdir(join(folder, 'bin'), { recursive: true });
  for (const [name, script] of Object.entries(programs)) {
    const file = join(folder, 'bin', name);
    await writeFile(file, `#!/bin/sh\nhere=$(dirname "$(dirname "$(readlink -f "$0")")")\n${script}\n`);
    await chmod(file, 0o755);
  }
  return null;
}

const ERLANG = `export ROOTDIR="$here/usr/lib/erlang" EMU=beam PROGNAME=erl
BINDIR=$(echo "$ROOTDIR"/erts-*/bin); export BINDIR
exec "$BINDIR/erlexec" "$@"`;

const RUBY = `own=$(echo "$here"/usr/lib/*-linux-gnu); of=$(echo "$own"/ruby/3.*); version=\${of##*/}
export LD_LIBRARY_PATH="$own" GEM_PATH="$here/usr/share/rubygems-integration/all:$here/usr/lib/ruby/gems/$version"
export RUBYLIB="$here/usr/lib/ruby/vendor_ruby:$own/ruby/vendor_ruby/$version:$here/usr/lib/ruby/$version:$of"
exec "$here"/usr/bin/ruby3.* "$@"`;

/** Wheels as an index would give them: of packages of the distribution, and those it has as wheels. */
async function makeWheels(folder: string): Promise<string | null> {
  const wheels = join(folder, 'wheels');
  await mkdir(wheels);
  const shared = join(folder, 'usr/share/python-wheels');
  for (const name of await readdir(shared)) await copyFile(join(shared, name), join(wheels, name));
  const script = join(import.meta.dirname, 'make-wheels.py');
  const made = await runCommand('python3', [script, join(folder, 'usr/lib/python3/dist-packages'), wheels]);
  return made.code === 0 ? null : lastLine(made.stderr);
}

/** Programs of Ruby by all of their names, and an index of gems as a registry has one. */
async function adaptRuby(folder: string): Promise<string | null> {
  const named = (await readdir(join(folder, 'usr/bin'))).filter((name) => /^ruby\d/u.test(name));
  await wrap(folder, {
    ...Object.fromEntries(['ruby', ...named].map((name) => [name, RUBY])),
    ...Object.fromEntries(
      ['bundle', 'rake'].map((name) => [name, `exec "$here/bin/ruby" "$here/usr/bin/${name}" "$@"`]),
    ),
  });
  const script = join(import.meta.dirname, 'make-gems.rb');
  const gems = join(folder, 'usr/share/rubygems-integration/all');
  const made = await runCommand(join(folder, 'bin/ruby'), [script, gems, join(folder, 'index')]);
  return made.code === 0 ? null : lastLine(made.stderr);
}

/** Links that lead to where it would have been installed. */
async function relinkMaven(folder: string): Promise<null> {
  const home = join(folder, 'usr/share/maven');
  for (const [path, target] of [
    ['conf', '../../../etc/maven'],
    ['bin/m2.conf', '../conf/m2.conf'],
  ] as const) {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await rm(join(home, path), { force: true });
    await symlink(target, join(home, path));
  }
  return null;
}

const PYTHON_PACKAGES = ['attr', 'iniconfig', 'packaging', 'pluggy', 'pytest', 'setuptools-whl', 'wheel'];
const MAVEN_PLUGINS = ['compiler', 'install', 'jar', 'resources'].map((name) => `libmaven-${name}-plugin-java`);

export const UNPACKED = {
  python: {
    name: 'python',
    file: 'usr/bin/pytest-3',
    packages: () => Promise.resolve(PYTHON_PACKAGES.map((name) => `python3-${name}`)),
    adapt: makeWheels,
    prefixes: ['.'],
  },
  elixir: {
    name: 'elixir',
    file: 'bin/mix',
    packages: () => withNeeds(['elixir'], /^(?:elixir|erlang-.*)$/u),
    adapt: (folder) =>
      wrap(folder, { erl: ERLANG, ...Object.fromEntries(['elixir', 'mix'].map((name) => [name, inElixir(name)])) }),
    prefixes: ['.'],
  },
  ruby: {
    name: 'ruby',
    file: 'bin/ruby',
    packages: () =>
      withNeeds(['ruby-bundler', 'ruby-minitest', 'rake', 'ruby'], /^(?:lib)?ruby(?:$|[\d-])|^rake$|^rubygems-/u),
    adapt: adaptRuby,
    prefixes: ['.'],
  },
  maven: {
    name: 'maven',
    file: 'usr/share/maven/bin/mvn',
    packages: () =>
      withNeeds(['maven', 'junit4', 'libsurefire-java', ...MAVEN_PLUGINS], /-java$|^(?:maven|junit\d|ant|velocity)$/u),
    adapt: relinkMaven,
    prefixes: ['.', 'usr/share/maven'],
  },
} as const satisfies Readonly<Record<string, Recipe>>;

function inElixir(name: string): string {
  return `exec "$here/usr/lib/elixir/bin/${name}" "$@"`;
}
