import type { FileArtifactStore } from '@delta-ci/artifact-store';
import type { Plan, RecordedEventOf } from '@delta-ci/contracts';
import type { PlanningInputs, PlanningRules } from '@delta-ci/planning';
import { withSpan } from '@delta-ci/service';
import { loadPlan, storeInputs, storePlan } from './plan-store.ts';
import { failure, type PlanningFailure, type PlanningOutcome } from './planning-outcome.ts';
import type { PlanningThreads } from './planning-threads.ts';
import { readChange, type ReadChange } from './read-change.ts';
import type { ServedMirrors } from './served-mirrors.ts';

export interface PlanningTools {
  readonly mirrors: ServedMirrors;
  readonly store: FileArtifactStore;
  readonly rules: PlanningRules;
  readonly threads: PlanningThreads;
}

type CreatedRun = RecordedEventOf<'run.created'>['data'];

/** Reads the change, plans it, stores the plan and what it was made of. Expected failures are outcomes; throwing means that planning is broken. */
export async function planRun(tools: PlanningTools, run: CreatedRun, signal: AbortSignal): Promise<PlanningOutcome> {
  const rerun = await earlierPlan(tools, run);
  if (rerun !== null && 'kind' in rerun) return rerun;
  const read = await withSpan('read change', {}, async () =>
    tools.mirrors.borrow(run.repository.id, signal, async (borrowed) => readChange(borrowed, run.change)),
  );
  if (read.kind === 'failed') return read;
  const result = await withSpan('plan change', {}, async () =>
    tools.threads.plan(inputsOf(tools, run, read.value, rerun), signal),
  );
  const inputsDigest = result.inputs === null ? null : await storeInputs(tools.store, result.inputs);
  if (!result.ok) return failure(result.code, result.message, { inputsDigest });
  const { digest, sizeBytes } = await storePlan(tools.store, result.text);
  return { kind: 'planned', plan: result.plan, digest, sizeBytes, inputsDigest };
}

async function earlierPlan(
  { store }: PlanningTools,
  { rerun }: CreatedRun,
): Promise<{ readonly plan: Plan } | PlanningFailure | null> {
  if (rerun === null) return null;
  const plan = await loadPlan(store, rerun.planDigest);
  return 'kind' in plan ? plan : { plan };
}

function inputsOf(
  { rules }: PlanningTools,
  { repository, change, policy, rerun }: CreatedRun,
  { tree, head, comparison }: ReadChange,
  earlier: { readonly plan: Plan } | null,
): PlanningInputs {
  return {
    repository,
    change,
    commit: change.head,
    tree,
    head,
    comparison,
    policy,
    rules,
    rerun: rerun === null || earlier === null ? null : { source: rerun, plan: earlier.plan },
  };
}
