import { describe, expect, it } from '@jest/globals';
import { RunnerToken } from './runner-token.ts';

const HOUR_MS = 3_600_000;
const RUNNER = `rnr_${'1'.repeat(32)}`;

/** A token whose gateway's clock is `skewMs` ahead of ours, on a clock that the spec moves. */
function tokenWith({ skewMs = 0, failures = 0 } = {}) {
  const state = { elapsedMs: 0, renewals: 0, failures, hidden: new Array<string>() };
  const answer = (token: string) => ({ runnerId: RUNNER, token, tokenExpiresAtMs: state.elapsedMs + skewMs + HOUR_MS });
  const token = new RunnerToken(answer('fake-0'), {
    renew: async () => {
      if (state.failures > 0) {
        state.failures -= 1;
        return Promise.reject(new Error('the gateway is away'));
      }
      state.renewals += 1;
      return Promise.resolve(answer(`fake-${state.renewals}`));
    },
    onRenewed: (renewed) => state.hidden.push(renewed),
    dateMs: () => state.elapsedMs,
    elapsedMs: () => state.elapsedMs,
  });
  return { token, state };
}

describe('the token of a runner', () => {
  it('given a fresh token, then it is used as it is', async () => {
    const { token, state } = tokenWith();
    expect(await token.current()).toBe('fake-0');
    expect(state.renewals).toBe(0);
  });

  it.each([0, 20 * 60_000, -20 * 60_000, -2 * HOUR_MS])(
    'given clocks that are %d ms apart, when a third of an hour has passed, then it was renewed, once for all who ask, and hidden',
    async (skewMs) => {
      const { token, state } = tokenWith({ skewMs });
      state.elapsedMs = HOUR_MS / 3;
      expect(await Promise.all([token.current(), token.current()])).toEqual(['fake-1', 'fake-1']);
      expect(state.hidden).toEqual(['fake-1']);
    },
  );

  it('given a gateway that is away, then the old token is used, and the next call tries again', async () => {
    const { token, state } = tokenWith({ failures: 1 });
    state.elapsedMs = HOUR_MS / 3;
    expect(await token.current()).toBe('fake-0');
    state.elapsedMs += 1_000;
    expect(await token.current()).toBe('fake-1');
  });
});
