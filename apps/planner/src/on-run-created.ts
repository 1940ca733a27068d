import type { DeliveryContext, ReportClient, ReportOutcome } from '@delta-ci/bus';
import { INLINE_PAYLOAD_BYTES_MAX, type RecordedEventOf } from '@delta-ci/contracts';
import { traceparentOf, withIds, type Logger } from '@delta-ci/service';
import { failure, type PlanningOutcome } from './planning-outcome.ts';

/** What the handler needs of the process around it. */
export interface RunCreatedTools {
  readonly plan: (data: RecordedEventOf<'run.created'>['data'], signal: AbortSignal) => Promise<PlanningOutcome>;
  readonly reports: Pick<ReportClient, 'send'>;
  readonly logger: Logger;
  readonly timeLimitMs: number;
}

/** Deliveries in which a remote that does not answer is tried again; with the bus's pauses that is some 20 s. */
const PATIENT_DELIVERIES = 3;

/** The envelope around a plan takes some bytes of the message as well. */
const INLINE_PLAN_BYTES_MAX = INLINE_PAYLOAD_BYTES_MAX - 16 * 1_024;

/**
 * Plans a run and reports the plan, or why there is none. The report's id is the run's: however often the event is
 * delivered, one report counts. Throws to have the event delivered again.
 */
export async function onRunCreated(
  tools: RunCreatedTools,
  event: RecordedEventOf<'run.created'>,
  { signal, deliveries }: DeliveryContext,
): Promise<void> {
  const { runId, policy } = event.data;
  const logger = withIds(tools.logger, { run: runId });
  // Whoever waits for the plan gives up at the policy's timeout: answer before that.
  const limitMs = Math.min(tools.timeLimitMs, policy.planningTimeoutMs * 0.9);
  const limit = AbortSignal.timeout(Math.max(1, Math.floor(limitMs)));
  const outcome = await tools.plan(event.data, AbortSignal.any([signal, limit]));
  signal.throwIfAborted();
  if (outcome.kind === 'failed' && outcome.passing && deliveries < PATIENT_DELIVERIES && !limit.aborted) {
    throw new Error(`${outcome.code}: ${outcome.message}`);
  }
  const told = outcome.kind === 'failed' && limit.aborted ? tookTooLong(limitMs, outcome.message) : outcome;
  const sent = await report(tools, event, told);
  if (!sent.sent) throw new Error(`the report was not taken: ${sent.refusal.message}`);
  logger.info({ event: 'planned', outcome: summaryOf(told), repeated: sent.repeated });
}

function tookTooLong(limitMs: number, message: string): PlanningOutcome {
  return failure('planning_timed_out', `planning did not end within ${Math.round(limitMs / 1_000)} s (${message})`);
}

async function report(
  { reports }: RunCreatedTools,
  event: RecordedEventOf<'run.created'>,
  outcome: PlanningOutcome,
): Promise<ReportOutcome> {
  const { runId } = event.data;
  const options = { id: `plan-${runId}`, causation: event.id, traceparent: traceparentOf() ?? event.traceparent };
  if (outcome.kind === 'failed') {
    const { code, message, inputsDigest } = outcome;
    return reports.send('planner.planning-failed', { runId, code, message, inputsDigest }, options);
  }
  const { digest, plan, sizeBytes, inputsDigest } = outcome;
  const inline = sizeBytes <= INLINE_PLAN_BYTES_MAX ? plan : null;
  return reports.send('planner.plan-proposed', { runId, digest, plan: inline, inputsDigest }, options);
}

function summaryOf(outcome: PlanningOutcome): Record<string, unknown> {
  if (outcome.kind === 'failed') return { failed: outcome.code, message: outcome.message };
  const { digest, plan } = outcome;
  return { digest, jobs: plan.jobs.length, skipped: plan.skipped.length, files: plan.files.length };
}
