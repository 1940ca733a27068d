import { randomUUID } from 'node:crypto';
import type { Bench, Measure } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { percentile } from '../report/percentile.ts';
import { controlPlane, type ControlPlane } from '../world/control-plane.ts';
import { ignoredDelivery } from '../world/ignored-delivery.ts';

const IN_FLIGHT = [1, 10, 100] as const;
const WATCHED_MS = 4_000;
/** Nobody takes it, so the orchestrator answers at once. */
const NO_COMMAND = { subject: 'delta.commands.nothing', headers: {}, body: Buffer.from('x'.repeat(300)) };

export const inFlight: Measure = {
  name: 'in-flight',
  what: 'commands a second that one orchestrator decides and records, by how many are under way; raw: answers without a decision',
  run: async (bench) => {
    const plane = await controlPlane(bench.scene);
    const figures: Figure[] = [];
    for (const count of IN_FLIGHT) figures.push(...(await underWay(bench, plane, count)));
    return figures;
  },
};

async function underWay({ scene, say, share }: Bench, plane: ControlPlane, count: number): Promise<Figure[]> {
  say(`${count} under way`);
  const raw = await repeated(count, (WATCHED_MS * share) / 2, scene.over, async () => {
    const { outcome } = await plane.bus.request(NO_COMMAND, 10_000);
    if (outcome !== 'answered') throw new Error(outcome);
  });
  const decided = await repeated(count, WATCHED_MS * share, scene.over, async () => {
    const id = randomUUID();
    const envelope = { id, actor: { kind: 'service' as const, name: 'bench' }, traceparent: null };
    const answer = await plane.commands.send('accept-delivery', ignoredDelivery(id), envelope);
    if (!answer.ok) throw new Error(answer.refusal.message);
  });
  const limit = { what: 'answers without a decision', value: raw.perSecond };
  return [
    { name: `in-flight.at-${count}`, value: decided.perSecond, unit: '/s', raw: limit },
    { name: `in-flight.p50-at-${count}`, value: percentile(decided.tookMs, 0.5), unit: 'ms' },
    { name: `in-flight.p99-at-${count}`, value: percentile(decided.tookMs, 0.99), unit: 'ms' },
  ];
}

/** So many at a time, each the next as soon as the last is answered. */
async function repeated(count: number, durationMs: number, over: AbortSignal, ask: () => Promise<void>) {
  const tookMs: number[] = [];
  const startedAt = performance.now();
  const asker = async (): Promise<void> => {
    while (!over.aborted && performance.now() - startedAt < durationMs) {
      const askedAt = performance.now();
      await ask();
      tookMs.push(performance.now() - askedAt);
    }
  };
  await Promise.all(Array.from({ length: count }, asker));
  return { tookMs, perSecond: (tookMs.length / (performance.now() - startedAt)) * 1_000 };
}
