import type { OutputSink, TerminalInput } from '../sandbox-executor.ts';

/** Somebody at a terminal, who reads what is shown before typing the next thing. */
export type Person = {
  readonly terminal: ReadableStream<TerminalInput>;
  readonly sink: OutputSink;
  /** All that was shown so far. */
  readonly screen: () => string;
  readonly type: (keys: string) => void;
  readonly resize: (rows: number, columns: number) => void;
  /** Settles once `wanted` is shown. What is typed is shown too: type it so that it does not say `wanted` itself. */
  readonly sees: (wanted: string) => Promise<void>;
  readonly hangUp: () => void;
};

export function person(): Person {
  const { readable, writable } = new TransformStream<TerminalInput, TerminalInput>({}, undefined, {
    highWaterMark: 1_000,
  });
  const writer = writable.getWriter();
  const give = (input: TerminalInput): void => void writer.write(input).catch(() => undefined);
  let screen = '';
  let waiting: { readonly wanted: string; readonly seen: () => void }[] = [];
  const look = (): void => {
    waiting = waiting.filter(({ wanted, seen }) => {
      if (screen.includes(wanted)) seen();
      return !screen.includes(wanted);
    });
  };
  const resize = (rows: number, columns: number): void => give({ kind: 'size', rows, columns });
  resize(30, 100);
  return {
    terminal: readable,
    sink: async (chunk) => {
      screen += Buffer.from(chunk).toString('utf8');
      look();
    },
    screen: () => screen,
    type: (keys) => give({ kind: 'keys', bytes: Buffer.from(keys) }),
    resize,
    sees: async (wanted) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ wanted, seen: resolve });
      look();
      return promise;
    },
    hangUp: () => void writer.close().catch(() => undefined),
  };
}
