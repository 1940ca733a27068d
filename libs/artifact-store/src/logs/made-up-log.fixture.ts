import fc from 'fast-check';
import { BLOCK_BYTES } from './log-outline.ts';

/** Logs of up to some three blocks: short and long lines, none at all, line feeds at the edges of blocks. */
export const logBytes: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.record({
      text: fc.constantFrom('', 'x', 'a line of a log', 'é✓', '\r', '\u001b[32mok'),
      times: fc.constantFrom(0, 1, 2, 1_000, BLOCK_BYTES - 1, BLOCK_BYTES, 30),
      lines: fc.constantFrom(1, 1, 2, 500),
      ended: fc.boolean(),
    }),
    { maxLength: 6 },
  )
  .map((runs) => {
    const parts = runs.map(({ text, times, lines, ended }) =>
      Buffer.from(`${text.repeat(times).slice(0, BLOCK_BYTES)}${ended ? '\n'.repeat(lines) : ''}`),
    );
    return Buffer.concat(parts).subarray(0, 3 * BLOCK_BYTES + 7);
  });
