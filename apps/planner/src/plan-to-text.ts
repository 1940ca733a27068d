import { zstdCompressSync } from 'node:zlib';
import { canonicalJson, type Plan, type RerunSource } from '@delta-ci/contracts';
import { planChange, recordInputs, withHeading, type DiscoveryMemory, type PlanningInputs } from '@delta-ci/planning';
import { parsePlan } from './finished-plan.ts';

/** A plan with its canonical text in UTF-8, or why there is none. */
export type PlannedText = PlanText | PlanProblem;

interface PlanText {
  readonly ok: true;
  readonly plan: Plan;
  readonly text: Uint8Array<ArrayBuffer>;
}

interface PlanProblem {
  readonly ok: false;
  readonly code: string;
  readonly message: string;
}

/** What came of planning, with the inputs as they are kept; null when they are larger than anything that is kept. */
export type PlannedWithInputs = PlannedText & { readonly inputs: Uint8Array<ArrayBuffer> | null };

/** Ten thousand jobs with their explanations stay below this; nobody could read a larger plan, or should have to hold it. */
export const PLAN_BYTES_MAX = 64 * 1_024 ** 2;
/** Compressed. The listing of a million files has some 30 MB. */
export const INPUTS_BYTES_MAX = 64 * 1_024 ** 2;

/** A change to be planned. */
export interface PlanningOrder {
  readonly inputs: Omit<PlanningInputs, 'rerun'>;
  /** For a rerun: what is asked, and the text of the plan it is asked of, which somebody else's repository decided. */
  readonly rerun: { readonly source: RerunSource; readonly plan: Uint8Array } | null;
  /** A plan of the same construction, which is given its heading instead; null without. */
  readonly known: Plan | null;
}

/** Plans a change, and writes out the plan and what it was made of. `memory` is of the plans before, and spares work alone. */
export function planToText({ inputs: given, rerun, known }: PlanningOrder, memory: DiscoveryMemory): PlannedWithInputs {
  if (rerun === null) return withInputs({ ...given, rerun }, known, memory);
  const plan = parsePlan(rerun.plan);
  if (plan !== null) return withInputs({ ...given, rerun: { source: rerun.source, plan } }, known, memory);
  const message = `the earlier plan ${rerun.source.planDigest} is not of a shape that this version can run again`;
  return { ok: false, code: 'invalid_rerun', message, inputs: null };
}

function withInputs(inputs: PlanningInputs, known: Plan | null, memory: DiscoveryMemory): PlannedWithInputs {
  return { ...planText(inputs, known, memory), inputs: inputsText(inputs) };
}

function planText(inputs: PlanningInputs, known: Plan | null, memory: DiscoveryMemory): PlannedText {
  const result = known === null ? planChange(inputs, memory) : { ok: true as const, plan: withHeading(known, inputs) };
  if (!result.ok) return result;
  const { plan } = result;
  const text = new TextEncoder().encode(canonicalJson(plan));
  if (text.byteLength <= PLAN_BYTES_MAX) return { ok: true, plan, text };
  const message = `the plan has ${text.byteLength} bytes for ${plan.jobs.length} jobs, the limit is ${PLAN_BYTES_MAX}`;
  return { ok: false, code: 'plan_too_large', message };
}

function inputsText(inputs: PlanningInputs): Uint8Array<ArrayBuffer> | null {
  const text = new TextEncoder().encode(JSON.stringify(recordInputs(inputs)));
  // A copy with memory of its own: a small Buffer is a view on memory it shares, which cannot be handed to another thread.
  const compressed = Uint8Array.from(zstdCompressSync(text));
  return compressed.byteLength <= INPUTS_BYTES_MAX ? compressed : null;
}
