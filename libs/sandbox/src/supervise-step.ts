import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { inheritedDescriptors } from './inherited-descriptors.ts';
import { CappedOutput, type OutputTotals } from './capped-output.ts';
import { openOutputPipe, pumpOutput, type OutputEnds } from './output-pipe.ts';
import type { OutputSink, StepEnding, StepSpec } from './sandbox-executor.ts';
import { StepStopper, watchStep } from './step-stopper.ts';

/** A program to start: what it is given on descriptors 3 and up, and where its output pipe lies. */
export type Launch = {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly feeds: readonly Buffer[];
  /** Whether the program writes a status on the descriptor after its feeds. */
  readonly reportsStatus: boolean;
  readonly outputPipe: string;
  readonly outputBytes: number;
};

/** How one tier reaches the processes of its step. `status` is what the program reported so far, if it does. */
export type Containment = {
  terminate(child: ChildProcess, status: string): void;
  kill(child: ChildProcess, status: string): void;
  /** Called when the program is gone: nothing of the step may live when this settles. */
  sweep(status: string): Promise<void>;
  /** Resolves when the step must be stopped for its use of the disk; never otherwise. Ends with the signal. */
  diskExceeded(signal: AbortSignal): Promise<void>;
};

export type Supervised = {
  /** False when the sandbox itself would not start; `setupMessage` says why. */
  readonly started: boolean;
  readonly setupMessage: string;
  readonly endedBy: StepEnding;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly wallMs: number;
  readonly output: OutputTotals;
};

/** What a launcher prints on its own stderr right before the step takes over; see `STEP_ENTRY`. */
export const STARTED_MARK = '@started\n';

/** The launcher's own stderr: the mark, or the words of whatever kept the sandbox from starting. */
const SETUP_MESSAGE_CHARS = 4_096;

type Collected = { text: string; readonly ended: Promise<void> };

const NOTHING_COLLECTED: Collected = { text: '', ended: Promise.resolve() };

function collect(stream: unknown, cap: number, onText: (text: string) => void): Collected {
  if (!(stream instanceof Readable)) return NOTHING_COLLECTED;
  const collected: Collected = { text: '', ended: new Promise((resolve) => stream.once('close', resolve)) };
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    if (collected.text.length < cap) collected.text += text;
    onText(collected.text);
  });
  stream.on('error', () => undefined);
  return collected;
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
function descriptors(launch: Launch, writeFd: number, nullFd: number): StdioOptions {
  const pipes = Array<'pipe'>(1 + launch.feeds.length + (launch.reportsStatus ? 1 : 0)).fill('pipe');
  const own: Exclude<StdioOptions, string> = ['ignore', writeFd, ...pipes];
  for (const leaked of inheritedDescriptors()) {
    while (own.length < leaked) own.push('ignore');
    own[leaked] ??= nullFd;
  }
  return own;
}

function start(launch: Launch, { readFd, writeFd }: OutputEnds): ChildProcess {
  const [file, ...args] = launch.argv;
  const nullFd = openSync('/dev/null', 'r');
  try {
    const stdio = descriptors(launch, writeFd, nullFd);
    return spawn(file, args, { cwd: launch.cwd, env: { ...launch.env }, stdio, detached: true });
  } catch (reason) {
    closeSync(readFd);
    throw reason;
  } finally {
    closeSync(nullFd);
    closeSync(writeFd);
  }
}

/** Code and signal of the program, or the error that kept it from starting. */
type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly error: Error | null };

const exitOf = (child: ChildProcess): Promise<Exit> =>
  new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal, error: null }));
    child.once('error', (error) => resolve({ code: null, signal: null, error }));
  });

/** Starts a program, sees it through to its end whatever that takes, and says how it went. */
export async function superviseStep(
  launch: Launch,
  step: StepSpec,
  containment: Containment,
  killGraceMs: number,
  sink: OutputSink,
): Promise<Supervised> {
  const ends = openOutputPipe(launch.outputPipe);
  const startedAt = performance.now();
  const child = start(launch, ends);
  const exited = exitOf(child);
  const status = collect(child.stdio[launch.feeds.length + 3], SETUP_MESSAGE_CHARS, () => undefined);
  const stopper = new StepStopper(
    () => containment.terminate(child, status.text),
    () => containment.kill(child, status.text),
    killGraceMs,
  );
  const setup = collect(child.stderr, SETUP_MESSAGE_CHARS, (text) => {
    if (text.startsWith(STARTED_MARK)) stopper.stepStarted();
  });
  feed(child, launch.feeds);
  const watched = watchStep(step, stopper, (signal) => containment.diskExceeded(signal));
  const output = new CappedOutput(launch.outputBytes, sink, () => stopper.stopAtOnce('cancel'));
  const pump = pumpOutput(ends.readFd, output, watched.sawOutput);
  const exit = await exited;
  const wallMs = performance.now() - startedAt;
  watched.disarm();
  await containment.sweep(status.text);
  pump.expectEnd();
  await Promise.all([pump.done, setup.ended]);
  const started = setup.text.startsWith(STARTED_MARK);
  return {
    started,
    setupMessage: started ? '' : (exit.error?.message ?? setup.text.trim()),
    endedBy: stopper.endedBy,
    exitCode: exit.code,
    signal: exit.signal,
    wallMs,
    output: output.totals(),
  };
}
