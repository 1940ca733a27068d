import type { Scenario } from '../scenario.ts';

export const SERVER_SCENARIOS: readonly Scenario[] = [
  {
    name: 'commit-answers-lost',
    hurts: 'answers of Postgres to commits that arrived',
    shows: 'a commit that nobody heard of is found in the inbox, and nothing is done twice',
    slackMs: 15_000,
    act: async (stage) => {
      const { database } = stage.hops;
      for (let round = 0; round < 5; round += 1) {
        database.loseCommitAnswers(2);
        await stage.change(`unheard-${round}`);
      }
      await stage.settle();
      return { 'commits with a lost answer': database.lostAnswers };
    },
  },
];
