import { createHash } from 'node:crypto';
import {
  DEFAULT_RUN_POLICY,
  canonicalJson,
  type Change,
  type LearnedDurations,
  type Plan,
  type Repository,
} from '@delta-ci/contracts';
import { SnapshotReader, type HistoryStep, type RepositoryReader, type Snapshot } from '@delta-ci/git';
import {
  DEFAULT_PLANNING_RULES,
  DiscoveryMemory,
  planChange,
  type Comparison,
  type PlanningInputs,
  type PlanningResult,
} from '@delta-ci/planning';
import { valueOf } from '../local/git-answers.ts';
import { READING } from '../local/plan-locally.ts';
import { inputsUnder, type Policy } from './policy.ts';

/** Plans every step of a history as if it had been pushed. */

export interface ReplanOrder {
  readonly head: string;
  readonly last: number;
  /** Another policy to plan by as well; null for none. */
  readonly policy: Policy | null;
  /** What steps take, to plan by; null when nobody can say. */
  readonly durations: LearnedDurations | null;
}

/** What came of planning one change. */
export type Replanned =
  | { readonly ok: true; readonly plan: Plan; readonly digest: string }
  | { readonly ok: false; readonly code: string; readonly message: string };

export interface ReplannedStep {
  readonly step: HistoryStep;
  readonly planned: Replanned;
  /** Under the other policy; null when there is none. */
  readonly other: Replanned | null;
  /** Milliseconds that reading the commit and planning it took; the other policy not counted. */
  readonly tookMs: number;
}

export interface Clock {
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
}

/**
 * Plans the last commits along first parents, the oldest first, and hands each on as soon as it is planned. Holds two
 * snapshots at a time, however long the history is. Throws a problem when git cannot go on; a commit that cannot be planned is
 * one of the answers.
 */
export async function replanHistory(
  reader: RepositoryReader,
  order: ReplanOrder,
  { signal, nowMs }: Clock,
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
      const base = before ?? (step.parent === null ? null : valueOf(await snapshots.read(step.parent.id, { signal })));
      const head: Snapshot = valueOf(
        base === null
          ? await snapshots.read(step.commit.id, { signal })
          : await snapshots.readNext(base, step.commit.id, step.changes, { signal }),
      );
      before = head;
      const inputs: PlanningInputs = { ...inputsOf(step, head, base), durations: order.durations };
      const planned = planOf(inputs, memory);
      const tookMs = nowMs() - startedMs;
      const other = order.policy === null ? null : planOf(inputsUnder(order.policy, inputs), memory);
      visit({ step, planned, other, tookMs });
    },
    { signal },
  );
  valueOf(walked);
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
): Omit<PlanningInputs, 'durations'> {
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

function planOf(inputs: PlanningInputs, memory: DiscoveryMemory): Replanned {
  const result = planOrDefect(inputs, memory);
  if (!result.ok) return { ok: false, code: result.code, message: result.message };
  return { ok: true, plan: result.plan, digest: digestOf(result.plan) };
}

type PlanningOutcome =
  PlanningResult | { readonly ok: false; readonly code: 'planning_broke'; readonly message: string };

/** A defect of planning costs the commit that shows it, not the answer about all the others. */
function planOrDefect(inputs: PlanningInputs, memory: DiscoveryMemory): PlanningOutcome {
  try {
    return planChange(inputs, memory);
  } catch (error) {
    return { ok: false, code: 'planning_broke', message: error instanceof Error ? error.message : 'it threw' };
  }
}

function digestOf(plan: Plan): string {
  return `sha256:${createHash('sha256').update(canonicalJson(plan)).digest('hex')}`;
}
