import type { ReadStream, WriteStream } from 'node:tty';
import type { TerminalInput } from '@delta-ci/sandbox';
import { ShellOutput, TERMINAL_AS_IT_WAS } from './shell-output.ts';

/** The terminal of whoever called. */
export interface PersonsTerminal {
  /** Its kind, as `TERM` names it. */
  readonly term: string;
  /** From now on keys go where they are taken, Ctrl-C among them; one at a time. */
  readonly open: () => OpenTerminal;
}

export interface OpenTerminal {
  /** Keys and sizes, the size it has first. */
  readonly inputs: ReadableStream<TerminalInput>;
  /** Raised when the person wants to be out whatever the other side does: `LEAVE_KEY`, so often in a row. */
  readonly left: AbortSignal;
  /** Shows what a shell says; settles when there is room for more. */
  readonly show: (chunk: Uint8Array) => Promise<void>;
  /** Keys are the caller's again. */
  readonly close: () => void;
}

/** Ctrl-]. */
const LEAVE_KEY = 0x1d;
const LEAVE_TIMES = 3;
const TERM_NAME = /^[A-Za-z0-9.+_-]{1,64}$/u;

/** Counts the leave key. True when it came so often, with nothing in between. */
export function leaveKeys(): (keys: Uint8Array) => boolean {
  let inARow = 0;
  return (keys) => {
    for (const key of keys) {
      inARow = key === LEAVE_KEY ? inARow + 1 : 0;
      if (inARow === LEAVE_TIMES) return true;
    }
    return false;
  };
}

export function personsTerminal(
  input: ReadStream,
  output: WriteStream,
  environment: Readonly<Record<string, string | undefined>>,
): PersonsTerminal {
  const named = environment['TERM'] ?? '';
  return { term: TERM_NAME.test(named) ? named : 'dumb', open: () => openTerminal(input, output) };
}

function openTerminal(input: ReadStream, output: WriteStream): OpenTerminal {
  const leaving = new AbortController();
  const shell = new ShellOutput();
  const askedToLeave = leaveKeys();
  const stop = new AbortController();
  const inputs = new ReadableStream<TerminalInput>({
    start: (controller) => {
      const tellSize = (): void => controller.enqueue({ kind: 'size', rows: output.rows, columns: output.columns });
      const onKeys = (bytes: Buffer): void => {
        if (askedToLeave(bytes)) leaving.abort();
        controller.enqueue({ kind: 'keys', bytes });
        if ((controller.desiredSize ?? 0) <= 0) input.pause();
      };
      tellSize();
      input.setRawMode(true);
      input.on('data', onKeys);
      output.on('resize', tellSize);
      stop.signal.addEventListener('abort', () => {
        input.off('data', onKeys);
        output.off('resize', tellSize);
      });
    },
    pull: () => void input.resume(),
    cancel: () => stop.abort(),
  });
  return {
    inputs,
    left: leaving.signal,
    show: async (chunk) => {
      const shown = shell.take(chunk);
      await new Promise<void>((resolve) => output.write(shown, () => resolve()));
    },
    close: () => {
      stop.abort();
      input.setRawMode(false);
      input.pause();
      output.write(TERMINAL_AS_IT_WAS);
    },
  };
}
