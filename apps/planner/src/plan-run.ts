import type { RecordedEventOf } from '@delta-ci/contracts';
import {
  constructionKey,
  shadowRulesFor,
  type PlanningInputs,
  type PlanningRules,
  type RecipeInput,
  type RepositorySnapshot,
  type ShadowInput,
} from '@delta-ci/planning';
import { withSpan } from '@delta-ci/service';
import { recipesFor, type RecipePlaces } from './known-recipes.ts';
import { isOfSameChange, type PlanMemory } from './plan-memory.ts';
import { isStored, readPlanText, storeInputs, storePlan } from './plan-store.ts';
import { failure, type PlanningFailure, type PlanningOutcome } from './planning-outcome.ts';
import type { PlanningOrder } from './plan-to-text.ts';
import type { PlanningThreads } from './planning-threads.ts';
import { readChange } from './read-change.ts';
import type { ReadChange, ReadingMemory } from './reading-memory.ts';
import type { ServedMirrors } from './served-mirrors.ts';
import type { ToldDurations } from './told-durations.ts';
import type { ToldLedger } from './told-ledger.ts';

export interface PlanningTools extends RecipePlaces {
  readonly mirrors: ServedMirrors;
  readonly memory: ReadingMemory;
  readonly plans: PlanMemory;
  readonly durations: ToldDurations;
  readonly ledger: ToldLedger;
  readonly rules: PlanningRules;
  readonly threads: PlanningThreads;
}

type CreatedRun = RecordedEventOf<'run.created'>['data'];

/** Reads the change, plans it, stores the plan and what it was made of. Expected failures are outcomes; throwing means that planning is broken. */
export async function planRun(tools: PlanningTools, run: CreatedRun, signal: AbortSignal): Promise<PlanningOutcome> {
  const rerun = await rerunOf(tools, run);
  if (rerun !== null && 'kind' in rerun) return rerun;
  const [read, durations] = await Promise.all([
    withSpan('read change', {}, async () => readRun(tools, run, signal)),
    // A rerun takes up the jobs there were, however they were cut.
    rerun === null ? tools.durations.ask(run.repository.id) : null,
  ]);
  if (read.kind === 'failed') return read;
  const { head } = read.value;
  const [recipe, shadow] =
    rerun === null
      ? await Promise.all([recipesFor(tools, run.repository.id, head), shadowFor(tools, run, head)])
      : [null, null];
  const inputs = inputsOf({ rules: tools.rules, durations, shadow }, run, { ...read.value, recipe });
  // What an earlier plan decides is no construction, and such plans are small.
  if (rerun !== null) return planAndStore(tools, { inputs, rerun, known: null }, signal);
  const key = constructionKey(inputs);
  const known = tools.plans.find(key);
  if (known !== null && isOfSameChange(known.plan, inputs) && (await isStored(tools.store, known))) return known;
  const outcome = await planAndStore(tools, { inputs, rerun, known: known?.plan ?? null }, signal);
  if (outcome.kind === 'planned') tools.plans.keep(key, outcome);
  return outcome;
}

async function planAndStore(
  { threads, store }: PlanningTools,
  order: PlanningOrder,
  signal: AbortSignal,
): Promise<PlanningOutcome> {
  const result = await withSpan('plan change', { attributes: { known: order.known !== null } }, async () =>
    threads.plan(order, signal),
  );
  const storing = result.inputs === null ? null : storeInputs(store, result.inputs);
  if (!result.ok) return failure(result.code, result.message, { inputsDigest: await storing });
  const [inputsDigest, { digest, sizeBytes }] = await Promise.all([storing, storePlan(store, result.text)]);
  return { kind: 'planned', plan: result.plan, digest, sizeBytes, inputsDigest };
}

/** From memory when git need not be asked, otherwise from the mirror. */
async function readRun(
  { mirrors, memory }: PlanningTools,
  { repository, change }: CreatedRun,
  signal: AbortSignal,
): Promise<{ readonly kind: 'done'; readonly value: ReadChange } | PlanningFailure> {
  const remembered = memory.recall(repository.id, change);
  if (remembered !== null) return { kind: 'done', value: remembered };
  return mirrors.borrow(repository.id, signal, async (borrowed) =>
    readChange({ ...borrowed, repository: repository.id, memory, signal }, change),
  );
}

/** The log is asked only where a ledger is kept. */
async function shadowFor(
  { rules, ledger }: PlanningTools,
  { repository, change }: CreatedRun,
  head: RepositorySnapshot,
): Promise<ShadowInput | null> {
  const effective = shadowRulesFor({ change, head, rules });
  const told = effective === null ? null : await ledger.ask(repository.id);
  return effective === null || told === null ? null : { rules: effective, ...told };
}

async function rerunOf(
  { store }: PlanningTools,
  { rerun }: CreatedRun,
): Promise<PlanningOrder['rerun'] | PlanningFailure> {
  if (rerun === null) return null;
  const plan = await readPlanText(store, rerun.planDigest);
  return 'kind' in plan ? plan : { source: rerun, plan };
}

function inputsOf(
  given: Pick<PlanningInputs, 'rules' | 'durations' | 'shadow'>,
  { repository, change, policy }: CreatedRun,
  { tree, head, comparison, recipe }: ReadChange & { readonly recipe: RecipeInput | null },
): PlanningOrder['inputs'] {
  return { repository, change, commit: change.head, tree, head, comparison, policy, recipe, ...given };
}
