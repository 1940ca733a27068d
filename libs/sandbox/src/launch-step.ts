import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { closeSync, openSync, writeFile } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { attendOutlet } from './egress-outlet.ts';
import { inheritedDescriptors } from './inherited-descriptors.ts';
import { openGate, openOutputPipe } from './output-pipe.ts';
import type { EgressOutlet } from './sandbox-executor.ts';

/** A program to start: what it is given on descriptors 3 and up, and where its pipes lie. */
export type Launch = {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly feeds: readonly Buffer[];
  /** Whether the program writes a status on the descriptor after its feeds. */
  readonly reportsStatus: boolean;
  readonly outputPipe: string;
  /** What it has for its standard input; null when that is empty. */
  readonly gate: Gate | null;
  /** The named pipe from which it is told the sizes of its terminal, on descriptor `sizesFdOf`; null without a terminal. */
  readonly sizes: string | null;
  /** Who answers behind its outlet; the program has a channel for that after all other descriptors. Null without an outlet. */
  readonly outlet: EgressOutlet | null;
};

/** A named pipe, and the words that are said through it at once; null when they are told later, by whoever has the program. */
export type Gate = { readonly pipe: string; readonly words: string | null };

/** What a launcher says on one of its channels, up to a cap. */
export type Collected = { text: string; onText: (text: string) => void; readonly ended: Promise<void> };

/** Code and signal of a program, or the error that kept it from starting. */
export type Exit = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error: Error | null;
};

/** A program that was started. Whoever has it closes the descriptors. */
export type Launched = {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  /** What it reported so far, if it does. */
  readonly status: Collected;
  /** The launcher's own stderr. */
  readonly setup: Collected;
  /** Reads the step's output. */
  readonly outputFd: number;
  /** Writes to the gate, where there is one. */
  readonly gateFd: number | null;
  /** Writes sizes of a terminal, where there is one. */
  readonly sizesFd: number | null;
};

/** The descriptor behind all others: feeds, status, channel. */
export const sizesFdOf = (launch: Pick<Launch, 'feeds' | 'reportsStatus' | 'outlet'>): number =>
  3 + launch.feeds.length + (launch.reportsStatus ? 1 : 0) + (launch.outlet === null ? 0 : 1);

/** More than this of what a launcher says is of no use to anybody. */
const COLLECTED_CHARS = 4_096;

function collect(stream: unknown): Collected {
  const collected = { text: '', onText: (): void => undefined };
  if (!(stream instanceof Readable)) return { ...collected, ended: Promise.resolve() };
  const collecting: Collected = { ...collected, ended: new Promise((resolve) => stream.once('close', resolve)) };
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    if (collecting.text.length < COLLECTED_CHARS) collecting.text += text;
    collecting.onText(collecting.text);
  });
  stream.on('error', () => undefined);
  return collecting;
}

/** A child that dies early closes its end; what it did not read is of no interest then. */
function feed(child: ChildProcess, feeds: readonly Buffer[]): void {
  feeds.forEach((bytes, index) => {
    const stream: unknown = child.stdio[index + 3];
    if (!(stream instanceof Writable)) return;
    stream.on('error', () => undefined);
    stream.end(bytes);
  });
}

/**
 * What the child gets on each descriptor. Node leaves those it does not mention to the child if whoever started the
 * warden left them open, so every such descriptor is mentioned: the child finds /dev/null there.
 */
function descriptors(
  launch: Launch,
  {
    inputFd,
    outputFd,
    sizesFd,
    nullFd,
  }: Readonly<Record<'inputFd' | 'outputFd' | 'nullFd', number>> & {
    readonly sizesFd: number | null;
  },
): StdioOptions {
  const pipes = Array<'pipe'>(1 + launch.feeds.length + (launch.reportsStatus ? 1 : 0)).fill('pipe');
  const channel = launch.outlet === null ? [] : (['ipc'] as const);
  const sizes = sizesFd === null ? [] : [sizesFd];
  const own: Exclude<StdioOptions, string> = [inputFd, outputFd, ...pipes, ...channel, ...sizes];
  for (const leaked of inheritedDescriptors()) {
    while (own.length < leaked) own.push('ignore');
    own[leaked] ??= nullFd;
  }
  return own;
}

const exitOf = (child: ChildProcess): Promise<Exit> =>
  new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal, error: null }));
    child.once('error', (error) => resolve({ code: null, signal: null, error }));
  });

/** Says what a program is to do, through its gate. Whoever died meanwhile reads nothing: how it ended is then found out like for any other step. */
export function tell(launched: Launched, words: string): Launched {
  const { gateFd } = launched;
  if (gateFd !== null) writeFile(gateFd, words, () => closeSync(gateFd));
  return launched;
}

/** Starts a program with its pipes. Throws when the host refuses one of them; nothing is left open then. */
export function launchStep(launch: Launch): Launched {
  const [file, ...args] = launch.argv;
  const ours: number[] = [];
  const theirs: number[] = [];
  try {
    const nullFd = openSync('/dev/null', 'r');
    theirs.push(nullFd);
    const output = openOutputPipe(launch.outputPipe);
    ours.push(output.readFd);
    theirs.push(output.writeFd);
    const [gate, sizes] = [launch.gate?.pipe ?? null, launch.sizes].map((pipe) => {
      if (pipe === null) return null;
      const ends = openGate(pipe);
      ours.push(ends.writeFd);
      theirs.push(ends.readFd);
      return ends;
    });
    const inputFd = gate?.readFd ?? nullFd;
    const stdio = descriptors(launch, { inputFd, outputFd: output.writeFd, sizesFd: sizes?.readFd ?? null, nullFd });
    const child = spawn(file, args, { cwd: launch.cwd, env: { ...launch.env }, stdio, detached: true });
    const exited = exitOf(child);
    if (launch.outlet !== null) attendOutlet(child, launch.outlet);
    const status = collect(child.stdio[launch.feeds.length + 3]);
    const setup = collect(child.stderr);
    feed(child, launch.feeds);
    const [gateFd, sizesFd] = [gate?.writeFd ?? null, sizes?.writeFd ?? null];
    const launched = { child, exited, status, setup, outputFd: output.readFd, gateFd, sizesFd };
    const words = launch.gate?.words ?? null;
    return words === null ? launched : tell(launched, words);
  } catch (reason) {
    ours.forEach((fd) => closeSync(fd));
    throw reason;
  } finally {
    theirs.forEach((fd) => closeSync(fd));
  }
}
