import { access, constants, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createProgress, openCache, reasonOf, removeOnDeath, SetupProblem, showUsage } from '../bootstrap/index.mjs';
import { findProgram } from '../bootstrap/find-program.mjs';
import { lastLine, runCommand } from '../bootstrap/run-command.mjs';
import { parseGuestArguments, USAGE, type Accelerator, type GuestOrder } from './arguments.ts';
import { makeInitialMemory } from './initial-memory.ts';
import { bootGuest, qemuArguments, type BootEnd, type MachineFiles } from './machine.ts';
import { guestPrograms, type GuestPrograms } from './programs.ts';
import { verdictOf } from './verdict.ts';
import { workOf } from './work.ts';

const repoRoot = resolve(import.meta.dirname, '../..');
const progress = createProgress();

/** A sparse file: what is not written takes no room. */
const DISK_BYTES = 16 * 1024 ** 3;

/** A kernel comes up within a second or two where KVM carries it; translated, and on a busy machine, in half a minute. */
const UP_WITHIN_MS: Readonly<Record<Accelerator, number>> = { kvm: 30_000, tcg: 600_000 };

const parsed = parseGuestArguments(process.argv.slice(2));
process.exitCode = parsed.kind === 'usage' ? showUsage(USAGE, parsed.problem) : await run(parsed.order).catch(complain);

async function run(order: GuestOrder): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  const cacheDir = await openCache({ repoRoot });
  const programs = await progress.step('guest', async (say) => {
    const found = await guestPrograms({ cacheDir, say, fetch: order.fetch });
    say(`${kernelName(found)} in ${found.qemu}`);
    return found;
  });
  const dir = await mkdtemp(join(tmpdir(), 'delta-guest-'));
  const tie = removeOnDeath(dir);
  try {
    const { end, accelerator } = await firstThatComesUp(order, programs, dir, stop.signal);
    const kernel = `${kernelName(programs)}, ${accelerator.toUpperCase()}`;
    const { text, exitCode } = verdictOf(end, kernel, order);
    process.stdout.write(`\n${text}\n`);
    return exitCode;
  } finally {
    await rm(dir, { recursive: true, force: true });
    tie.release();
  }
}

function kernelName({ kernel }: GuestPrograms): string {
  return `Linux ${kernel.slice(kernel.indexOf('vmlinuz-') + 8)}`;
}

interface Came {
  readonly end: Exclude<BootEnd, { readonly kind: 'never-up' }>;
  readonly accelerator: Accelerator;
}

async function firstThatComesUp(
  order: GuestOrder,
  programs: GuestPrograms,
  dir: string,
  signal: AbortSignal,
): Promise<Came> {
  const reasons: string[] = [];
  for (const accelerator of order.accelerators) {
    const end = await booted(order, accelerator, programs, dir, signal);
    if (end.kind !== 'never-up') return { end, accelerator };
    reasons.push(`${accelerator.toUpperCase()}: ${end.said}`);
    progress.note(`with ${accelerator.toUpperCase()} it does not come up: ${lastLine(end.said)}`);
  }
  throw new SetupProblem(`no guest comes up (${reasons.join('; ')})`, 'try it on another machine');
}

async function booted(
  order: GuestOrder,
  accelerator: Accelerator,
  programs: GuestPrograms,
  dir: string,
  signal: AbortSignal,
): Promise<BootEnd> {
  if (accelerator === 'kvm' && !(await mayUseKvm())) return { kind: 'never-up', said: '/dev/kvm cannot be opened' };
  const own = await mkdtemp(join(dir, `${accelerator}-`));
  const files: MachineFiles = {
    kernel: programs.kernel,
    initialMemory: await makeInitialMemory(own, programs, workOf(order, accelerator, repoRoot, process.env)),
    disk: await makeDisk(join(own, 'disk')),
    log: join(own, 'log'),
  };
  const { qemu, libraryPath } = programs;
  const args = qemuArguments(accelerator, files);
  const boot = {
    qemu,
    args,
    libraryPath,
    log: files.log,
    upWithinMs: UP_WITHIN_MS[accelerator],
    limitMs: order.limitMs,
  };
  return bootGuest(boot, (text) => void process.stdout.write(text), signal);
}

function mayUseKvm(): Promise<boolean> {
  return access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
}

async function makeDisk(file: string): Promise<string> {
  await writeFile(file, '');
  await truncate(file, DISK_BYTES);
  const mkfs = await findProgram('mkfs.ext4', { extraDirs: ['/usr/sbin', '/sbin'] });
  if (mkfs === null) throw new SetupProblem('mkfs.ext4 was not found', 'install e2fsprogs');
  const made = await runCommand(mkfs, ['-q', '-F', file]);
  if (made.code !== 0) throw new SetupProblem(`no disk can be made (${lastLine(made.stderr)})`, 'make room for it');
  return file;
}

function complain(error: unknown): number {
  process.stderr.write(`delta: ${reasonOf(error)}\n`);
  return 3;
}
