import { execFile } from 'node:child_process';
import { existsSync, lstatSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram, SYSTEM_PROGRAM_DIRS } from '../find-program.ts';
import { ETC_OF_A_SANDBOX, LOADER_PRELOADS } from '../images/etc-of-a-sandbox.ts';
import type { RootTree } from '../sandbox-executor.ts';
import type { PrivilegeMode, RootView } from './bubblewrap-arguments.ts';

const run = promisify(execFile);

/** A program of the host's that runs under any root: its files, where they are shown, and the command that starts it. */
type CarriedProgram = {
  readonly files: readonly { readonly hostPath: string; readonly at: string }[];
  readonly command: readonly string[];
};

/** What this host has for roots other than its own system. */
export type RootTools = {
  /** In mode `root`: becomes the job's user. Null when it cannot be taken along. */
  readonly become: CarriedProgram | null;
  /** The warden's Node and the host's shell, which make outlets. Null when they cannot be taken along. */
  readonly node: CarriedProgram | null;
  readonly shell: CarriedProgram | null;
  /** Gives jobs a layer of their own over a root; null where roots stay read-only. */
  readonly mount: string | null;
};

/** Where carried programs are shown. */
const CARRIED_DIR = '/.delta';

/** What a root has of these is not shown: the sandbox has its own, or the host's affairs would be told. */
const NOT_SHOWN = new Set(['dev', 'etc', 'home', 'proc', 'run', 'sys', 'tmp', 'workspace', basename(CARRIED_DIR)]);

/**
 * `ldd` says which files a program is linked to. The loader is then told to look nowhere else, because the one that runs it is
 * root still: not in a cache of the root's, and preloads are an empty file of ours.
 */
async function carry(program: string): Promise<CarriedProgram | null> {
  const ldd = findProgram('ldd', SYSTEM_PROGRAM_DIRS);
  if (ldd === null) return null;
  // It fails for a program that is linked to nothing, and for none.
  const { stdout } = await run(ldd, [program], { env: {} }).catch(() => ({ stdout: '' }));
  const linked = [...stdout.matchAll(/(?:=> |^\s*)(\/[^\s()]+)/gm)].map(([, path = '']) => path);
  const loader = linked.find((path) => basename(path).startsWith('ld-linux'));
  if (loader === undefined) return null;
  const shown = (hostPath: string): string => `${CARRIED_DIR}/${basename(hostPath)}`;
  return {
    files: [program, ...linked].map((hostPath) => ({ hostPath, at: shown(hostPath) })),
    command: [shown(loader), '--inhibit-cache', '--library-path', CARRIED_DIR, shown(program)],
  };
}

const PLAIN_PATH = /^[^,:\\]+$/;

function overlayOptions(lower: string, upper: string, work: string): string {
  const odd = [lower, upper, work].find((path) => !PLAIN_PATH.test(path));
  if (odd !== undefined) throw new Error(`no layer can be mounted at ${odd}: its path has a comma, colon or backslash`);
  return `nodev,nosuid,lowerdir=${lower},upperdir=${upper},workdir=${work}`;
}

