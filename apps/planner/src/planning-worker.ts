import { parentPort } from 'node:worker_threads';
import { DiscoveryMemory } from '@delta-ci/planning';
import { planToText, type PlanningOrder } from './plan-to-text.ts';

const memory = new DiscoveryMemory();

/** A thread that waits for the inputs of a plan and answers what came of them, one after the other. */
parentPort?.on('message', (order: PlanningOrder) => {
  const planned = planToText(order, memory);
  const texts = [planned.ok ? planned.text : null, planned.inputs].filter((text) => text !== null);
  parentPort?.postMessage(
    planned,
    texts.map(({ buffer }) => buffer),
  );
});
