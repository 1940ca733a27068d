import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { deliver, pushDelivery } from '../../../test/support/fake-forge/webhook-deliveries.ts';
import { DeveloperClone } from '../../../test/support/git-server/bare-repository.ts';
import { serveGit } from '../../../test/support/git-server/git-http-server.ts';
import { amount, type Bench, type Measure } from '../measure.ts';
import { percentile } from '../report/percentile.ts';
import { controlPlane, WEBHOOK_SECRET } from '../world/control-plane.ts';
import { HttpClient } from '../world/http-client.ts';
import { httpWorkers } from '../world/workers.ts';

const CHANGES = 100;
const WARMING_UP = 5;
const REPOSITORY = 'bench/small';
const FIRST = {
  'package.json': `${JSON.stringify({ name: 'small', private: true, type: 'module', scripts: { test: 'node --test' } })}\n`,
  'src/index.js': "export const value = 'first';\n",
};

export const webhookToLease: Measure = {
  name: 'webhook-to-lease',
  what: 'an idle system takes one change after another: webhook, fetch, plan from real git, dispatch, lease',
  run: async (bench) => {
    const samples = await takeChanges(bench, amount(bench, CHANGES));
    const note = `${samples.length} changes, one after the other`;
    return [
      { name: 'webhook-to-lease.p50', value: percentile(samples, 0.5), unit: 'ms', note },
      { name: 'webhook-to-lease.p99', value: percentile(samples, 0.99), unit: 'ms', note },
    ];
  },
};

/** @returns milliseconds from sending the webhook to the lease in the runner's hands */
async function takeChanges({ scene, say }: Bench, changes: number): Promise<number[]> {
  const root = await scene.directory('git');
  const git = await scene.open(
    async () => serveGit(root),
    async (server) => server.close(),
  );
  const cloneUrl = `${git.url}/${REPOSITORY}.git`;
  const repository = { id: `github/${REPOSITORY}`, cloneUrl, defaultBranch: 'main' };
  const { mesh } = await controlPlane(scene, { planner: true, repository });
  const developer = await scene.open(
    async () => DeveloperClone.create(join(root, `${REPOSITORY}.git`), cloneUrl),
    async (clone) => clone.remove(),
  );
  const client = await scene.open(
    () => new HttpClient(mesh.gatewayUrl),
    (opened) => opened.close(),
  );
  await developer.push('main', 'first', FIRST);
  const [runner] = await httpWorkers(client, mesh.registrationToken, 1);
  if (runner === undefined) throw new Error('no runner');
  const samples: number[] = [];
  say(`${changes} changes`);
  for (let change = 0; change < changes + WARMING_UP; change += 1) {
    const files = { 'src/index.js': `export const value = '${randomUUID()}';\n` };
    const commit = await developer.push('main', `change ${change}`, files);
    const waiting = runner.lease(30);
    const sentAt = performance.now();
    const delivery = pushDelivery(REPOSITORY, cloneUrl, commit);
    const answer = await deliver(`${mesh.gatewayUrl}/api/v1/webhooks/github`, WEBHOOK_SECRET, delivery);
    if (answer.status !== 202) throw new Error(`the webhook was answered with ${answer.status}`);
    const held = await waiting;
    if (held === null) throw new Error('no lease within 30 s');
    if (change >= WARMING_UP) samples.push(performance.now() - sentAt);
    await runner.acknowledge(held);
    await runner.complete(held);
  }
  return samples;
}
