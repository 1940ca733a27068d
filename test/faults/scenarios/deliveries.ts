import type { Delivery, DeliveryAnswer } from '../../support/fake-forge/webhook-deliveries.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

/** What comes in from forges and people: too often, in the wrong order, and too much of it. */
export const DELIVERY_SCENARIOS: readonly Scenario[] = [
  {
    name: 'deliveries-repeated',
    hurts: 'webhooks: each delivered four times, three of them at once, and the last push first',
    shows: 'a delivery has one run, whichever time it is answered; other content under its name is refused',
    slackMs: 15_000,
    act: async (stage) => {
      const deliveries: Delivery[] = [];
      for (let index = 0; index < 4; index += 1) deliveries.push(await stage.pushed(`repeated-${index}`));
      const lastFirst = [...deliveries].reverse();
      const first = await Promise.all(
        lastFirst.flatMap((one) => [one, one, one]).map(async (one) => answered(stage, one)),
      );
      const again = await Promise.all(deliveries.map(async (one) => answered(stage, one)));
      const runs = new Set([...first, ...again].map(({ body }) => (body as { runId: string }).runId));
      if (runs.size !== deliveries.length) throw new Error(`${deliveries.length} deliveries led to ${runs.size} runs`);
      const conflicts = await Promise.all(
        deliveries.map(async (one) => stage.deliver({ ...one, body: `${one.body} ` })),
      );
      const refused = conflicts.filter(({ status }) => status === 409);
      if (refused.length !== deliveries.length) throw new Error('other content under the name of a delivery was taken');
      await stage.settle();
      return { repeats: first.length + again.length - runs.size, conflicts: refused.length };
    },
  },
  {
    name: 'webhook-flood',
    hurts: 'the gateway: two thousand signed deliveries as fast as they go, while a job runs',
    shows: 'what is too much is refused with Retry-After, and heartbeats are answered all the while',
    slackMs: 15_000,
    act: async (stage) => {
      const { held, change } = await stage.runningChange('under-flood');
      const answers = await flood(stage, 2_000, 40);
      const refused = answers.filter(({ status }) => status === 429);
      const silent = refused.filter(({ retryAfter }) => !(Number(retryAfter) >= 1));
      if (silent.length > 0) throw new Error(`${silent.length} refusals do not say when to come back`);
      const other = answers.find(({ status }) => status !== 202 && status !== 429);
      if (other !== undefined) throw new Error(`a delivery was answered ${other.status} ${JSON.stringify(other.body)}`);
      held.release();
      const views = await stage.settle();
      const attempts = views.find(({ runId }) => runId === change.runId)?.jobs[0]?.attempts.length;
      if (attempts !== 1) throw new Error(`the job needed ${attempts} attempts: its heartbeats were not answered`);
      return { taken: answers.length - refused.length, refused: refused.length };
    },
  },
  {
    name: 'cancel-storm',
    hurts: 'six runs, some running and some waiting, each canceled three times at once',
    shows: 'nothing of them is dispatched any more, all of them end within the deadline, and the next change runs',
    slackMs: 15_000,
    requires: ['no-dispatch-after-cancel', 'cancel-ends-in-time'],
    act: async (stage) => {
      const { change } = await stage.runningChange('canceled-running');
      const waiting = await stage.heldChanges('canceled-waiting', 5);
      const runs = [change, ...waiting].map(({ runId }) => runId);
      const asked = runs.flatMap((runId) => [runId, runId, runId]);
      const canceled = await Promise.allSettled(asked.map(async (runId) => stage.system.api.cancel(runId, 'unwanted')));
      const spared = await stage.change('spared');
      await stage.settle('canceled', [spared.runId]);
      return { 'requests taken': canceled.filter(({ status }) => status === 'fulfilled').length };
    },
  },
];

async function answered(stage: Stage, delivery: Delivery): Promise<DeliveryAnswer> {
  const answer = await stage.deliver(delivery);
  if (answer.status !== 202) throw new Error(`a delivery was answered ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
}

/** Deliveries of an event that we do not act on: each is checked, decided and recorded, and makes no run. */
async function flood(stage: Stage, count: number, atOnce: number): Promise<DeliveryAnswer[]> {
  const { body } = await stage.pushed('flood');
  const answers: DeliveryAnswer[] = [];
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < count && !stage.signal.aborted) {
      next += 1;
      answers.push(await stage.system.deliver({ id: `flood-${next}`, event: 'ping', body }));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sender));
  return answers;
}
