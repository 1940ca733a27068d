import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import type { OutputSink } from './sandbox-executor.ts';

/**
 * Node hands children socket pairs where a shell would hand them pipes, and opening `/dev/stdout` of a socket fails.
 * Jobs do that, so their output goes through a named pipe of the executor's, opened anew for every step.
 */
export async function makeOutputPipe(path: string): Promise<void> {
  await promisify(execFile)('mkfifo', ['-m', '600', path]);
}

/** Both ends: `writeFd` is for the child and blocks, `readFd` ends when the last holder of the other end is gone. */
export function openOutputPipe(path: string): { readonly readFd: number; readonly writeFd: number } {
  const holder = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    const writeFd = openSync(path, constants.O_WRONLY);
    return { readFd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), writeFd };
  } finally {
    closeSync(holder);
  }
}

export type OutputTotals = { readonly bytes: number; readonly truncated: boolean; readonly sinkError: Error | null };

export type OutputPump = {
  readonly done: Promise<OutputTotals>;
  /** Everything that wrote is dead: silence from here on means the pipe was carried off, and is cut. */
  expectEnd(): void;
};

/** How long a carried-off pipe may stay silent after its step is gone. The kernel closes those of dead processes at once. */
const CARRIED_OFF_MS = 2_000;

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));

const cutMarker = (capBytes: number): Buffer => Buffer.from(`\n[output cut: more than ${capBytes} bytes]\n`);

/** Splits off what still fits under the cap. */
function fit(chunk: Buffer, before: number, capBytes: number): Buffer {
  return before >= capBytes ? chunk.subarray(0, 0) : chunk.subarray(0, capBytes - before);
}

/** Reads `readFd` to its end, one chunk at a time, each handed to `sink` before the next is read. */
export function pumpOutput(readFd: number, capBytes: number, sink: OutputSink, onChunk: () => void): OutputPump {
  const stream = new Socket({ fd: readFd, readable: true, writable: false });
  let bytes = 0;
  let sinkError: Error | null = null;
  let reading = true;
  let expecting = false;
  let cutter: NodeJS.Timeout | undefined;

  const deliver = async (chunk: Buffer): Promise<void> => {
    if (sinkError !== null || chunk.length === 0) return;
    try {
      await sink(chunk);
    } catch (reason) {
      sinkError = asError(reason);
      onChunk();
    }
  };
  const armCutter = (): void => {
    clearTimeout(cutter);
    if (expecting && reading) cutter = setTimeout(() => stream.destroy(), CARRIED_OFF_MS);
  };
  const take = async (chunk: Buffer): Promise<void> => {
    const before = bytes;
    bytes += chunk.length;
    await deliver(fit(chunk, before, capBytes));
    if (before <= capBytes && bytes > capBytes) await deliver(cutMarker(capBytes));
  };
  const readAll = async (): Promise<OutputTotals> => {
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        reading = false;
        onChunk();
        await take(chunk);
        reading = true;
        armCutter();
      }
    } catch (reason) {
      if (!stream.destroyed) throw reason;
    } finally {
      clearTimeout(cutter);
    }
    return { bytes, truncated: bytes > capBytes, sinkError };
  };
  return {
    done: readAll(),
    expectEnd: () => {
      expecting = true;
      armCutter();
    },
  };
}
