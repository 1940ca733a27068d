import { canonicalJson, type Plan } from '@delta-ci/contracts';
import { planChange, type PlanningInputs } from '@delta-ci/planning';

/** A plan with its canonical text in UTF-8, or why there is none. */
export type PlannedText =
  | { readonly ok: true; readonly plan: Plan; readonly text: Uint8Array<ArrayBuffer> }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** Ten thousand jobs with their explanations stay below this; nobody could read a larger plan, or should have to hold it. */
export const PLAN_BYTES_MAX = 64 * 1_024 ** 2;

/** Plans a change and writes the plan out. */
export function planToText(inputs: PlanningInputs): PlannedText {
  const result = planChange(inputs);
  if (!result.ok) return result;
  const { plan } = result;
  const text = new TextEncoder().encode(canonicalJson(plan));
  if (text.byteLength <= PLAN_BYTES_MAX) return { ok: true, plan, text };
  const message = `the plan has ${text.byteLength} bytes for ${plan.jobs.length} jobs, the limit is ${PLAN_BYTES_MAX}`;
  return { ok: false, code: 'plan_too_large', message };
}
