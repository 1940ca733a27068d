import type { RunView } from '@delta-ci/contracts';
import type { FakeForge } from '../../../test/support/fake-forge/fake-forge.ts';
import type { Commit, DeveloperClone } from '../../../test/support/git-server/bare-repository.ts';
import type { Screen } from '../screen.ts';
import type { Api } from './api.ts';
import { followRun } from './follow-run.ts';
import { BREAKING_CHANGE, DEMO_REPOSITORY, SOUND_CHANGE } from './shop-repository.ts';
import { checkRunsOf, problemsOfBrokenRun, problemsOfSoundRun } from './what-happened.ts';

export interface DemoTools {
  forge: FakeForge;
  /** Who pushes the changes. */
  developer: DeveloperClone;
  api: Api;
  screen: Screen;
}

export interface DemoResult {
  /** What should have happened and did not. Empty: all of it really happened. */
  problems: string[];
  runs: RunView[];
}

/** Takes the demonstration repository through a sound change and one that breaks a test, as a developer would. */
export async function runDemo(tools: DemoTools): Promise<DemoResult> {
  const { forge, screen } = tools;
  screen.title('A demonstration repository');
  screen.event(
    `${DEMO_REPOSITORY}: an npm workspace with money, cart (needs money) and greeting, at ${forge.cloneUrl(DEMO_REPOSITORY)}`,
  );
  screen.title('A change that passes');
  const sound = await pushAndFollow(tools, SOUND_CHANGE);
  screen.title('A change that breaks a test');
  const broken = await pushAndFollow(tools, BREAKING_CHANGE);
  const problems = [
    ...problemsOfSoundRun(sound.view, checkRunsOf(forge, sound.commit)),
    ...problemsOfBrokenRun(broken.view, checkRunsOf(forge, broken.commit)),
  ];
  return { problems, runs: [sound.view, broken.view] };
}

async function pushAndFollow(
  { forge, developer, api, screen }: DemoTools,
  change: typeof SOUND_CHANGE | typeof BREAKING_CHANGE,
): Promise<{ commit: Commit; view: RunView }> {
  const commit = await developer.push('main', change.message, change.files);
  screen.event(`pushed ${commit.after.slice(0, 12)} "${commit.message}" (${Object.keys(change.files).join(', ')})`);
  const { answer } = await forge.toldOf(DEMO_REPOSITORY, commit.after);
  if (answer?.status !== 202)
    throw new Error(`the gateway answered the webhook with ${answer?.status}: ${JSON.stringify(answer?.body)}`);
  const { runId } = answer.body as { runId: string };
  const view = await followRun(api, runId, screen);
  screen.event(`published to the forge:`);
  for (const check of checkRunsOf(forge, commit)) {
    screen.detail(`${check.name}: ${check.conclusion ?? check.status} - ${check.output.title}`);
  }
  return { commit, view };
}
