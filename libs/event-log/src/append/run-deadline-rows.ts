import type { RunId } from '@delta-ci/contracts';
import { initialRun, nextDeadlineMs } from '@delta-ci/domain';
import type { FoldedRun } from './aggregate-cache.ts';
import type { BatchClient } from './batch-client.ts';
import { DROP_DEADLINES, SET_DEADLINES } from './batch-statements.ts';

/** Keeps `run_deadline` in step with the runs: one row while a run has something that falls due. */
export function sendDeadlines(
  client: BatchClient,
  changed: ReadonlyMap<RunId, FoldedRun>,
  before: ReadonlyMap<RunId, FoldedRun>,
): Promise<unknown>[] {
  const due: [runIds: RunId[], dueAtMs: number[]] = [[], []];
  const over: RunId[] = [];
  for (const runId of [...changed.keys()].sort()) {
    const earlier = nextDeadlineMs(before.get(runId)?.aggregate ?? initialRun);
    const now = nextDeadlineMs(changed.get(runId)?.aggregate ?? initialRun);
    if (now === earlier) continue;
    if (now === null) over.push(runId);
    else {
      due[0].push(runId);
      due[1].push(now);
    }
  }
  return [
    ...(due[0].length === 0 ? [] : [client.run(SET_DEADLINES, due)]),
    ...(over.length === 0 ? [] : [client.run(DROP_DEADLINES, [over])]),
  ];
}
