import {
  PLAN_PREDICATE_TYPE,
  STATEMENT_TYPE,
  isShadow,
  type AttestedJob,
  type AttestedSkip,
  type Checkpoint,
  type Explanation,
  type Plan,
  type PlanStatement,
  type RecordedEvent,
  type RecordedEventOf,
} from '@delta-ci/contracts';

/** What a statement is made of: what is recorded of a run, its plan, and the signed head that covers the records. */
export interface AttestedRun {
  /** All records of the run, in order. */
  readonly records: readonly RecordedEvent[];
  /** The plan under the digest that the records name. */
  readonly plan: Plan;
  readonly checkpoint: Checkpoint;
}

/** The plan that records of a run name; null when it has none. */
export function planDigestIn(records: readonly RecordedEvent[]): string | null {
  return find(records, 'run.planned')?.data.planDigest ?? null;
}

/**
 * States what was run for a commit, what was not, and why. Made of records alone: who has them and the plan makes the
 * same statement, byte for byte.
 * @returns null when the run has not ended, ended without a plan, or was for debugging: there is nothing to state
 */
export function planStatementOf({ records, plan, checkpoint }: AttestedRun): PlanStatement | null {
  const created = find(records, 'run.created');
  const planned = find(records, 'run.planned');
  const finished = find(records, 'run.finished');
  const [first, last] = [records[0], records.at(-1)];
  if (created === undefined || planned === undefined || finished === undefined || !first || !last) return null;
  const { runId, repository, change, rerun } = created.data;
  // Whoever looked into it may have had it say anything.
  if (rerun?.debug !== undefined) return null;
  const { planDigest, inputsDigest } = planned.data;
  return {
    _type: STATEMENT_TYPE,
    subject: [
      { name: repository.id, digest: { gitCommit: plan.commit } },
      { name: 'plan', digest: { sha256: planDigest.slice('sha256:'.length) } },
    ],
    predicateType: PLAN_PREDICATE_TYPE,
    predicate: {
      run: {
        id: runId,
        repository: repository.id,
        cloneUrl: repository.cloneUrl,
        ref: change.ref,
        change: change.kind,
        trust: change.trust,
        createdAt: created.time,
        finishedAt: finished.time,
        outcome: finished.data.outcome,
        reason: finished.data.reason,
        rerunOf: rerun?.of ?? null,
      },
      plan: { digest: planDigest, rulesVersion: plan.inputs['rules'] ?? '1' },
      inputs: {
        commit: plan.commit,
        tree: plan.tree,
        comparedWith: plan.comparedWith,
        recorded: inputsDigest,
        earlierPlan: plan.rerun?.planDigest ?? null,
        recipe: plan.source.recipe?.used?.digest ?? null,
      },
      ran: ranJobs(plan, records),
      notRun: plan.skipped.map(skipOf),
      log: {
        from: first.position,
        to: last.position,
        head: { position: checkpoint.position, hash: checkpoint.hash },
        checkpoint,
      },
    },
  };
}

function find<T extends RecordedEvent['type']>(
  records: readonly RecordedEvent[],
  type: T,
): RecordedEventOf<T> | undefined {
  return records.find((record): record is RecordedEventOf<T> & RecordedEvent => record.type === type);
}

function ranJobs(plan: Plan, records: readonly RecordedEvent[]): AttestedJob[] {
  const ends = records.filter((record) => record.type === 'attempt.finished');
  const attempts = Map.groupBy(ends, ({ data }) => data.jobKey);
  const outcomes = new Map(
    records.flatMap((record) =>
      record.type === 'job.finished' ? [[record.data.jobKey, record.data.outcome] as const] : [],
    ),
  );
  return plan.jobs.flatMap(({ key, title, policy, explanation }) => {
    const outcome = outcomes.get(key);
    // A run ends when all its jobs have.
    if (outcome === undefined) return [];
    return {
      key,
      title,
      decides: policy.required && !policy.allowFailure,
      shadow: isShadow(policy),
      outcome,
      attempts: (attempts.get(key) ?? []).map(({ data }) => ({
        attempt: data.attempt,
        outcome: data.outcome,
        failureClass: data.failureClass,
      })),
      why: whyOf(explanation),
    };
  });
}

const skipOf = ({ key, title, explanation }: Plan['skipped'][number]): AttestedSkip => ({
  key,
  title,
  why: whyOf(explanation),
});

/** Names of all rules of the chain, in its order. */
function whyOf({ chain, sentence }: Explanation): { rules: string[]; sentence: string } {
  const rules = chain.flatMap((link) => {
    if (link.kind === 'rule' || link.kind === 'job-rule') return [link.rule];
    return link.kind === 'policy' ? [link.policy] : [];
  });
  return { rules: [...new Set(rules)], sentence };
}
