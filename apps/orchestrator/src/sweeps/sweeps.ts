import type { Actor } from '@delta-ci/contracts';
import type { RunCommand } from '@delta-ci/domain';
import { whichLeasesExpired, whichRunsAreDue, whichRunsAreSuperseded, type LogConnection } from '@delta-ci/event-log';
import { submissionToRun } from '../decisions/run-submission.ts';
import type { Ledger } from '../ledger.ts';
import { redriveDispatch, type RedriveTools } from './redrive-dispatch.ts';
import type { Sweep } from './sweeper.ts';

export interface SweepTools extends RedriveTools {
  log: LogConnection;
  ledger: Ledger;
}

const timer = (name: string): Actor => ({ kind: 'timer', name });

/** Everything that has to happen because time passed. Ids are made from what was found, so two sweepers do it once. */
export function sweeps(tools: SweepTools): Sweep[] {
  return [
    { name: 'expire-leases', run: async (limit) => expireLeases(tools, limit) },
    { name: 'enforce-deadlines', run: async (limit) => enforceDeadlines(tools, limit) },
    { name: 'supersede-runs', run: async (limit) => supersedeRuns(tools, limit) },
    { name: 'redrive-dispatch', run: redriveDispatch(tools) },
  ];
}

async function submitTo(
  tools: SweepTools,
  name: string,
  id: string,
  runId: string,
  command: RunCommand,
): Promise<void> {
  const envelope = { id, actor: timer(name), causation: id, traceparent: null };
  const submission = submissionToRun(envelope, runId, command, {});
  const answer = await tools.ledger.submit({
    ...submission,
    // A decision that changed nothing is made anew next time: a timer must never be answered from memory.
    decide: (view) => ({ ...submission.decide(view), remember: false }),
  });
  if (!answer.ok && answer.refusal.code === 'internal')
    throw new Error(`${name} of ${runId}: ${answer.refusal.message}`);
}

async function expireLeases(tools: SweepTools, limit: number): Promise<number> {
  const expired = await whichLeasesExpired(tools.log, limit);
  await Promise.all(
    expired.map(async ({ runId, jobKey, attempt, fence, leaseHash, wasActive, silentSinceMs }) =>
      submitTo(tools, 'expire-leases', `expire-${leaseHash}`, runId, {
        type: 'expire-lease',
        jobKey,
        attempt,
        fence,
        wasActive,
        silentSinceMs,
      }),
    ),
  );
  return expired.length;
}

async function enforceDeadlines(tools: SweepTools, limit: number): Promise<number> {
  const due = await whichRunsAreDue(tools.log, limit);
  await Promise.all(
    due.map(async ({ runId, dueAtMs }) =>
      submitTo(tools, 'enforce-deadlines', `deadline-${runId}-${dueAtMs}`, runId, { type: 'enforce-deadlines' }),
    ),
  );
  return due.length;
}

async function supersedeRuns(tools: SweepTools, limit: number): Promise<number> {
  const superseded = await whichRunsAreSuperseded(tools.log, limit);
  await Promise.all(
    superseded.map(async ({ runId, by }) =>
      submitTo(tools, 'supersede-runs', `supersede-${runId}-${by}`, runId, { type: 'supersede-run', by }),
    ),
  );
  return superseded.length;
}
