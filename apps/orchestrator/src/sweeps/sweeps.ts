import type { Actor, PoolName, RunnerCapabilities } from '@delta-ci/contracts';
import { publishDispatch, type Bus } from '@delta-ci/bus';
import { matchRequirements, type RunCommand } from '@delta-ci/domain';
import {
  whichAttemptsWait,
  whichLeasesExpired,
  whichRunsAreDue,
  whichRunsAreSuperseded,
  type LogConnection,
} from '@delta-ci/event-log';
import { submissionToRun } from '../decisions/run-submission.ts';
import type { PoolDesk } from '../leases/pool-desk.ts';
import type { Ledger } from '../ledger.ts';
import type { Sweep } from './sweeper.ts';

export interface SweepTools {
  log: LogConnection;
  bus: Bus;
  ledger: Ledger;
  desks: ReadonlyMap<PoolName, Pick<PoolDesk, 'takePassedOver'>>;
  redriveAfterMs: number;
  nowMs: () => number;
}

const timer = (name: string): Actor => ({ kind: 'timer', name });

/** Everything that has to happen because time passed. Ids are made from what was found, so two sweepers do it once. */
export function sweeps(tools: SweepTools): Sweep[] {
  return [
    { name: 'expire-leases', run: async (limit) => expireLeases(tools, limit) },
    { name: 'enforce-deadlines', run: async (limit) => enforceDeadlines(tools, limit) },
    { name: 'supersede-runs', run: async (limit) => supersedeRuns(tools, limit) },
    { name: 'redrive-dispatch', run: async (limit) => redriveDispatch(tools, limit) },
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

/**
 * Puts attempts before their pools again whose message was lost: with the bus, or because this process's predecessor
 * died between commit and publication. A runner that could do it waited, and the queue had nothing for it. One message
 * too many does no harm: the log refuses the second grant.
 */
async function redriveDispatch({ bus, log, desks, redriveAfterMs, nowMs }: SweepTools, limit: number): Promise<number> {
  for (const [pool, desk] of desks) {
    const runners = desk.takePassedOver();
    if (runners.length === 0) continue;
    const waiting = await whichAttemptsWait(log, { pool, waitedAtLeastMs: redriveAfterMs, limit });
    // Every interval makes a message of its own, and repeats within one do not. Intervals of our own clock, and not since the
    // attempt was queued: that is the database's time, and where ours is behind it the count could be that of the first message.
    const redrive = Math.floor(nowMs() / redriveAfterMs);
    for (const dispatch of waiting) {
      const couldDo = (runner: RunnerCapabilities): boolean => matchRequirements(dispatch.requirements, runner).ok;
      if (runners.some(couldDo)) await publishDispatch(bus, dispatch, redrive);
    }
  }
  return 0;
}
