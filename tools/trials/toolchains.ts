import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { findProgram } from '../bootstrap/find-program.mjs';
import { lastLine, runCommand } from '../bootstrap/run-command.mjs';
import { ensureGo, findCargo } from '../oracle/toolchains.mjs';
import { UNPACKED, unpackedToolchain, type Where } from './unpacked-toolchains.ts';

export type ToolchainName = 'c' | 'cargo' | 'elixir' | 'go' | 'maven' | 'python' | 'ruby';

/** What jobs of a trial run with. */
export interface Toolchain {
  /** Prefixes that jobs see besides the system, each with `bin` or without programs. */
  readonly dirs: readonly string[];
  /** Folder with what it brings along for repositories; empty where that is nothing. */
  readonly material: string;
  /** What it says it is, in a line. */
  readonly version: string;
}

export type FoundToolchain =
  { readonly ok: true; readonly toolchain: Toolchain } | { readonly ok: false; readonly reason: string };

/** What every sandbox shows, whatever the caller's own `PATH` is. */
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';

/** Finds a toolchain, or unpacks Debian's where that is allowed. That it cannot be had is an answer. */
export async function toolchainFor(name: ToolchainName, where: Where): Promise<FoundToolchain> {
  switch (name) {
    case 'c':
      return ofSystem(name, ['make', 'cmake', 'ctest', 'cc'], null);
    case 'cargo':
      return ofCargo();
    case 'go':
      return ofGo(where);
    case 'python':
      return ofSystem(name, ['python3'], await unpackedToolchain(UNPACKED.python, where));
    case 'maven':
      return ofSystem(name, ['java', 'javac'], await unpackedToolchain(UNPACKED.maven, where));
    case 'elixir':
      return ofUnpacked(name, await unpackedToolchain(UNPACKED.elixir, where));
    case 'ruby':
      return ofUnpacked(name, await unpackedToolchain(UNPACKED.ruby, where));
  }
}

type Unpacked = Awaited<ReturnType<typeof unpackedToolchain>>;

/** Programs of the system, and where they need more than that, what was unpacked for them. */
async function ofSystem(
  name: ToolchainName,
  programs: readonly string[],
  unpacked: Unpacked | null,
): Promise<FoundToolchain> {
  const found = await Promise.all(programs.map((program) => findProgram(program, { path: SYSTEM_PATH })));
  const absent = programs.filter((_, at) => found[at] === null);
  if (absent.length > 0) return { ok: false, reason: `not installed for the whole system: ${absent.join(', ')}` };
  return unpacked === null ? told(name, [], '') : ofUnpacked(name, unpacked);
}

async function ofUnpacked(name: ToolchainName, unpacked: Unpacked): Promise<FoundToolchain> {
  if (unpacked.folder === null) return { ok: false, reason: unpacked.reason };
  return told(name, unpacked.dirs, unpacked.folder);
}

async function ofCargo(): Promise<FoundToolchain> {
  const found = await findCargo();
  return found.program === null ? { ok: false, reason: found.reason } : told('cargo', [found.folder], '');
}

async function ofGo(where: Where): Promise<FoundToolchain> {
  if (!where.fetch && (await findProgram('go')) === null) return { ok: false, reason: 'go is not on PATH' };
  const found = await ensureGo(where);
  if (found.program === null) return { ok: false, reason: found.reason };
  const prefix = dirname(dirname(await realpath(found.program)));
  return told('go', [...new Set([found.folder, prefix])], '');
}

/** What has to work, and says which versions there are. Debian has what makes environments of Python in a package of its own. */
const SAY_VERSION: Readonly<Record<ToolchainName, string>> = {
  c: 'make --version && cmake --version && cc --version',
  cargo: 'cargo --version && cargo clippy --version && cargo fmt --version',
  elixir: 'elixir --version',
  go: 'go version',
  maven: 'mvn --version',
  python: 'python3 -c "import ensurepip, sys, venv" && python3 --version',
  ruby: 'ruby --version && bundle --version',
};

const VERSIONS =
  /^(?:GNU Make|cmake version|cc \([^)]*\)|cargo|clippy|rustfmt|Elixir|Erlang\/OTP|go version|.*Apache Maven|Java version:|Python|ruby|Bundler version) ?[\w.-]+/gmu;

/** The toolchain, when jobs could start it: with their search path, and in a moment. */
async function told(name: ToolchainName, dirs: readonly string[], material: string): Promise<FoundToolchain> {
  const path = [...dirs.map((dir) => `${dir}/bin`), SYSTEM_PATH].join(':');
  const env = { PATH: path, HOME: '/nonexistent', LANG: 'C.UTF-8' };
  const { code, stdout, stderr } = await runCommand('sh', ['-c', SAY_VERSION[name]], { env });
  if (code !== 0) return { ok: false, reason: `it does not start: ${lastLine(stderr)}` };
  const said = stripVTControlCharacters(stdout).match(VERSIONS) ?? [];
  return { ok: true, toolchain: { dirs, material, version: said.join(', ') } };
}
