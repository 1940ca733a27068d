import { FileArtifactStore } from '@delta-ci/artifact-store';
import { ReportClient, connectBus, consumeEvents, type DeliveryContext } from '@delta-ci/bus';
import { canonicalJson, type DomainEventOf, type Plan, type RecordedEventOf } from '@delta-ci/contracts';
import { digestOf } from '@delta-ci/artifact-store';
import { engine, world } from '../engine/present.ts';
import { Random } from '../engine/random.ts';
import { setTimeout as sleep } from '../stand-ins/timers-promises.ts';
import { madeUpPlan } from './made-up-plan.ts';
import { PLANNED_AT_ONCE } from './planning-places.ts';
import type { Product } from './product.ts';
import type { SimulatedService } from './simulated-service.ts';

type Created = DomainEventOf<'run.created'>['data'];

/** The planner with its real handler, following and reporting; only the plan itself is out of the hat. */
export async function startSimulatedPlanner(service: SimulatedService, product: Product): Promise<void> {
  world().planning.clear();
  const bus = await connectBus({ servers: [], name: 'planner', log: quiet });
  const store = new FileArtifactStore('/artifacts');
  const tools = {
    plan: (data: Created, signal: AbortSignal) => inItsPlace(data.runId, () => planOf(store, data, signal)),
    reports: new ReportClient(bus),
    logger: service.logger,
    timeLimitMs: 100_000,
  };
  const handle = (event: RecordedEventOf<'run.created'>, context: DeliveryContext) =>
    product.onRunCreated(tools, event, context);
  const consumption = consumeEvents(
    bus,
    'planner',
    { 'run.created': handle },
    { log: quiet, concurrency: PLANNED_AT_ONCE },
  );
  service.beforeClosing('planning', () => consumption.close(1_000));
  await service.serve({});
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function inItsPlace<T>(runId: string, plan: () => Promise<T>): Promise<T> {
  const { planning } = world();
  planning.take(runId);
  try {
    return await plan();
  } finally {
    planning.leave(runId, world().database.nowMs);
  }
}

async function planOf(store: FileArtifactStore, data: Created, signal: AbortSignal) {
  const random = new Random(engine().seed, `plan ${data.runId}`);
  const thinkingMs = random.chance(0.05) ? 150_000 : random.between(50, 5_000);
  await sleep(thinkingMs, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return { kind: 'failed', code: 'interrupted', message: 'it was interrupted', passing: true };
  if (random.chance(0.05))
    return { kind: 'failed', code: 'invalid_config', message: 'line 3 is wrong', passing: false };
  const earlier = data.rerun === null ? null : (world().plans.get(data.rerun.planDigest) ?? null);
  const plan: Plan = earlier ?? madeUpPlan(random, data.repository, data.change, data.policy);
  const text = Buffer.from(canonicalJson(plan));
  const { digest, sizeBytes } = await store.content.put(text, { expected: digestOf(text), sizeBytesMax: 1_000_000 });
  world().plans.set(digest, plan);
  return { kind: 'planned', plan, digest, sizeBytes };
}
