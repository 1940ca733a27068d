import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CheckpointClaim, checkpointText, parseCheckpointText } from './checkpoint.ts';

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: length, maxLength: length });

const claims: fc.Arbitrary<CheckpointClaim> = fc.record({
  position: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  hash: hex(64),
  unfinished: hex(64).map((digits) => `sha256:${digits}`),
  time: fc
    .date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  keyId: hex(32),
});

describe('the text of a checkpoint', () => {
  it('is this one, which auditors and their scripts know', () => {
    const claim = {
      position: 22,
      hash: 'a'.repeat(64),
      unfinished: `sha256:${'b'.repeat(64)}`,
      time: '2026-11-20T10:00:00.000Z',
      keyId: 'c'.repeat(32),
    };
    expect(checkpointText(claim)).toBe(
      `delta-ci checkpoint 1\nposition 22\nhash ${'a'.repeat(64)}\nunfinished sha256:${'b'.repeat(64)}\n` +
        `time 2026-11-20T10:00:00.000Z\nkey ${'c'.repeat(32)}\n`,
    );
  });

  it('is read back as what it was made of', () => {
    fc.assert(fc.property(claims, (claim) => expect(parseCheckpointText(checkpointText(claim))).toEqual(claim)));
  });

  it('is one text for one claim: a text that can be read at all is the text of what was read', () => {
    const edits = fc.record({ at: fc.nat(), remove: fc.nat(3), insert: fc.string({ maxLength: 3 }) });
    fc.assert(
      fc.property(claims, edits, (claim, { at, remove, insert }) => {
        const text = checkpointText(claim);
        const from = at % text.length;
        const edited = text.slice(0, from) + insert + text.slice(from + remove);
        const read = parseCheckpointText(edited);
        expect(read === null || checkpointText(read) === edited).toBe(true);
      }),
    );
  });
});
