import type { Duplex } from 'node:stream';
import type { TerminalInput } from '@delta-ci/sandbox';
import { ShellOutput } from './shell-output.ts';

/** The terminal of whoever called. */
export interface PersonsTerminal {
  /** Its kind, as `TERM` names it. */
  readonly term: string;
  /** From now on keys go where they are taken, Ctrl-C among them; one at a time. */
  readonly open: () => OpenTerminal;
}

export interface OpenTerminal {
  /** Keys and sizes, the size it has first. Keys beyond a mebibyte that nobody took are lost; the bell tells of it. */
  readonly inputs: ReadableStream<TerminalInput>;
  /** Raised when the person wants to be out whatever the other side does: `LEAVE_KEY`, so often in a row. */
  readonly left: AbortSignal;
  /** Shows what a shell says; settles when there is room for more. */
  readonly show: (chunk: Uint8Array) => Promise<void>;
  /** Keys are the caller's again. */
  readonly close: () => void;
}

/** What is needed of `tty.ReadStream` and `tty.WriteStream`. */
type KeyStream = Duplex & { readonly setRawMode: (raw: boolean) => unknown };
type ScreenStream = Duplex & { readonly rows: number; readonly columns: number };

/** Ctrl-]. */
const LEAVE_KEY = 0x1d;
const LEAVE_TIMES = 3;
const BELL = '\u0007';
/** Enough for whatever is pasted into a shell by hand. */
const KEYS_WAITING_BYTES_MAX = 1024 ** 2;
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
  input: KeyStream,
  output: ScreenStream,
  environment: Readonly<Record<string, string | undefined>>,
): PersonsTerminal {
  const named = environment['TERM'] ?? '';
  return { term: TERM_NAME.test(named) ? named : 'dumb', open: () => openTerminal(input, output) };
}

function openTerminal(input: KeyStream, output: ScreenStream): OpenTerminal {
  const leaving = new AbortController();
  const shell = new ShellOutput();
  const typed = new TypedInputs(
    () => leaving.abort(),
    () => output.write(BELL),
  );
  const onKeys = (bytes: Buffer): void => typed.keys(bytes);
  const tellSize = (): void => typed.size(output.rows, output.columns);
  tellSize();
  input.setRawMode(true);
  // Never paused while it is open: whoever reads no keys does not see either that the person wants to be out.
  input.on('data', onKeys).resume();
  output.on('resize', tellSize);
  return {
    inputs: typed.inputs,
    left: leaving.signal,
    show: async (chunk) => {
      const shown = shell.take(chunk);
      await new Promise<void>((resolve) => output.write(shown, () => resolve()));
    },
    close: () => {
      input.off('data', onKeys);
      output.off('resize', tellSize);
      input.setRawMode(false);
      input.pause();
      output.write(shell.undoing);
    },
  };
}

/**
 * What is typed, until somebody takes it. So much of it waits, and what comes on top is lost, with `onLost` called each time; sizes
 * always wait. The leave key is counted in all of it, whether it is taken, lost, or of no use to anybody any more.
 */
class TypedInputs {
  readonly inputs: ReadableStream<TerminalInput>;
  readonly #askedToLeave = leaveKeys();
  readonly #onLeave: () => void;
  readonly #onLost: () => void;
  #waiting: ReadableStreamDefaultController<TerminalInput> | null = null;

  constructor(onLeave: () => void, onLost: () => void) {
    this.#onLeave = onLeave;
    this.#onLost = onLost;
    this.inputs = new ReadableStream<TerminalInput>(
      {
        start: (controller) => {
          this.#waiting = controller;
        },
        cancel: () => {
          this.#waiting = null;
        },
      },
      { highWaterMark: KEYS_WAITING_BYTES_MAX, size: (each) => (each.kind === 'keys' ? each.bytes.byteLength : 0) },
    );
  }

  keys(bytes: Uint8Array): void {
    if (this.#askedToLeave(bytes)) this.#onLeave();
    if (this.#waiting === null) return;
    if (bytes.byteLength > (this.#waiting.desiredSize ?? 0)) this.#onLost();
    else this.#waiting.enqueue({ kind: 'keys', bytes });
  }

  size(rows: number, columns: number): void {
    this.#waiting?.enqueue({ kind: 'size', rows, columns });
  }
}
