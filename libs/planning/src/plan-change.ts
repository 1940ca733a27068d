import { Plan } from '@delta-ci/contracts';
import { isError } from './assemble-plan.ts';
import { checkPlan } from './check-plan.ts';
import { DiscoveryMemory } from './discovery-memory.ts';
import { readConfig } from './config/read-config.ts';
import type { PlanningInputs, PlanningResult } from './model.ts';
import { withWholeCharacters } from './parsed-values.ts';
import { planConfigured } from './plan-configured.ts';
import { planDiscovered } from './plan-discovered.ts';
import { planRerun } from './plan-rerun.ts';
import { withinTelling } from './told-one-by-one.ts';

/**
 * The plan for a change: which jobs run, which do not, and why. Equal inputs give equal plans, whatever the order of their
 * entries. Fails with `invalid_config` (a configuration file that cannot be followed is never passed over),
 * `nothing_to_run`, `manifest_unreadable` (the change broke a manifest that had jobs), `invalid_rerun`, and `plan_rejected`
 * when the finished plan does not pass its own check.
 * @param memory of earlier plans; spares work and changes nothing
 */
export function planChange(given: PlanningInputs, memory: DiscoveryMemory = new DiscoveryMemory()): PlanningResult {
  const inputs = withinTelling(given);
  const result = planChecked(inputs, memory);
  return result.ok || result.code !== 'plan_rejected' ? result : (withoutShadows(inputs, result, memory) ?? result);
}

/** Whether there is a plan is not for a sample to decide: null where that was not what was wrong with it. */
function withoutShadows(
  inputs: PlanningInputs,
  { message }: { readonly message: string },
  memory: DiscoveryMemory,
): PlanningResult | null {
  const { shadow } = inputs;
  if (shadow === null) return null;
  const result = planChecked({ ...inputs, shadow: { ...shadow, unfit: message } }, memory);
  return result.ok ? result : null;
}

function planChecked(inputs: PlanningInputs, memory: DiscoveryMemory): PlanningResult {
  const result = planUnchecked(inputs, memory);
  if (!result.ok) return result;
  const notes = checkPlan(result.plan, inputs);
  const error = notes.find(isError);
  if (error !== undefined) {
    return { ok: false, code: 'plan_rejected', message: `the plan does not pass its check: ${error.message}` };
  }
  return inShape({ ...result.plan, notes: [...result.plan.notes, ...notes].slice(0, NOTES_MAX) });
}

/** A repository can ask for what no plan may hold: endless paths, no memory, a million jobs. That is said here, by place. */
function inShape(plan: Plan): PlanningResult {
  const parsed = Plan.safeParse(withWholeCharacters(plan));
  if (parsed.success) return { ok: true, plan: parsed.data };
  const [issue] = parsed.error.issues;
  const place = issue?.path.join('.') ?? '';
  return {
    ok: false,
    code: 'plan_rejected',
    message: `the plan would hold what no plan may: ${place}: ${issue?.message}`,
  };
}

/** As many as a plan may carry. */
const NOTES_MAX = 10_000;

/** In order of authority: an earlier plan that is asked for again, the repository's own words, what its files show. */
function planUnchecked(inputs: PlanningInputs, memory: DiscoveryMemory): PlanningResult {
  if (inputs.rerun !== null) return planRerun(inputs, inputs.rerun);
  const read = readConfig(inputs.head);
  if (!read.ok) return { ok: false, code: 'invalid_config', message: read.message };
  const { config } = read;
  if (config !== null && Object.keys(config.file.jobs).length > 0) return planConfigured(inputs, config);
  return planDiscovered(inputs, config?.file ?? null, memory);
}
