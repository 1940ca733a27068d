import { describe, expect, it } from '@jest/globals';
import { refuse, type DebugInput } from '@delta-ci/contracts';
import type { TerminalInput } from '@delta-ci/sandbox';
import fc from 'fast-check';
import { inputsIn, typedInput } from './debug-input.ts';
import { Refused } from './gateway-client.ts';

const keys = (sequence: number, text: string): DebugInput => ({
  sequence,
  input: { kind: 'keys', bytes: Buffer.from(text).toString('base64') },
});
const asEvent = (input: DebugInput): string =>
  `id: ${input.sequence}\nevent: input\ndata: ${JSON.stringify(input)}\n\n`;

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Promise.resolve(Buffer.from(text));
}

/** What a shell is given by streams that come one after the other; after the last the gateway refuses another. */
async function given(...streams: readonly (readonly string[])[]): Promise<{ told: string[]; bytes: number }> {
  const { code, message, details } = refuse('stale_lease', 'over');
  const left = [...streams];
  const { terminal, bytes } = typedInput(async () => {
    const next = left.shift();
    if (next === undefined) throw new Refused(code, message, details);
    return Promise.resolve(pieces(...next));
  }, new AbortController());
  const told: string[] = [];
  for await (const input of terminal as ReadableStream<TerminalInput> & AsyncIterable<TerminalInput>) {
    told.push(input.kind === 'keys' ? Buffer.from(input.bytes).toString('utf8') : `${input.rows}x${input.columns}`);
  }
  return { told, bytes: bytes() };
}

describe('what is typed far away', () => {
  it('comes in order after a first size, with comments in between left out, and is counted', async () => {
    const size: DebugInput = { sequence: 2, input: { kind: 'size', rows: 50, columns: 120 } };
    const events = [': \n\n', asEvent(keys(1, 'ls\n')), asEvent(size), ': \n\n'];
    expect(await given(events)).toEqual({ told: ['24x80', 'ls\n', '50x120'], bytes: 3 });
  });

  it('goes on by another stream where one breaks, without what was passed on twice', async () => {
    const broken = `${asEvent(keys(1, 'a'))}data: {"seq`;
    const { told } = await given([broken], [asEvent(keys(1, 'a')), asEvent(keys(2, 'b'))], ['data: nonsense\n\n']);
    expect(told).toEqual(['24x80', 'a', 'b']);
  });

  it('law: is the same in whatever pieces it comes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string(), { maxLength: 5 }), fc.array(fc.nat(300)), async (texts, cuts) => {
        const whole = texts.map((text, at) => asEvent(keys(at + 1, text))).join('');
        const places = [0, ...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length];
        const parts = places.slice(1).map((to, at) => whole.slice(places[at], to));
        const told: string[] = [];
        for await (const { input } of inputsIn(pieces(...parts))) {
          if (input.kind === 'keys') told.push(Buffer.from(input.bytes, 'base64').toString('utf8'));
        }
        expect(told).toEqual(texts.map((text) => text.toWellFormed()));
      }),
    );
  });

  it('is not waited for without end when an event has none', async () => {
    const body = pieces(`data: ${'x'.repeat(70_000)}`);
    await expect(inputsIn(body).next()).rejects.toThrow('does not end');
  });
});