/** Tries an overlay under `stateDir`, in mounts of its own, which end with the process that makes them. */
async function findOverlay(stateDir: string): Promise<string | null> {
  const [mount, unshare] = ['mount', 'unshare'].map((name) => findProgram(name, SYSTEM_PROGRAM_DIRS));
  if (!mount || !unshare) return null;
  const trial = await mkdtemp(join(stateDir, 'overlay-trial-'));
  const [lower = '', upper = '', work = '', at = ''] = ['lower', 'upper', 'work', 'root'].map((name) =>
    join(trial, name),
  );
  try {
    for (const directory of [lower, upper, work, at]) await mkdir(directory);
    const overlay = [mount, '-t', 'overlay', 'overlay', '-o', overlayOptions(lower, upper, work), at];
    await run(unshare, ['--mount', ...overlay], { env: {} });
    return mount;
  } catch {
    return null;
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
}

/** Looks for what roots take, by trying. @param setpriv of the host, used in mode `root` only */
export async function findRootTools(mode: PrivilegeMode, setpriv: string, stateDir: string): Promise<RootTools> {
  const [node, shell] = await Promise.all([carry(process.execPath), carry('/bin/sh')]);
  if (mode === 'user') return { become: null, node, shell, mount: null };
  const [become, mount] = await Promise.all([carry(setpriv), findOverlay(stateDir)]);
  return { become, node, shell, mount };
}

/** Where a sandbox's own layer is mounted: to be known before it is. */
export const rootMounts = (directory: string): readonly string[] => [join(directory, 'root')];

/** Mounts a job's own layer over a tree; its files lie under `disk`. */
async function mountLayer(mount: string, tree: RootTree, directory: string, disk: string): Promise<string> {
  const [upper, work] = [join(disk, 'layer'), join(disk, 'layer-work')];
  const [at = ''] = rootMounts(directory);
  for (const each of [upper, work, at]) await mkdir(each, { mode: 0o755 });
  await run(mount, ['-t', 'overlay', 'overlay', '-o', overlayOptions(tree.directory, upper, work), at], { env: {} });
  return upper;
}

/** What programs have in common is shown once. */
const carriedFiles = (programs: readonly (CarriedProgram | null)[]): RootView['mounts'] => [
  ...new Map(
    programs.flatMap((program) => (program?.files ?? []).map((file) => [file.at, { ...file, writable: false }])),
  ).values(),
];

/** Names of `/etc` over which the sandbox's own files are laid. @throws Error for a root that has no plain file there */
function ownEtcFiles(etc: string): readonly string[] {
  const kindOf = (name: string): 'file' | 'other' | 'none' => {
    const found = lstatSync(join(etc, name), { throwIfNoEntry: false });
    return found === undefined ? 'none' : found.isFile() ? 'file' : 'other';
  };
  const odd = ETC_OF_A_SANDBOX.find((name) => kindOf(name) !== 'file');
  if (odd !== undefined) throw new Error(`${join(etc, odd)} has to be a plain file; an empty one will do`);
  if (kindOf(LOADER_PRELOADS) === 'other') throw new Error(`${join(etc, LOADER_PRELOADS)} is no plain file`);
  return [...ETC_OF_A_SANDBOX, ...(kindOf(LOADER_PRELOADS) === 'file' ? [LOADER_PRELOADS] : [])];
}

/**
 * Makes what one sandbox sees of a tree: each of its top directories and files by itself, on a root that stays read-only, and
 * writable where there is a layer for what the job writes.
 *
 * @param directory of the sandbox, on the host
 * @param disk where the job's own files lie
 * @param withOutlet whether the sandbox has an outlet
 * @throws what the host refuses
 */
export async function makeRootView(
  tree: RootTree,
  { become, node, shell, mount }: RootTools,
  directory: string,
  disk: string,
  withOutlet: boolean,
): Promise<RootView> {
  if (withOutlet && (node === null || shell === null))
    throw new Error('Node and the shell of this host cannot be taken along to make an outlet: they need glibc');
  if (process.getuid?.() === 0 && become === null)
    throw new Error('setpriv of this host cannot be taken along: it needs glibc');
  const upperHostDir = mount === null ? null : await mountLayer(mount, tree, directory, disk);
  const [merged = ''] = upperHostDir === null ? [tree.directory] : rootMounts(directory);
  const shown = tree.top.filter(({ name }) => !NOT_SHOWN.has(name));
  const etcHostDir = join(tree.directory, 'etc');
  return {
    mounts: [
      ...shown
        .filter(({ kind, name }) => kind !== 'symlink' && existsSync(join(merged, name)))
        .map(({ name }) => ({ hostPath: join(merged, name), at: `/${name}`, writable: upperHostDir !== null })),
      ...carriedFiles([become, ...(withOutlet ? [node, shell] : [])]),
    ],
    links: shown.flatMap(({ name, target }) => (target === null ? [] : [{ at: `/${name}`, to: target }])),
    etcHostDir,
    ownEtcFiles: ownEtcFiles(etcHostDir),
    upperHostDir,
    become: become?.command ?? [],
    outlet: { node: node?.command ?? [], shell: shell?.command ?? [] },
  };
}
