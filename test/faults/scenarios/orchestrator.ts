import type { Scenario } from '../scenario.ts';

export const ORCHESTRATOR_SCENARIOS: readonly Scenario[] = [
  {
    name: 'orchestrator-killed',
    hurts: 'the orchestrator, killed with -9 every two seconds under load',
    shows: 'what was committed stands, and the rest is sent again under the same id',
    slackMs: 30_000,
    act: async (stage) => {
      const killing = stage.killAgainAndAgain('orchestrator', 5, 2_000);
      await stage.changes('under-kills', 6);
      const kills = await killing;
      await stage.settle();
      return { kills };
    },
  },
];
