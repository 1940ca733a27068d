import { describe, expect, it } from '@jest/globals';
import { EXPIRED_AT_ONCE_MAX } from '@delta-ci/contracts';
import { expireRepeatedly } from './expire-when-elected.ts';

/** Runs until as many sweeps were made as there are results; a string is what one fails with. */
async function story(
  results: readonly (number | string)[],
  resumes: readonly (null | string)[] = [],
  { dayMs = 0, unrecorded = 0 } = {},
): Promise<string[]> {
  const told: string[] = [];
  const over = new AbortController();
  const [left, resuming] = [[...results], [...resumes]];
  let nowMs = 0;
  await expireRepeatedly({
    intervalMs: 1,
    signal: over.signal,
    async resume() {
      told.push('resume');
      const trouble = resuming.shift() ?? null;
      if (trouble !== null) throw new Error(trouble);
    },
    async sweep() {
      told.push('sweep');
      const result = left.shift();
      nowMs += dayMs;
      if (left.length === 0) over.abort();
      if (typeof result === 'string') throw new Error(result);
      return { artifacts: result ?? 0, objects: 0, bytes: 0 };
    },
    countOf: ({ artifacts }) => artifacts,
    atOnceMax: EXPIRED_AT_ONCE_MAX,
    clear: async () => Promise.resolve(unrecorded),
    clearEveryMs: 24 * 60 * 60_000,
    nowMs: () => nowMs,
    onCleared: (objects) => told.push(`cleared ${objects}`),
    onSwept: ({ artifacts }) => told.push(`swept ${artifacts}`),
    onTrouble: (error) => told.push((error as Error).message),
  });
  return told;
}

describe('sweeping again and again', () => {
  it('first ends what an earlier sweep began, once', async () => {
    expect(await story([0, 0])).toEqual(['resume', 'sweep', 'sweep']);
  });

  it('tells what was found, and goes on while there is more', async () => {
    expect(await story([EXPIRED_AT_ONCE_MAX, 3, 0])).toEqual([
      'resume',
      'sweep',
      `swept ${EXPIRED_AT_ONCE_MAX}`,
      'sweep',
      'swept 3',
      'sweep',
    ]);
  });

  it('removes what belongs to nothing once a day, when nothing is left that expired', async () => {
    const aDay = { dayMs: 8 * 60 * 60_000, unrecorded: 2 };
    expect(await story([EXPIRED_AT_ONCE_MAX, 0, 0, 0, 0], [], aDay)).toEqual([
      'resume',
      'sweep',
      `swept ${EXPIRED_AT_ONCE_MAX}`,
      'sweep',
      'cleared 2',
      'sweep',
      'sweep',
      'sweep',
      'cleared 2',
    ]);
  });

  it('after trouble ends what was begun before it begins more', async () => {
    expect(await story(['the store is away', 0], [null, 'still away'])).toEqual([
      'resume',
      'sweep',
      'the store is away',
      'resume',
      'still away',
      'resume',
      'sweep',
    ]);
  });
});
