import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { TerminalInput } from '@delta-ci/sandbox';
import { leaveKeys, personsTerminal } from './persons-terminal.ts';

const LEAVE = '\u001d';

/** A terminal that is open, with the hands of its person, and what it shows. */
function anOpenTerminal() {
  const input = Object.assign(new PassThrough(), { setRawMode: () => undefined });
  const output = Object.assign(new PassThrough(), { rows: 24, columns: 80 });
  const terminal = personsTerminal(input, output, {}).open();
  const type = async (keys: string | Uint8Array): Promise<void> => {
    const heard = once(input, 'data');
    input.write(keys);
    await heard;
  };
  return { terminal, type, input, output, shown: () => String(output.read() ?? '') };
}

async function allOf(inputs: ReadableStream<TerminalInput>, count: number): Promise<(string | object)[]> {
  const reader = inputs.getReader();
  const read: (string | object)[] = [];
  while (read.length < count) {
    const { value } = await reader.read();
    if (value === undefined) break;
    read.push(value.kind === 'keys' ? Buffer.from(value.bytes).toString() : value);
  }
  return read;
}

describe('the way out', () => {
  it('is the same key three times, with nothing in between', () => {
    const asked = leaveKeys();
    expect([`${LEAVE}${LEAVE}`, `x${LEAVE}`, LEAVE].map((keys) => asked(Buffer.from(keys)))).toEqual([
      false,
      false,
      false,
    ]);
    expect(asked(Buffer.from(LEAVE))).toBe(true);
  });

  it('is there while nobody takes what is typed', async () => {
    const { terminal, type } = anOpenTerminal();
    for (const keys of ['ls\n', LEAVE, LEAVE]) await type(keys);
    expect(terminal.left.aborted).toBe(false);
    await type(LEAVE);
    expect(terminal.left.aborted).toBe(true);
  });

  it('is there when no more keys can wait, and when nobody wants any', async () => {
    const full = anOpenTerminal();
    await full.type(Buffer.alloc(2 * 1024 ** 2, 'x'));
    for (const keys of [LEAVE, LEAVE, LEAVE]) await full.type(keys);
    expect(full.terminal.left.aborted).toBe(true);

    const over = anOpenTerminal();
    await over.terminal.inputs.cancel();
    for (const keys of [LEAVE, LEAVE, LEAVE]) await over.type(keys);
    expect(over.terminal.left.aborted).toBe(true);
  });
});

describe('what is typed', () => {
  it('waits in order, the size first, and what is too much is lost with a bell', async () => {
    const { terminal, type, output, shown } = anOpenTerminal();
    await type('ls');
    await type(Buffer.alloc(1024 ** 2, 'x'));
    expect(shown()).toBe('\u0007');
    output.rows = 30;
    output.emit('resize');
    await type('\n');
    expect(await allOf(terminal.inputs, 4)).toEqual([
      { kind: 'size', rows: 24, columns: 80 },
      'ls',
      { kind: 'size', rows: 30, columns: 80 },
      '\n',
    ]);
  });

  it('is heard until the terminal is closed', async () => {
    const { terminal, type, input } = anOpenTerminal();
    await type('x');
    expect(input.isPaused()).toBe(false);
    terminal.close();
    expect([input.isPaused(), input.listenerCount('data')]).toEqual([true, 0]);
  });
});
