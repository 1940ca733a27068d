import { STREAMS, type Actor } from '@delta-ci/contracts';
import { publishDispatch, type Bus } from '@delta-ci/bus';
import type { RunCommand } from '@delta-ci/domain';
import {
  whichAttemptsWait,
  whichLeasesExpired,
  whichRunsAreDue,
  whichRunsAreSuperseded,
  type LogConnection,
} from '@delta-ci/event-log';
import { submissionToRun } from '../decisions/run-submission.ts';
import type { Ledger } from '../ledger.ts';
import type { Sweep } from './sweeper.ts';

export interface SweepTools {
  log: LogConnection;
  bus: Bus;
  ledger: Ledger;
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
  const answer = await tools.ledger.submit(submissionToRun(envelope, runId, command, {}));
  if (!answer.ok && answer.refusal.code === 'internal')
    throw new Error(`${name} of ${runId}: ${answer.refusal.message}`);
}

async function expireLeases(tools: SweepTools, limit: number): Promise<number> {
  const expired = await whichLeasesExpired(tools.log, limit);
  await Promise.all(
    expired.map(async ({ runId, jobKey, attempt, fence, leaseHash, silentSinceMs }) =>
      submitTo(tools, 'expire-leases', `expire-${leaseHash}`, runId, {
        type: 'expire-lease',
        jobKey,
        attempt,
        fence,
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

/** More waiting attempts than this are not compared with the queue: it is certainly not empty then. */
const COMPARED_MAX = 1_000;

/**
 * Puts attempts before their pools again when the queue holds fewer messages than attempts wait: messages were lost
 * with the bus, or this process's predecessor died between commit and publication.
 */
async function redriveDispatch(tools: SweepTools, limit: number): Promise<number> {
  const { bus, log, redriveAfterMs, nowMs } = tools;
  const waiting = await whichAttemptsWait(log, { waitedAtLeastMs: redriveAfterMs, limit: COMPARED_MAX });
  if (waiting.length === 0) return 0;
  const queue = await bus.streamState(STREAMS.dispatch);
  if (queue.outcome !== 'known' || queue.messages >= waiting.length) return 0;
  for (const dispatch of waiting.slice(0, limit)) {
    // The count grows with the time waited, so that every interval makes a message of its own and repeats within one do not.
    const redrive = 1 + Math.floor((nowMs() - dispatch.queuedAtMs) / redriveAfterMs);
    await publishDispatch(bus, dispatch, redrive);
  }
  return 0;
}
