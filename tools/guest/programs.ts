import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cachedProgram, findCachedProgram } from '../bootstrap/cached-program.mjs';
import { unpackDebianPackages } from '../bootstrap/debian-package.mjs';
import { findProgram } from '../bootstrap/find-program.mjs';
import { runCommand } from '../bootstrap/run-command.mjs';
import { SetupProblem } from '../bootstrap/setup-problem.mjs';
import type { Machine } from './arguments.ts';

/** What a guest is booted with. */
export interface GuestPrograms {
  /** The kernel, in words. */
  readonly name: string;
  /** QEMU, or a kernel that is a program. */
  readonly program: string;
  /** Where that finds its libraries; empty where it needs none of ours. */
  readonly libraryPath: string;
  /** The kernel's image. */
  readonly kernel: string;
  /** Folder with modules of the kernel, named so that their order is that in which they are loaded. */
  readonly modules: string;
  readonly busybox: string;
}

export interface Where {
  readonly cacheDir: string;
  readonly say: (text: string) => void;
  /** Whether what is not there may be fetched from the distribution. */
  readonly fetch: boolean;
}

const QEMU = 'qemu-system-x86_64';
const BUSYBOX = 'bin/busybox';
const MODULES_DIR = 'modules';

/** What a guest needs before it has a root, each after those it depends on; a kernel may have some of them built in. */
const MODULES = [
  ['virtio_ring', 'virtio', 'virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci', 'virtio_blk'],
  ['netfs', 'fscache', '9pnet', '9pnet_virtio', '9p'],
  ['crc16', 'mbcache', 'jbd2', 'crc32c_generic', 'libcrc32c', 'ext4', 'loop', 'overlay'],
].flat();

/**
 * A kernel, what carries it, and the one program that brings it up. Kernels are always unpacked: that of the machine may be readable
 * for root alone, and is not what is to be tried.
 *
 * @throws {SetupProblem} when they cannot be had
 */
export async function guestPrograms(machine: Machine, where: Where): Promise<GuestPrograms> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetupProblem('guests are for Linux on x64 alone', 'run this there');
  }
  return machine === 'uml' ? kernelAsProgram(where) : kernelInQemu(where);
}

async function kernelInQemu(where: Where): Promise<GuestPrograms> {
  const folder = await folderOf('guest-kernel', BUSYBOX, unpackKernel, where);
  const kernel = (await readdir(join(folder, 'boot'))).find((name) => name.startsWith('vmlinuz-'));
  if (kernel === undefined) throw new SetupProblem(`no kernel lies in ${folder}`, 'delete that folder');
  return {
    name: `Linux ${kernel.slice('vmlinuz-'.length)}`,
    ...(await qemuProgram(where)),
    kernel: join(folder, 'boot', kernel),
    modules: join(folder, MODULES_DIR),
    busybox: join(folder, BUSYBOX),
  };
}

async function kernelAsProgram(where: Where): Promise<GuestPrograms> {
  const file = 'usr/bin/linux.uml';
  const unpack = (into: string): Promise<Unpacked> => unpackWithModules(['user-mode-linux'], into, 'usr/lib/uml');
  const folder = await folderOf('guest-uml', file, unpack, where);
  const program = join(folder, file);
  const { stdout } = await runCommand(program, ['--version']);
  return {
    name: `User-Mode Linux ${stdout.trim()}`,
    program,
    libraryPath: '',
    kernel: program,
    modules: join(folder, MODULES_DIR),
    busybox: join(folder, BUSYBOX),
  };
}

async function qemuProgram(where: Where): Promise<Pick<GuestPrograms, 'program' | 'libraryPath'>> {
  const installed = await findProgram(QEMU);
  if (installed !== null) return { program: installed, libraryPath: '' };
  const file = `usr/bin/${QEMU}`;
  const unpack = (into: string): Promise<Unpacked> =>
    unpackDebianPackages(['qemu-system-x86'], into, { dependencies: true });
  const folder = await folderOf('guest-qemu', file, unpack, where);
  const libraries = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'].map((path) => join(folder, path));
  return { program: join(folder, file), libraryPath: libraries.join(':') };
}

type Unpacked = Awaited<ReturnType<typeof unpackDebianPackages>>;

async function folderOf(
  name: string,
  file: string,
  unpack: (into: string) => Promise<Unpacked>,
  { cacheDir, say, fetch }: Where,
): Promise<string> {
  const wanted = { cacheDir, name, sources: [{ name: 'Debian packages', file, unpack }] };
  const found = fetch ? await cachedProgram({ ...wanted, say }) : await findCachedProgram(wanted);
  if (found !== null && found.path !== null) return found.path.slice(0, -file.length - 1);
  const reason = found !== null && 'reasons' in found ? found.reasons.join('; ') : 'it was not fetched yet';
  throw new SetupProblem(`${name} cannot be had (${reason})`, 'go online, on Debian or Ubuntu');
}

/** The package that always names the newest kernel depends on one that has its version for a name. */
async function unpackKernel(into: string): Promise<Unpacked> {
  const { stdout } = await runCommand('apt-cache', ['depends', '--important', 'linux-image-amd64']);
  const image = /\blinux-image-\d\S*/u.exec(stdout)?.[0];
  if (image === undefined) return { unpacked: false, reason: 'apt knows no linux-image-amd64: run apt-get update' };
  return unpackWithModules([image], into, 'lib');
}

/** Of a kernel's modules, some thousand, only those are kept that a guest needs. */
async function unpackWithModules(names: readonly string[], into: string, modulesDir: string): Promise<Unpacked> {
  const result = await unpackDebianPackages([...names, 'busybox-static'], into);
  if (!result.unpacked) return result;
  const all = join(into, modulesDir);
  const paths = (await readdir(all, { recursive: true })).filter((path) => path.includes('.ko'));
  const byName = new Map(paths.map((path) => [basename(path).replace(/\.ko.*$/u, ''), path]));
  await mkdir(join(into, MODULES_DIR));
  for (const [at, name] of MODULES.entries()) {
    const path = byName.get(name);
    if (path === undefined) continue;
    await rename(join(all, path), join(into, MODULES_DIR, `${String(at).padStart(2, '0')}-${basename(path)}`));
  }
  await rm(all, { recursive: true });
  return result;
}
