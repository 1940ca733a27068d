import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { runOnDeath } from '../bootstrap/leash.mjs';
import type { Machine } from './arguments.ts';
import { GuestConsole } from './console.ts';
import type { GuestEnd } from './verdict.ts';

export interface MachineFiles {
  readonly kernel: string;
  readonly initialMemory: string;
  /** An ext4 for all that the guest writes. */
  readonly disk: string;
  /** Where the kernel's own messages go. */
  readonly log: string;
}

/** On a panic QEMU ends. A machine that is busy is no broken timer. Guards against leaks of a real processor only make a translated one slower. */
const APPEND = 'console=ttyS0 panic=-1 quiet no_timer_check';

/** In an option of QEMU a comma ends a value, and two are one. */
const value = (path: string): string => path.replaceAll(',', ',,');

/** 4 GiB, this machine's files, a disk; the first serial line for the kernel, the second for the work. */
export const machineArguments = (machine: Machine, files: MachineFiles): readonly string[] =>
  machine === 'uml' ? umlArguments(files) : qemuArguments(machine, files);

/** What its kernel says goes to its stderr. */
const umlArguments = ({ initialMemory, disk }: MachineFiles): readonly string[] =>
  [
    ['mem=4096M', `initrd=${initialMemory}`, `ubd0=${disk}`, 'panic=-1', 'quiet'],
    ['con=null', 'con0=fd:2,fd:2', 'ssl=null', 'ssl1=fd:0,fd:1'],
  ].flat();

function qemuArguments(accelerator: 'kvm' | 'tcg', files: MachineFiles): readonly string[] {
  const processor = accelerator === 'kvm' ? 'host' : 'max';
  return [
    ['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ['-machine', 'q35', '-accel', accelerator, '-cpu', processor, '-smp', '2', '-m', '4096'],
    [
      '-kernel',
      files.kernel,
      '-initrd',
      files.initialMemory,
      '-append',
      accelerator === 'kvm' ? APPEND : `${APPEND} mitigations=off`,
    ],
    ['-serial', `file:${value(files.log)}`, '-serial', 'stdio'],
    ['-drive', `file=${value(files.disk)},if=virtio,format=raw,cache=unsafe`],
    ['-virtfs', 'local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap'],
  ].flat();
}

export interface Boot {
  readonly program: string;
  readonly args: readonly string[];
  readonly libraryPath: string;
  readonly log: string;
  /** Within this it has to be as far as to run something. */
  readonly upWithinMs: number;
  readonly limitMs: number;
  /** Called when it is. */
  readonly onUp: () => void;
}

/** `never-up`: it did not come as far as its work, with what it said last. */
export type BootEnd = GuestEnd | { readonly kind: 'never-up'; readonly said: string };

/** The end of what the guest's kernel, and what carries it, said. */
const SAID_CHARS = 2_000;

/** Boots a guest and waits for its end, or ends it. It is gone when this settles; what the work in it says is shown as it comes. */
export async function bootGuest(boot: Boot, show: (text: string) => void, signal: AbortSignal): Promise<BootEnd> {
  const env = boot.libraryPath === '' ? process.env : { ...process.env, LD_LIBRARY_PATH: boot.libraryPath };
  const child = spawn(boot.program, boot.args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  // A kernel that is a program has others beside it, which outlive it and keep its output open: all go together.
  const { pid } = child;
  const tie = pid === undefined ? null : runOnDeath(`kill -s KILL -- -${pid}`);
  const guest = new GuestConsole();
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const wasUp = guest.isUp;
    show(guest.take(text));
    if (guest.isUp && !wasUp) boot.onUp();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-SAID_CHARS)));
  let cut: BootEnd['kind'] | null = null;
  const end = (kind: BootEnd['kind']): void => {
    cut ??= kind;
    if (pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-pid, 'SIGKILL');
  };
  const stop = (): void => end('stopped');
  const timers = [
    setTimeout(() => guest.isUp || end('never-up'), boot.upWithinMs),
    setTimeout(() => end('out-of-time'), boot.limitMs),
  ];
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    await once(child, 'close');
  } finally {
    tie?.release();
    timers.forEach((timer) => clearTimeout(timer));
    signal.removeEventListener('abort', stop);
  }
  const log = await readFile(boot.log, 'utf8').catch(() => '');
  const said = `${log}${complaint}`.trim().slice(-SAID_CHARS);
  return endOf(guest, cut, said);
}

function endOf({ isUp, exitCode, batteries }: GuestConsole, cut: BootEnd['kind'] | null, said: string): BootEnd {
  if (exitCode !== null) return { kind: 'done', exitCode, batteries };
  if (cut === 'stopped' || cut === 'out-of-time') return { kind: cut };
  return isUp ? { kind: 'gone', said } : { kind: 'never-up', said };
}
