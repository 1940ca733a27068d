import { describe, expect, it } from '@jest/globals';
import type { DeliveryContext, ReportClient } from '@delta-ci/bus';
import { DEFAULT_RUN_POLICY, type RecordedEventOf } from '@delta-ci/contracts';
import { createLogger, createRedactor } from '@delta-ci/service';
import { aChange } from '../../../test/support/made-up/change.ts';
import { aPlan } from '../../../test/support/made-up/plan.ts';
import { aRepository } from '../../../test/support/made-up/repository.ts';
import { onRunCreated } from './on-run-created.ts';
import { failure, type PlanningOutcome } from './planning-outcome.ts';

const RUN = `run_${'1'.repeat(32)}`;
const repository = aRepository();
const change = aChange();
const event: RecordedEventOf<'run.created'> = {
  type: 'run.created',
  id: '01900000-0000-7000-8000-000000000001',
  position: 1,
  stream: `run-${RUN}`,
  version: 1,
  schemaVersion: 1,
  time: '2026-01-02T03:04:05.678Z',
  actor: { kind: 'forge-user', name: 'ada' },
  correlation: RUN,
  causation: 'command-1',
  traceparent: null,
  prevHash: '',
  hash: '',
  data: { runId: RUN, repository, change, policy: DEFAULT_RUN_POLICY, rerun: null },
};
const plan = aPlan({ repository, change });
const DIGEST = `sha256:${'0'.repeat(64)}`;
const INPUTS = `sha256:${'1'.repeat(64)}`;

type Send = ReportClient['send'];

/** Handles the event once with a planner that answers `outcome`, and tells what was reported. */
async function handle(
  outcome: PlanningOutcome | ((signal: AbortSignal) => Promise<PlanningOutcome>),
  given: { deliveries?: number; signal?: AbortSignal; timeLimitMs?: number } = {},
): Promise<{ kind: string; data: unknown; id: string }[]> {
  const sent: { kind: string; data: unknown; id: string }[] = [];
  const send: Send = async (kind, data, { id }) => {
    sent.push({ kind, data, id });
    return { sent: true, repeated: false };
  };
  const context: DeliveryContext = {
    subject: '',
    deliveries: given.deliveries ?? 1,
    traceparent: null,
    signal: given.signal ?? new AbortController().signal,
  };
  const logger = createLogger({
    service: 'planner',
    instance: 'test',
    level: 'fatal',
    pretty: false,
    redactor: createRedactor([]),
  });
  const tools = {
    plan: async (_data: unknown, signal: AbortSignal) => (typeof outcome === 'function' ? outcome(signal) : outcome),
    reports: { send },
    logger,
    timeLimitMs: given.timeLimitMs ?? 60_000,
  };
  await onRunCreated(tools, event, context);
  return sent;
}

describe('a created run', () => {
  it("given a plan, when it is small, then it travels with its report, whose id is the run's", async () => {
    const sent = await handle({ kind: 'planned', plan, digest: DIGEST, sizeBytes: 1_000, inputsDigest: INPUTS });
    expect(sent).toEqual([
      {
        kind: 'planner.plan-proposed',
        id: `plan-${RUN}`,
        data: { runId: RUN, digest: DIGEST, plan, inputsDigest: INPUTS },
      },
    ]);
  });

  it('given a plan, when it is larger than a message, then it travels by its digest alone', async () => {
    const [report] = await handle({ kind: 'planned', plan, digest: DIGEST, sizeBytes: 600_000, inputsDigest: null });
    expect(report?.data).toEqual({ runId: RUN, digest: DIGEST, plan: null, inputsDigest: null });
  });

  it('given a failure that stays, then it is reported at once', async () => {
    const [report] = await handle(failure('invalid_config', 'line 4', { inputsDigest: INPUTS }));
    expect(report).toEqual({
      kind: 'planner.planning-failed',
      id: `plan-${RUN}`,
      data: { runId: RUN, code: 'invalid_config', message: 'line 4', inputsDigest: INPUTS },
    });
  });

  it('given a failure that may pass, then the event is asked for again, and the third delivery reports it', async () => {
    const unreachable = failure('repository_unreachable', 'no answer', { passing: true });
    await expect(handle(unreachable, { deliveries: 1 })).rejects.toThrow('repository_unreachable');
    await expect(handle(unreachable, { deliveries: 2 })).rejects.toThrow('repository_unreachable');
    const [report] = await handle(unreachable, { deliveries: 3 });
    expect(report?.data).toMatchObject({ code: 'repository_unreachable' });
  });

  it('given planning that does not end, when the limit is reached, then the report says so', async () => {
    const [report] = await handle(untilAborted, { timeLimitMs: 20 });
    expect(report?.data).toMatchObject({ code: 'planning_timed_out' });
  });

  it('given a process that stops, when planning was under way, then nothing is reported and the event comes again', async () => {
    await expect(handle(untilAborted, { signal: AbortSignal.abort(new Error('stopping')) })).rejects.toThrow(
      'stopping',
    );
  });
});

async function untilAborted(signal: AbortSignal): Promise<PlanningOutcome> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  return failure('git_canceled', 'the caller gave up waiting');
}
