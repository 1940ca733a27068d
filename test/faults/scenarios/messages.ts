import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connectBus, type Bus } from '@delta-ci/bus';
import { ParkedPageView, STREAMS, type ParkedView } from '@delta-ci/contracts';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { eventually } from '../../support/infra/index.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const DELTA = fileURLToPath(new URL('../../../apps/cli/bin/delta.mjs', import.meta.url));
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
const run = promisify(execFile);

/** What stands on the bus and should not. */
export const MESSAGE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'poison-reports',
    hurts: 'REPORTS: messages that are no JSON, no CloudEvent, or no report of any kind',
    shows: 'they are parked and the rest goes on; an operator retries and drops them by command, on record',
    slackMs: 15_000,
    act: async (stage) => {
      const bus = await connectBus({ servers: [stage.system.nats.url], name: 'poisoner', log: SILENT });
      stage.atTheEnd(async () => bus.close());
      await poison(bus);
      await stage.changes('beside-poison', 2);
      const parked = await parkedMessages(stage, POISON.length);
      const [first] = parked;
      await delta(stage, 'retry', String(first?.sequence), '--reason', 'to see it fail again');
      const again = await eventually('what was retried is parked again', async () => {
        const now = await parkedMessages(stage, POISON.length);
        return now.some(({ sequence }) => sequence > (parked.at(-1)?.sequence ?? 0)) && now;
      });
      for (const { sequence } of again) await delta(stage, 'drop', String(sequence));
      if ((await listed(stage)).length > 0) throw new Error('what was dropped is still parked');
      await stage.settle();
      return { parked: parked.length, 'acts on record': await actsOnRecord(stage) };
    },
  },
  {
    name: 'poison-events',
    hurts: 'EVENTS: a message that is no event, at the sequence where the next event belongs',
    shows:
      'services park it, the relay refuses to go on over it, and once the stream is deleted the log fills it again',
    slackMs: 60_000,
    act: async (stage) => {
      const { held } = await stage.runningChange('before-poison');
      const bus = await connectBus({ servers: [stage.system.nats.url], name: 'poisoner', log: SILENT });
      stage.atTheEnd(async () => bus.close());
      await bus.store({
        subject: 'delta.events.run.created.poison',
        headers: {},
        body: Buffer.from('no event'),
      });
      held.release();
      await eventually('the relay says that the stream is not a copy of the log', async () =>
        (await stage.said('orchestrator')).includes('bus-forked'),
      );
      const parked = await eventually('the planner parks it', async () => {
        const messages = await listed(stage);
        return messages.some(({ stream, consumer }) => stream === STREAMS.events && consumer === 'planner') && messages;
      });
      await deleteEvents(stage);
      for (const { sequence } of parked) await delta(stage, 'drop', String(sequence));
      await stage.changes('after-poison', 2);
      await stage.settle();
      return { parked: parked.length, 'streams deleted': 1 };
    },
  },
];

const POISON = ['not JSON', '{"specversion":"1.0"}', '[]'];

async function poison(bus: Bus): Promise<void> {
  for (const [index, body] of POISON.entries())
    await bus.store({
      subject: `delta.reports.planner.plan-proposed.poison-${index}`,
      headers: { 'content-type': 'application/cloudevents+json' },
      body: Buffer.from(body),
    });
}

/** What `delta parked list` shows, once it shows at least so many. */
async function parkedMessages(stage: Stage, count: number): Promise<ParkedView[]> {
  return eventually(`${count} messages are parked`, async () => {
    const messages = await listed(stage);
    return messages.length >= count && messages;
  });
}

/** By pages of two, so that paging is tried too. */
async function listed(stage: Stage): Promise<ParkedView[]> {
  const messages: ParkedView[] = [];
  for (let from: number | null = 1; from !== null;) {
    const page: ParkedPageView = ParkedPageView.parse(
      await delta(stage, 'list', '--from', String(from), '--limit', '2'),
    );
    messages.push(...page.messages);
    from = page.nextSequence;
  }
  return messages;
}

/** `delta parked ...`, as an operator would. */
async function delta({ system: { mesh } }: Stage, ...words: readonly string[]): Promise<unknown> {
  const env = { PATH: process.env['PATH'], DELTA_GATEWAY_URL: mesh.gatewayUrl, DELTA_TOKEN: mesh.adminToken };
  const { stdout } = await run(process.execPath, [DELTA, 'parked', ...words, '--json'], { env });
  return JSON.parse(stdout);
}

async function actsOnRecord(stage: Stage): Promise<number> {
  const [counted] = await stage.system.ask<{ count: number }>(
    `SELECT count(*)::int AS count FROM event WHERE type = 'operator.acted'`,
  );
  return counted?.count ?? 0;
}

/** What the relay asks a person to do. */
async function deleteEvents(stage: Stage): Promise<void> {
  const connection = await connect({ servers: stage.system.nats.url });
  try {
    await (await jetstreamManager(connection)).streams.delete(STREAMS.events);
  } finally {
    await connection.close();
  }
}
