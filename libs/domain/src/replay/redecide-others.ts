import { firstDifference, type DomainEventOf, type Json, type JsonDifference } from '@delta-ci/contracts';
import type { RunAggregate } from '../run/aggregate.ts';
import { decideDebug } from '../run/debug.ts';
import { decideRerun } from '../run/rerun.ts';
import { decideCapacity } from '../scaling/decide-capacity.ts';

/** Decisions about other things than one run's own course, made again from what is recorded of them. */

/**
 * What a run that repeats another started from, decided again on the run it repeats.
 * @param source the repeated run, finished: from then on nothing that matters here changes
 */
export function redecideRerun(
  source: RunAggregate,
  created: DomainEventOf<'run.created'>['data'],
): JsonDifference | null {
  if (created.rerun === null) return null;
  const { runId: newRunId, rerun } = created;
  const decided =
    rerun.debug === undefined
      ? decideRerun(source, { newRunId, only: rerun.only })
      : decideDebug(source, { newRunId, jobKey: rerun.jobs?.[0] ?? '', ...rerun.debug });
  if (!decided.ok) return { field: '', recorded: created.rerun, decided: decided.refusal.code };
  return firstDifference(created, decided.data);
}

/** A scaling decision made again; `not-recorded` when its inputs were not, as in records older than that field. */
export function redecideScaling(
  recorded: DomainEventOf<'scaling.decided'>['data'],
): JsonDifference | null | 'not-recorded' {
  if (recorded.inputs === null) return 'not-recorded';
  const { policy, snapshot, history } = recorded.inputs;
  return firstDifference(recorded as Json, decideCapacity(policy, snapshot, history) as Json);
}
