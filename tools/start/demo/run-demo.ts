import { join } from 'node:path';
import type { RunView } from '@delta-ci/contracts';
import type { FakeForge } from '../../../test/support/fake-forge/fake-forge.ts';
import { deliver, pushDelivery } from '../../../test/support/fake-forge/webhook-deliveries.ts';
import { DeveloperClone, type Commit } from '../../../test/support/git-server/bare-repository.ts';
import type { Screen } from '../screen.ts';
import type { Api } from './api.ts';
import { followRun } from './follow-run.ts';
import { BREAKING_CHANGE, DEMO_REPOSITORY, SHOP_REPOSITORY, SOUND_CHANGE } from './shop-repository.ts';
import { checkRunsOf, problemsOfBrokenRun, problemsOfSoundRun } from './what-happened.ts';

export interface DemoTools {
  forge: FakeForge;
  api: Api;
  gatewayUrl: string;
  webhookSecret: string;
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
  const developer = await DeveloperClone.create(forge.barePath(DEMO_REPOSITORY), forge.cloneUrl(DEMO_REPOSITORY));
  try {
    await developer.push('main', 'three packages', SHOP_REPOSITORY);
    screen.event(
      `${DEMO_REPOSITORY}: an npm workspace with money, cart (needs money) and greeting, at ${forge.cloneUrl(DEMO_REPOSITORY)}`,
    );
    screen.title('A change that passes');
    const sound = await pushAndFollow(tools, developer, SOUND_CHANGE);
    screen.title('A change that breaks a test');
    const broken = await pushAndFollow(tools, developer, BREAKING_CHANGE);
    const problems = [
      ...problemsOfSoundRun(sound.view, checkRunsOf(forge, sound.commit)),
      ...problemsOfBrokenRun(broken.view, checkRunsOf(forge, broken.commit)),
    ];
    return { problems, runs: [sound.view, broken.view] };
  } finally {
    await developer.remove();
  }
}

async function pushAndFollow(
  { forge, api, gatewayUrl, webhookSecret, screen }: DemoTools,
  developer: DeveloperClone,
  change: typeof SOUND_CHANGE | typeof BREAKING_CHANGE,
): Promise<{ commit: Commit; view: RunView }> {
  const commit = await developer.push('main', change.message, change.files);
  screen.event(`pushed ${commit.after.slice(0, 12)} "${commit.message}" (${Object.keys(change.files).join(', ')})`);
  const delivery = pushDelivery(DEMO_REPOSITORY, forge.cloneUrl(DEMO_REPOSITORY), commit);
  const answer = await deliver(`${gatewayUrl}/api/v1/webhooks/github`, webhookSecret, delivery);
  if (answer.status !== 202)
    throw new Error(`the gateway answered the webhook with ${answer.status}: ${JSON.stringify(answer.body)}`);
  const { runId } = answer.body as { runId: string };
  const view = await followRun(api, runId, screen);
  screen.event(`published to the forge:`);
  for (const check of checkRunsOf(forge, commit)) {
    screen.detail(`${check.name}: ${check.conclusion ?? check.status} - ${check.output.title}`);
  }
  return { commit, view };
}

export const demoDirectory = (stateDir: string): string => join(stateDir, 'demo');
