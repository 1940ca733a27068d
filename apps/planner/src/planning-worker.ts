import { parentPort } from 'node:worker_threads';
import { DiscoveryMemory } from '@delta-ci/planning';
import { finishedPlan, type FinishedPlan } from './finished-plan.ts';
import { planToText, type PlannedWithInputs, type PlanningOrder } from './plan-to-text.ts';

/** What a thread is asked: to plan a change, or to say what the end of a run asks of a plan's text. */
export type Asked =
  { readonly kind: 'plan'; readonly order: PlanningOrder } | { readonly kind: 'read'; readonly text: Uint8Array };

export type Answered =
  | { readonly kind: 'planned'; readonly planned: PlannedWithInputs }
  | { readonly kind: 'read'; readonly plan: FinishedPlan | null };

const memory = new DiscoveryMemory();

/** A thread that waits for questions and answers them, one after the other. */
parentPort?.on('message', (asked: Asked) => {
  if (asked.kind === 'read') return answer({ kind: 'read', plan: finishedPlan(asked.text) });
  const planned = planToText(asked.order, memory);
  const texts = [planned.ok ? planned.text : null, planned.inputs].filter((text) => text !== null);
  answer(
    { kind: 'planned', planned },
    texts.map(({ buffer }) => buffer),
  );
});

function answer(answered: Answered, given: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(answered, given);
}
