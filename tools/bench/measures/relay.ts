import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { SUBJECT_FILTERS } from '@delta-ci/contracts';
import { LogWriter, openLog } from '@delta-ci/event-log';
import { amount, type Bench, type Measure } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { percentile } from '../report/percentile.ts';
import { controlPlane, type ControlPlane } from '../world/control-plane.ts';
import { rawDispatch } from '../world/raw-dispatch.ts';
import { countdown, tell, wholeRun } from '../world/stories.ts';
import { ignoredDelivery } from '../world/ignored-delivery.ts';

const COMMANDS = 200;
const EVERY_MS = 20;
const RUNS = 2_000;
const TOLD_AT_ONCE = 200;
const RAW_MESSAGES = 20_000;
const CAUGHT_UP_LIMIT_MS = 120_000;

export const relay: Measure = {
  name: 'relay',
  what: 'how long after its answer a decision is on the bus, and how many events a second get there; raw: publishing alone',
  run: async (bench) => {
    const plane = await controlPlane(bench.scene);
    return [...(await lagWhenIdle(bench, plane)), ...(await flatOut(bench, plane))];
  },
};

async function lagWhenIdle(bench: Bench, plane: ControlPlane): Promise<Figure[]> {
  const heardAt = new Map<string, number>();
  const ear = plane.bus.listen(SUBJECT_FILTERS.events, ({ body }) => {
    const text = Buffer.from(body).toString('utf8');
    const mark = /mark-[0-9a-f-]{36}/.exec(text)?.[0];
    if (mark !== undefined && !heardAt.has(mark)) heardAt.set(mark, performance.now());
  });
  const answeredAt = new Map<string, number>();
  bench.say('one decision after the other');
  for (let command = 0; command < amount(bench, COMMANDS); command += 1) {
    const mark = `mark-${randomUUID()}`;
    const sent = await plane.commands.send('accept-delivery', ignoredDelivery(mark), {
      id: mark,
      actor: { kind: 'service', name: 'bench' },
      traceparent: null,
    });
    if (!sent.ok) throw new Error(sent.refusal.message);
    answeredAt.set(mark, performance.now());
    await pause(EVERY_MS);
  }
  await pause(1_000);
  await ear.stop();
  const lateMs = [...answeredAt].map(([mark, at]) => Math.max(0, (heardAt.get(mark) ?? Number.POSITIVE_INFINITY) - at));
  return [
    { name: 'relay.lag-p50', value: percentile(lateMs, 0.5), unit: 'ms', note: 'after the answer, idle' },
    { name: 'relay.lag-p99', value: percentile(lateMs, 0.99), unit: 'ms' },
  ];
}

/** The log is filled as fast as it takes it, by a writer beside the orchestrator, which relays meanwhile. */
async function flatOut(bench: Bench, plane: ControlPlane): Promise<Figure[]> {
  const runs = amount(bench, RUNS);
  const servers = { natsUrl: plane.mesh.natsUrl, databaseUrl: plane.mesh.adminDatabaseUrl };
  const raw = await rawDispatch(bench.scene, servers, { jobs: amount(bench, RAW_MESSAGES), inFlight: 100 });
  bench.say(`${runs} runs`);
  const before = await storedEvents(plane);
  const log = await openLog({ databaseUrl: plane.mesh.orchestratorDatabaseUrl, applicationName: 'bench' });
  let recorded = 0;
  const onCommit = (batch: { events: number }): void => void (recorded += batch.events);
  const writer = new LogWriter({ pool: log.pool, onCommit });
  const startedAt = performance.now();
  await tell(writer, TOLD_AT_ONCE, countdown(runs, wholeRun));
  const writtenMs = performance.now() - startedAt;
  const behind = recorded - ((await storedEvents(plane)) - before);
  await writer.close();
  await log.close();
  while ((await storedEvents(plane)) - before < recorded) {
    if (performance.now() - startedAt > CAUGHT_UP_LIMIT_MS) throw new Error('the relay did not catch up');
    await pause(5);
  }
  const tookMs = performance.now() - startedAt;
  const limit = { what: 'publishing, 100 under way', value: raw.publishedPerSecond };
  const note = `${recorded} events, written at ${Math.round((recorded / writtenMs) * 1_000)}/s`;
  return [
    { name: 'relay.flat-out', value: (recorded / tookMs) * 1_000, unit: '/s', raw: limit, note },
    { name: 'relay.behind', value: behind, unit: '', note: 'events not published when the last was written' },
    { name: 'relay.caught-up-after', value: tookMs - writtenMs, unit: 'ms' },
  ];
}

async function storedEvents({ bus }: ControlPlane): Promise<number> {
  const state = await bus.streamState('EVENTS');
  if (state.outcome !== 'known') throw new Error(`the stream of events is ${state.outcome}`);
  return state.lastSequence;
}
