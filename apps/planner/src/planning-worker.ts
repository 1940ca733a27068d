import { parentPort } from 'node:worker_threads';
import type { PlanningInputs } from '@delta-ci/planning';
import { planToText } from './plan-to-text.ts';

/** A thread that waits for the inputs of one plan, answers what came of them, and ends. */
parentPort?.once('message', (inputs: PlanningInputs) => {
  const planned = planToText(inputs);
  parentPort?.postMessage(planned, planned.ok ? [planned.text.buffer] : []);
});
