import { Socket } from 'node:net';
import type { Launched } from '../launch-step.ts';
import type { TerminalInput } from '../sandbox-executor.ts';

/** A window that is dragged has another size every few milliseconds. Whoever does not read so many misses some. */
const SIZES_WAITING_BYTES_MAX = 4_096;

const writerTo = (fd: number): Socket => {
  const pipe = new Socket({ fd, readable: false, writable: true });
  // Whoever read there is gone, which is told by how the step ends.
  return pipe.on('error', () => undefined);
};

const written = (pipe: Socket, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve) => pipe.write(bytes, () => resolve()));

async function passOn(
  reader: ReadableStreamDefaultReader<TerminalInput>,
  keys: Socket,
  sizes: Socket,
  onKeys: () => void,
) {
  for (;;) {
    const { value: input } = await reader.read();
    if (input === undefined) return;
    if (input.kind === 'keys') {
      onKeys();
      await written(keys, input.bytes);
    } else if (sizes.writableLength < SIZES_WAITING_BYTES_MAX) {
      sizes.write(`rows ${input.rows} columns ${input.columns}\n`);
    }
  }
}

/**
 * Hands what comes from a terminal to a step that was launched for one, each key once the one before was taken, until it ends or
 * the answer is called: then the step finds its terminal hung up, and nothing more is taken from `terminal`.
 */
export function typeInto(
  { gateFd, sizesFd }: Launched,
  terminal: ReadableStream<TerminalInput>,
  onKeys: () => void,
): () => void {
  if (gateFd === null || sizesFd === null) throw new Error('a step with a terminal is launched with pipes for it');
  const keys = writerTo(gateFd);
  const sizes = writerTo(sizesFd);
  const reader = terminal.getReader();
  const hangUp = (): void => {
    keys.destroy();
    sizes.destroy();
    void reader.cancel().catch(() => undefined);
  };
  // A terminal that breaks has hung up.
  void passOn(reader, keys, sizes, onKeys).then(hangUp, hangUp);
  return hangUp;
}
