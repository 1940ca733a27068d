import { describe, expect, it } from '@jest/globals';
import { recorded } from '../recorded-surroundings.fixture.ts';
import { verificationText } from './audit-verify.ts';

const { surroundings } = recorded('/');
const WHOLE = {
  finding: null,
  checked: 9,
  position: 9,
  hash: 'a'.repeat(64),
  signedUpTo: 9,
  checkpoints: 1,
  complete: true,
};

describe('what is said of a log that was verified', () => {
  it.each([
    ['store', 'that it kept some back, and the end of the log, is not noticed'],
    ['none', 'an end cut off is not noticed'],
  ] as const)('names what could be missing without being noticed, checkpoints from outside: %s', (outside, words) => {
    expect(verificationText(surroundings, WHOLE, { through: 'the gateway', outside }, null)).toContain(words);
  });

  it('has nothing to add when checkpoints were given that somebody kept', () => {
    const text = verificationText(surroundings, WHOLE, { through: 'the gateway', outside: 'given' }, null);
    expect(text).toMatch(/^as recorded 9 records recomputed/);
    expect(text).not.toContain('not noticed');
  });

  it('does not call as recorded what nobody signed', () => {
    const unsigned = { ...WHOLE, signedUpTo: 0, checkpoints: 0 };
    const text = verificationText(surroundings, unsigned, { through: 'the database', outside: 'given' }, null);
    expect(text).toMatch(/^not judged 9 records recomputed/);
  });
});
