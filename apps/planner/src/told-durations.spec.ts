import { describe, expect, it } from '@jest/globals';
import type { LearnedDurations } from '@delta-ci/contracts';
import { ToldDurations } from './told-durations.ts';

const SHOP = 'github/demo/shop';
const KNOWN: LearnedDurations = { startUp: null, steps: { 'test a 1a2b3c4d': { ms: 1_000, runs: 3 } } };

/** Asks once for each of the answers (null: the log cannot be asked), and tells what was asked, heard and logged. */
async function asked(answers: readonly (LearnedDurations | null)[]) {
  const repositories: string[] = [];
  const logged: unknown[] = [];
  const recall = async (repository: string): Promise<LearnedDurations> => {
    const answer = answers[repositories.push(repository) - 1] ?? null;
    if (answer === null) throw new Error('the database is away');
    return answer;
  };
  const told = new ToldDurations(recall, { warn: (entry: unknown) => logged.push(entry) });
  const heard: (LearnedDurations | null)[] = [];
  for (const _ of answers) heard.push(await told.ask(SHOP));
  return { repositories, heard, logged: logged.length };
}

describe('durations as the log tells them', () => {
  it('given an answer, then it is that of the repository', async () => {
    expect(await asked([KNOWN])).toEqual({ repositories: [SHOP], heard: [KNOWN], logged: 0 });
  });

  it('given a log that cannot be asked, then what was said last counts, and that is told', async () => {
    expect(await asked([KNOWN, null])).toMatchObject({ heard: [KNOWN, KNOWN], logged: 1 });
  });

  it('given a log that never answered, then nobody can say', async () => {
    expect(await asked([null])).toMatchObject({ heard: [null], logged: 1 });
  });
});
