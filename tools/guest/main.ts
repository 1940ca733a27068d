import { access, constants, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createProgress, openCache, reasonOf, removeOnDeath, SetupProblem, showUsage } from '../bootstrap/index.mjs';
import { findProgram } from '../bootstrap/find-program.mjs';
import { lastLine, runCommand } from '../bootstrap/run-command.mjs';
import { parseGuestArguments, USAGE, type GuestOrder, type Machine } from './arguments.ts';
import { makeInitialMemory } from './initial-memory.ts';
import { bootGuest, machineArguments, type Boot, type BootEnd, type MachineFiles } from './machine.ts';
import { guestPrograms } from './programs.ts';
import { verdictOf } from './verdict.ts';
import { workOf } from './work.ts';

const repoRoot = resolve(import.meta.dirname, '../..');
const progress = createProgress();

/** A sparse file: what is not written takes no room. */
const DISK_BYTES = 16 * 1024 ** 3;

/** It comes up in a second or two where KVM carries it, and where that takes longer something else is quicker; else in half a minute. */
const UP_WITHIN_MS: Readonly<Record<Machine, number>> = { kvm: 30_000, uml: 300_000, tcg: 600_000 };

const parsed = parseGuestArguments(process.argv.slice(2));
process.exitCode = parsed.kind === 'usage' ? showUsage(USAGE, parsed.problem) : await run(parsed.order).catch(complain);

async function run(order: GuestOrder): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  const dir = await mkdtemp(join(tmpdir(), 'delta-guest-'));
  const tie = removeOnDeath(dir);
  try {
    const { end, kernel } = await firstThatComesUp(order, dir, stop.signal);
    const { text, exitCode } = verdictOf(end, kernel, order);
    process.stdout.write(`\n${text}\n`);
    return exitCode;
  } finally {
    await rm(dir, { recursive: true, force: true });
    tie.release();
  }
}

interface Came {
  readonly end: Exclude<BootEnd, { readonly kind: 'never-up' }>;
  /** What came up, in words. */
  readonly kernel: string;
}

async function firstThatComesUp(order: GuestOrder, dir: string, signal: AbortSignal): Promise<Came> {
  const reasons: string[] = [];
  for (const machine of order.machines) {
    const tried = await cameUp(order, machine, dir, signal).catch(reasonOfLack);
    if (typeof tried !== 'string') return tried;
    reasons.push(`${machine}: ${tried}`);
    progress.note(`no guest with ${machine}: ${lastLine(tried)}`);
  }
  throw new SetupProblem(`no guest comes up (${reasons.join('; ')})`, 'try it on another machine');
}

/** That one machine lacks something is no failure while there are others. */
function reasonOfLack(error: unknown): string {
  if (error instanceof SetupProblem) return error.message;
  throw error;
}

/** @returns how it ended, or why it did not come up */
async function cameUp(order: GuestOrder, machine: Machine, dir: string, signal: AbortSignal): Promise<Came | string> {
  if (machine === 'kvm' && !(await mayUseKvm())) return '/dev/kvm cannot be opened';
  const cacheDir = await openCache({ repoRoot });
  const programs = await progress.step('guest', async (say) => {
    const found = await guestPrograms(machine, { cacheDir, say, fetch: order.fetch });
    say(`${found.name}, ${found.program}`);
    return found;
  });
  const own = await mkdtemp(join(dir, `${machine}-`));
  const files: MachineFiles = {
    kernel: programs.kernel,
    initialMemory: await makeInitialMemory(own, programs, workOf(order, machine, repoRoot, process.env)),
    disk: await makeDisk(join(own, 'disk')),
    log: join(own, 'log'),
  };
  const boot: Boot = {
    program: programs.program,
    args: machineArguments(machine, files),
    libraryPath: programs.libraryPath,
    log: files.log,
    upWithinMs: UP_WITHIN_MS[machine],
    limitMs: order.limitMs,
    onUp: () => progress.note(`the guest is up, with ${machine}`),
  };
  const end = await bootGuest(boot, (text) => void process.stdout.write(text), signal);
  return end.kind === 'never-up' ? end.said : { end, kernel: `${programs.name}, ${machine}` };
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
