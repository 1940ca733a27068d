import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { deliver, pushDelivery } from '../../../test/support/fake-forge/webhook-deliveries.ts';
import { DeveloperClone, type Commit } from '../../../test/support/git-server/bare-repository.ts';
import { serveGit } from '../../../test/support/git-server/git-http-server.ts';
import { amount, type Bench, type Measure } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { median, percentile } from '../report/percentile.ts';
import { controlPlane, WEBHOOK_SECRET } from '../world/control-plane.ts';
import { HttpClient } from '../world/http-client.ts';
import { timesOf } from '../world/log-times.ts';
import { httpWorkers, type HttpWorker } from '../world/workers.ts';

const CHANGES = 100;
const WARMING_UP = 5;
const REPOSITORY = 'bench/small';
const FIRST = {
  'package.json': `${JSON.stringify({ name: 'small', private: true, type: 'module', scripts: { test: 'node --test' } })}\n`,
  'src/index.js': "export const value = 'first';\n",
};
/** Where a commit is pushed to a second time, as when a branch is merged by fast-forward. */
const SECOND_REF = 'refs/heads/release';

export const webhookToLease: Measure = {
  name: 'webhook-to-lease',
  what: 'an idle system takes one change after another, of real git: webhook, plan, dispatch, lease; each commit twice, new and known',
  run: async (bench) => {
    const { fresh, known } = await takeChanges(bench, amount(bench, CHANGES));
    return [
      ...figuresOf('fresh', fresh, 'a new commit: fetched, read and planned'),
      ...figuresOf('known', known, 'the same commit pushed to another branch: read before, its jobs planned before'),
    ];
  },
};

/** One change on its way, in milliseconds. */
interface Sample {
  /** From sending the webhook to the lease in the runner's hands. */
  readonly whole: number;
  /** From sending the webhook to the run in the log. */
  readonly accepted: number;
  readonly planned: number;
  readonly granted: number;
}

function figuresOf(of: string, samples: readonly Sample[], note: string): Figure[] {
  const figure = (name: string, value: number): Figure => ({
    name: `webhook-to-lease.${of}-${name}`,
    value,
    unit: 'ms',
    note,
  });
  const all = (what: keyof Sample): number[] => samples.map((sample) => sample[what]);
  return [
    figure('p50', percentile(all('whole'), 0.5)),
    figure('p99', percentile(all('whole'), 0.99)),
    figure('webhook-to-created', median(all('accepted'))),
    figure('created-to-planned', median(all('planned'))),
    figure('planned-to-granted', median(all('granted'))),
  ];
}

async function takeChanges(bench: Bench, changes: number): Promise<{ fresh: Sample[]; known: Sample[] }> {
  const { scene, say } = bench;
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
  const place = { webhookUrl: `${mesh.gatewayUrl}/api/v1/webhooks/github`, database: mesh.adminDatabaseUrl, cloneUrl };
  const [fresh, known]: [Sample[], Sample[]] = [[], []];
  say(`${changes} changes`);
  for (let change = 0; change < changes + WARMING_UP; change += 1) {
    const files = { 'src/index.js': `export const value = '${randomUUID()}';\n` };
    const commit = await developer.push('main', `change ${change}`, files);
    const first = await takeOne(place, runner, commit);
    const second = await takeOne(place, runner, { ...commit, ref: SECOND_REF });
    if (change < WARMING_UP) continue;
    fresh.push(first);
    known.push(second);
  }
  return { fresh, known };
}

interface Place {
  readonly webhookUrl: string;
  readonly database: string;
  readonly cloneUrl: string;
}

async function takeOne({ webhookUrl, database, cloneUrl }: Place, runner: HttpWorker, commit: Commit): Promise<Sample> {
  const waiting = runner.lease(30);
  const delivery = pushDelivery(REPOSITORY, cloneUrl, commit);
  const [sentAt, sentAtMs] = [performance.now(), Date.now()];
  const { status, body } = await deliver(webhookUrl, WEBHOOK_SECRET, delivery);
  if (status !== 202) throw new Error(`the webhook was answered with ${status}`);
  const held = await waiting;
  const whole = performance.now() - sentAt;
  if (held === null) throw new Error('no lease within 30 s');
  await runner.acknowledge(held);
  await runner.complete(held);
  const types = ['run.created', 'run.planned', 'lease.granted'];
  const times = await timesOf(database, (body as { runId: string }).runId, types);
  const [created = Number.NaN, planned = Number.NaN, granted = Number.NaN] = types.map((type) => times[type]);
  return { whole, accepted: created - sentAtMs, planned: planned - created, granted: granted - planned };
}
