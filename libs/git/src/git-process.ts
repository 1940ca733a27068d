import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { endGroup, startInGroup, TextTail, type ProcessSpec } from './process-group.ts';
import { hasErrorCode } from './system-error.ts';

/** Enough for every message git has; a remote can write more to it, and does not get to fill our memory. */
const STDERR_LIMIT_BYTES = 16_384;

/** What is fed to a process: all at once, or piece by piece as it takes it. */
export type ProcessInput = Buffer | Iterable<Buffer> | AsyncIterable<Buffer>;

export interface ProcessLimits {
  /** Milliseconds from start to end. */
  readonly timeLimitMs: number;
  /** Bytes of standard output. */
  readonly maxOutputBytes: number;
  readonly signal?: AbortSignal | undefined;
}

export type ProcessEnd =
  | { readonly kind: 'exited'; readonly exitCode: number; readonly stderr: string }
  | { readonly kind: 'not_started'; readonly reason: string; readonly missing: boolean }
  | { readonly kind: 'timed_out' | 'canceled' | 'output_too_large'; readonly stderr: string };

/** Takes one piece of standard output. Returning false ends the process early; a promise holds back further output. */
export type TakeChunk = (chunk: Buffer) => boolean | void | Promise<boolean | void>;

type CutShort = 'timed_out' | 'canceled' | 'output_too_large' | 'had_enough';

/** One process between start and end: remembers why it was ended early, so that the reason can be told. */
class Watched {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stderr = new TextTail(STDERR_LIMIT_BYTES);
  cutShort: CutShort | undefined;
  private startError: NodeJS.ErrnoException | undefined;
  readonly closed: Promise<number | null>;

  constructor(spec: ProcessSpec) {
    this.child = startInGroup(spec);
    this.child.stderr.on('data', (chunk: Buffer) => this.stderr.add(chunk));
    this.child.on('error', (error) => {
      this.startError = error;
    });
    this.closed = new Promise((resolve) => {
      this.child.once('close', (exitCode) => resolve(exitCode));
    });
  }

  cut(reason: CutShort): void {
    if (this.cutShort !== undefined) return;
    this.cutShort = reason;
    endGroup(this.child);
  }

  end(exitCode: number | null): ProcessEnd {
    if (this.startError !== undefined && this.child.pid === undefined) {
      return { kind: 'not_started', reason: this.startError.message, missing: this.startError.code === 'ENOENT' };
    }
    const stderr = this.stderr.text();
    if (this.cutShort === 'had_enough') return { kind: 'exited', exitCode: 0, stderr };
    if (this.cutShort !== undefined) return { kind: this.cutShort, stderr };
    return { kind: 'exited', exitCode: exitCode ?? 128, stderr };
  }
}

async function feed(watched: Watched, input: ProcessInput | undefined): Promise<void> {
  const source = input === undefined ? [] : Buffer.isBuffer(input) ? [input] : input;
  try {
    await pipeline(Readable.from(source, { objectMode: false }), watched.child.stdin);
  } catch (error) {
    // A process may end without reading everything it was given; its exit code says whether that was a failure.
    if (!hasErrorCode(error, 'EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED')) throw error;
  }
}

async function drain(watched: Watched, maxOutputBytes: number, take: TakeChunk): Promise<void> {
  let seenBytes = 0;
  try {
    for await (const chunk of watched.child.stdout) {
      if (!Buffer.isBuffer(chunk)) throw new Error('standard output must be read as bytes');
      if (watched.cutShort !== undefined) return;
      seenBytes += chunk.length;
      if (seenBytes > maxOutputBytes) return watched.cut('output_too_large');
      if ((await take(chunk)) === false) return watched.cut('had_enough');
    }
  } catch (error) {
    if (watched.cutShort === undefined) throw error;
  }
}

/**
 * Runs a program to its end: arguments as an array, a process group of its own, bounded in time and output.
 * What `take` or `input` throw ends the process and is thrown again; everything else is told by the result.
 */
export async function runProcess(
  spec: ProcessSpec,
  limits: ProcessLimits,
  take: TakeChunk,
  input?: ProcessInput,
): Promise<ProcessEnd> {
  if (limits.signal?.aborted === true) return { kind: 'canceled', stderr: '' };
  const watched = new Watched(spec);
  const timer = setTimeout(() => watched.cut('timed_out'), limits.timeLimitMs);
  const cancel = (): void => watched.cut('canceled');
  limits.signal?.addEventListener('abort', cancel, { once: true });
  try {
    await Promise.all([feed(watched, input), drain(watched, limits.maxOutputBytes, take)]);
  } catch (error) {
    watched.cut('canceled');
    await watched.closed;
    throw error;
  } finally {
    clearTimeout(timer);
    limits.signal?.removeEventListener('abort', cancel);
  }
  return watched.end(await watched.closed);
}
