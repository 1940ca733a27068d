import { parentPort, workerData } from 'node:worker_threads';
import type { PlanningInputs } from '@delta-ci/planning';
import { planToText } from './plan-to-text.ts';

/** The thread that plans one change and ends: `workerData` are the inputs, the one message is what came of them. */
const planned = planToText(workerData as PlanningInputs);
parentPort?.postMessage(planned, planned.ok ? [planned.text.buffer] : []);
