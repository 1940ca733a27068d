import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import type { CappedOutput } from './capped-output.ts';

/**
 * Node hands children socket pairs where a shell would hand them pipes, and opening `/dev/stdout` of a socket fails.
 * Jobs do that, so their output goes through a named pipe of the executor's, opened anew for every step.
 */
export async function makePipes(paths: readonly string[]): Promise<void> {
  await promisify(execFile)('mkfifo', ['-m', '600', ...paths]);
}

export type OutputEnds = { readonly readFd: number; readonly writeFd: number };

/** Both ends: `writeFd` is for the child and blocks, `readFd` ends when the last holder of the other end is gone. */
export function openOutputPipe(path: string): OutputEnds {
  const holder = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    const writeFd = openSync(path, constants.O_WRONLY);
    return { readFd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), writeFd };
  } finally {
    closeSync(holder);
  }
}

export type GateEnds = { readonly readFd: number; readonly writeFd: number };

/** Both ends: `readFd` is for the child, whose reading ends when `writeFd` is closed. */
export function openGate(path: string): GateEnds {
  const holder = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    const readFd = openSync(path, constants.O_RDONLY);
    return { readFd, writeFd: openSync(path, constants.O_WRONLY) };
  } finally {
    closeSync(holder);
  }
}

export type OutputPump = {
  readonly done: Promise<void>;
  /** Everything that wrote is dead: silence from here on means the pipe was carried off, and is cut. */
  expectEnd(): void;
};

/** How long a carried-off pipe may stay silent after its step is gone. The kernel closes those of dead processes at once. */
const CARRIED_OFF_MS = 2_000;

/** Reads `readFd` to its end, one chunk at a time, each taken before the next is read. */
export function pumpOutput(readFd: number, output: CappedOutput, onChunk: () => void): OutputPump {
  const stream = new Socket({ fd: readFd, readable: true, writable: false });
  let reading = true;
  let expecting = false;
  let ended = false;
  let cutter: NodeJS.Timeout | undefined;
  const armCutter = (): void => {
    clearTimeout(cutter);
    if (expecting && reading && !ended) cutter = setTimeout(() => stream.destroy(), CARRIED_OFF_MS);
  };
  const readAll = async (): Promise<void> => {
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        reading = false;
        onChunk();
        await output.take(chunk);
        reading = true;
        armCutter();
      }
    } catch (reason) {
      if (!stream.destroyed) throw reason;
    } finally {
      ended = true;
      clearTimeout(cutter);
    }
  };
  return {
    done: readAll(),
    expectEnd: () => {
      expecting = true;
      armCutter();
    },
  };
}
