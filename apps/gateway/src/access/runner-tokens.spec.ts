import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RENEWABLE_MS, RunnerTokens, type RunnerTokensOptions } from './runner-tokens.ts';

const RUNNER = `rnr_${'1'.repeat(32)}`;
const KEY = new Uint8Array(32).fill(7);
const TTL_MS = 3_600_000;

function tokensAt(nowMs: number, over: Partial<RunnerTokensOptions> = {}): RunnerTokens {
  return new RunnerTokens({ key: KEY, environment: 'here', ttlMs: TTL_MS, nowMs: () => nowMs, ...over });
}

describe('tokens of runners', () => {
  const { token, tokenExpiresAtMs } = tokensAt(1_000).issue(RUNNER, 'default');

  it('speak for their runner until they run out', () => {
    expect(tokenExpiresAtMs).toBe(1_000 + TTL_MS);
    expect(tokensAt(tokenExpiresAtMs - 1).callerOf(token)).toEqual({
      kind: 'runner',
      runnerId: RUNNER,
      pool: 'default',
      registeredAtMs: 1_000,
    });
    expect(tokensAt(tokenExpiresAtMs).callerOf(token)).toBeNull();
  });

  it('run out also where they have been seen before', () => {
    let nowMs = 1_000;
    const tokens = tokensAt(0, { nowMs: () => nowMs });
    expect(tokens.callerOf(token)).toEqual(tokens.callerOf(token));
    nowMs = tokenExpiresAtMs;
    expect(tokens.callerOf(token)).toBeNull();
  });

  it('of another installation are refused, whether its key or its name is another', () => {
    expect(tokensAt(1_000, { key: new Uint8Array(32).fill(8) }).callerOf(token)).toBeNull();
    expect(tokensAt(1_000, { environment: 'elsewhere' }).callerOf(token)).toBeNull();
  });

  it('that were changed anywhere are refused', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: token.length - 1 }),
        fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }),
        (at, character) => {
          fc.pre(token[at] !== character);
          const changed = token.slice(0, at) + character + token.slice(at + 1);
          return tokensAt(1_000).callerOf(changed) === null;
        },
      ),
    );
  });

  it('are refused whatever else is sent instead', () => {
    fc.assert(fc.property(fc.string(), (text) => tokensAt(1_000).callerOf(text) === null));
    expect(tokensAt(1_000).callerOf(`${token}${'='.repeat(2_000)}`)).toBeNull();
  });

  it('are renewed with a new end, until the runner has to register anew', () => {
    const caller = tokensAt(1_000).callerOf(token);
    if (caller === null) throw new Error('the token does not hold');
    const later = 1_000 + RENEWABLE_MS;
    const renewed = tokensAt(later).renew(caller);
    expect(renewed?.tokenExpiresAtMs).toBe(later + TTL_MS);
    expect(tokensAt(later).callerOf(renewed?.token ?? '')).toEqual(caller);
    expect(tokensAt(later + 1).renew(caller)).toBeNull();
  });
});
