import { describe, expect, it } from '@jest/globals';
import { signRepeatedly } from './sign-when-elected.ts';

/** Signs as told, one answer a round, and writes down what was waited for; ends when nothing more is told. */
async function rounds(answers: readonly (number | Error)[], events: number): Promise<unknown[]> {
  const waited: unknown[] = [];
  const troubles: unknown[] = [];
  const over = new AbortController();
  await signRepeatedly({
    events,
    intervalMs: 60_000,
    signal: over.signal,
    waitPast: (position) => {
      waited.push(position);
      if (waited.length === answers.length) over.abort();
      return Promise.resolve();
    },
    sign: () => {
      const answer = answers[waited.length] ?? 0;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    onTrouble: (error) => troubles.push(error),
  });
  expect(troubles).toEqual(answers.filter((answer) => answer instanceof Error));
  return waited;
}

describe('signing again and again', () => {
  it('waits for so many records after the checkpoint and its own', async () => {
    // Covered is 500, the checkpoint stands at 501: a thousand more make 1501.
    expect(await rounds([500, 1_700, 1_700], 1_000)).toEqual([1_500, 2_700, 2_700]);
  });

  it('of every record waits for one besides the checkpoint, so that it never signs only itself', async () => {
    expect(await rounds([7], 1)).toEqual([8]);
  });

  it('after a failure waits for the interval alone', async () => {
    expect(await rounds([new Error('the store is full'), 500], 1_000)).toEqual([Number.MAX_SAFE_INTEGER, 1_500]);
  });
});
