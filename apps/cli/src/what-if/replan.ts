import { createHash } from 'node:crypto';
import { DEFAULT_RUN_POLICY, canonicalJson, type Change, type Plan, type Repository } from '@delta-ci/contracts';
import { SnapshotReader, type HistoryStep, type RepositoryReader, type Snapshot } from '@delta-ci/git';
import {
  DEFAULT_PLANNING_RULES,
  DiscoveryMemory,
  planChange,
  shadowRulesFor,
  type Comparison,
  type PlanningInputs,
  type PlanningResult,
} from '@delta-ci/planning';
import { valueOf } from '../git-answers.ts';
import { READING } from '../local/plan-locally.ts';
import type { Durations } from './durations.ts';
import type { Plans } from './kept-plans.ts';
import { outlineOf, type PlanOutline } from './plan-outline.ts';
import { inputsUnder, type Policy } from './policy.ts';

/** Plans every step of a history as if it had been pushed. */

export interface ReplanOrder {
  readonly head: string;
  readonly last: number;
  /** Another policy to plan by as well; null for none. */
  readonly policy: Policy | null;
  /** How long jobs take, to plan by and to count with. */
  readonly durations: Durations;
}

export interface ReplannedStep {
  readonly step: HistoryStep;
  readonly planned: PlanOutline;
  /** The plan itself; null when it was kept, of which only the outline is left, and where there is none. */
  readonly plan: Plan | null;
  /** Under the other policy; null when there is none. */
  readonly other: PlanOutline | null;
  /** Milliseconds that reading the commit and planning it took; the other policy not counted. */
  readonly tookMs: number;
}

export interface Means {
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
  /** Plans that were made before, by the same code. */
  readonly plans: Plans;
  /** What the code is known by; see `plannerCode`. */
  readonly code: string;
}

/**
 * Plans the last commits along first parents, the oldest first, and hands each on as soon as it is planned. What was planned
 * before is neither read nor planned again. Holds two snapshots at a time, however long the history is. Throws a problem
 * when git cannot go on; a commit that cannot be planned is one of the answers.
 */
export async function replanHistory(
  reader: RepositoryReader,
  order: ReplanOrder,
  { signal, nowMs, plans, code }: Means,
  visit: (step: ReplannedStep) => void,
): Promise<void> {
  const snapshots = new SnapshotReader(reader, READING);
  const memory = new DiscoveryMemory(SNAPSHOT_BYTES_MAX);
  let before: Snapshot | null = null;
  const walked = await reader.walkFirstParents(
    order.head,
    order.last,
    async (step) => {
      const startedMs = nowMs();
      const keys = { own: keyOf(step, code, order, null), other: keyOf(step, code, order, order.policy) };
      const known = await plans.find(keys.own);
      const knownOther = order.policy === null ? null : await plans.find(keys.other);
      if (known !== null && (order.policy === null || knownOther !== null)) {
        before = null;
        visit({ step, planned: known, plan: null, other: knownOther, tookMs: nowMs() - startedMs });
        return;
      }
      const base = before ?? (step.parent === null ? null : valueOf(await snapshots.read(step.parent.id, { signal })));
      const head: Snapshot = valueOf(
        base === null
          ? await snapshots.read(step.commit.id, { signal })
          : await snapshots.readNext(base, step.commit.id, step.changes, { signal }),
      );
      before = head;
      const inputs = { ...inputsOf(step, head, base), durations: order.durations.learned };
      const { planned, plan } = known === null ? planOf(inputs, order, memory) : { planned: known, plan: null };
      const tookMs = nowMs() - startedMs;
      const other =
        order.policy === null ? null : (knownOther ?? planOf(inputsUnder(order.policy, inputs), order, memory).planned);
      if (known === null) await keep(plans, keys.own, planned);
      if (other !== null && knownOther === null) await keep(plans, keys.other, other);
      visit({ step, planned, plan, other, tookMs });
    },
    { signal },
  );
  valueOf(walked);
}

/** Everything that decides a plan and what it counts: a commit's id stands for all that it holds, and for what it is called. */
function keyOf(
  { commit, parent }: HistoryStep,
  code: string,
  { durations }: ReplanOrder,
  policy: Policy | null,
): string {
  const decides = {
    code,
    commit: commit.id,
    parent: parent?.id ?? null,
    durations: durations.source,
    policy: JSON.stringify(policy),
  };
  return createHash('sha256').update(canonicalJson(decides)).digest('hex');
}

/** A defect may be gone the next time. */
async function keep(plans: Plans, key: string, outline: PlanOutline): Promise<void> {
  if (outline.ok || outline.code !== BROKE) await plans.keep(key, outline);
}

/** Snapshots of one history share nearly all they hold, and there is one history. */
const SNAPSHOT_BYTES_MAX = 512 * 1_024 ** 2;

/** The same for every copy of a history, so that plans of two machines can be compared. */
const REPOSITORY: Repository = {
  id: 'local/history/repository',
  forge: 'local',
  fullName: 'history/repository',
  cloneUrl: 'file:///history/repository',
  defaultBranch: 'main',
};

/** Clones call the same branch by different names. */
const REF = 'refs/heads/main';

function inputsOf(
  { commit, parent, changes }: HistoryStep,
  head: Snapshot,
  base: Snapshot | null,
): Omit<HistoryInputs, 'durations'> {
  const comparison: Comparison =
    parent === null || base === null
      ? { kind: 'everything', reason: 'there is no earlier commit to compare with' }
      : { kind: 'changes', commit: parent.id, snapshot: base, changes };
  const change: Change = {
    kind: 'push',
    ref: REF,
    base: parent?.id ?? null,
    head: commit.id,
    targetRef: null,
    pullRequest: null,
    title: commit.subject.slice(0, 500).toWellFormed(),
    author: commit.author.name.slice(0, 200).toWellFormed(),
    trust: 'trusted',
  };
  return {
    repository: REPOSITORY,
    change,
    commit: commit.id,
    tree: commit.treeId,
    head,
    comparison,
    policy: DEFAULT_RUN_POLICY,
    rules: DEFAULT_PLANNING_RULES,
    recipe: null,
    rerun: null,
  };
}

type HistoryInputs = Omit<PlanningInputs, 'shadow'>;

/** A history has no ledger: it is sampled as if none of what was sampled before had failed. */
function planOf(
  inputs: HistoryInputs,
  { durations }: ReplanOrder,
  memory: DiscoveryMemory,
): Pick<ReplannedStep, 'planned' | 'plan'> {
  const rules = shadowRulesFor(inputs);
  const shadow = rules === null ? null : { rules, entries: [], busy: false };
  const outcome = planOrDefect({ ...inputs, shadow }, memory);
  return { planned: outlineOf(outcome, durations), plan: outcome.ok ? outcome.plan : null };
}

/** The code of a commit at which planning threw. */
export const BROKE = 'planning_broke';

type PlanningOutcome = PlanningResult | { readonly ok: false; readonly code: typeof BROKE; readonly message: string };

/** A defect of planning costs the commit that shows it, not the answer about all the others. */
function planOrDefect(inputs: PlanningInputs, memory: DiscoveryMemory): PlanningOutcome {
  try {
    return planChange(inputs, memory);
  } catch (error) {
    return { ok: false, code: BROKE, message: error instanceof Error ? error.message : 'it threw' };
  }
}
