import { Plan, canonicalJson, type CommandAnswer, type Digest, type Report } from '@delta-ci/contracts';
import type { ArtifactStore } from '@delta-ci/artifact-store';
import { StoreError, digestOf } from '@delta-ci/artifact-store';
import type { ReportHandlers } from '@delta-ci/bus';
import {
  submissionForPlan,
  submissionForPlanningFailure,
  submissionForReport,
  type SimpleReport,
  type VerifiedPlan,
} from './decisions/submission-for-report.ts';
import type { Ledger } from './ledger.ts';

export interface ReportDesk {
  ledger: Ledger;
  store: ArtifactStore;
  /** Run in which this runner holds a lease; null when it is free. */
  liveRunOfRunner: (runnerId: string) => Promise<string | null>;
  onRefused: (report: Report, answer: Extract<CommandAnswer, { ok: false }>) => void;
}

/** A plan of ten thousand jobs has some twenty megabytes. */
const PLAN_BYTES_MAX = 64 * 1024 * 1024;

/**
 * A handler for every report. What the log refuses is told and done with: the report was heard, and repeating it changes
 * nothing. What could not be decided (no database) throws, so that the report comes again.
 */
export function reportHandlers(desk: ReportDesk): ReportHandlers {
  const record = async (report: SimpleReport): Promise<void> => {
    const liveRun =
      report.kind === 'runner-controller.runner-exit' ? await desk.liveRunOfRunner(report.data.runnerId) : null;
    settle(desk, report, await desk.ledger.submit(submissionForReport(report, liveRun)));
  };
  return {
    'planner.plan-proposed': async (report) => onPlanProposed(desk, report),
    'planner.planning-failed': record,
    'planner.recipe-proved': record,
    'planner.recipe-failed': record,
    'failure-analyzer.failure-explained': record,
    'status-reporter.publication': record,
    'runner-controller.scaling-decision': record,
    'runner-controller.runner-exit': record,
  };
}

async function onPlanProposed(desk: ReportDesk, report: Report<'planner.plan-proposed'>): Promise<void> {
  const verified = await verifyPlan(desk.store, report);
  const submission =
    'problem' in verified
      ? submissionForPlanningFailure(report, { code: 'invalid_plan', message: verified.problem })
      : submissionForPlan(report, verified);
  settle(desk, report, await desk.ledger.submit(submission));
}

function settle(desk: ReportDesk, report: Report, answer: CommandAnswer): void {
  if (answer.ok) return;
  if (answer.refusal.code === 'unavailable' || answer.refusal.code === 'internal') {
    throw new Error(`${report.kind} could not be recorded: ${answer.refusal.message}`);
  }
  desk.onRefused(report, answer);
}

/** The plan under the digest it was announced with. What a planner sends is not believed: it is fetched, parsed, hashed. */
async function verifyPlan(
  store: ArtifactStore,
  { data }: Report<'planner.plan-proposed'>,
): Promise<VerifiedPlan | { problem: string }> {
  const plan = data.plan ?? (await storedPlan(store, data.digest));
  if ('problem' in plan) return plan;
  const digest = digestOf(canonicalJson(plan));
  return digest === data.digest
    ? { digest, plan }
    : { problem: `the plan has the digest ${digest}, announced was ${data.digest}` };
}

async function storedPlan(store: ArtifactStore, digest: Digest): Promise<Plan | { problem: string }> {
  try {
    const bytes = await store.content.read(digest, PLAN_BYTES_MAX);
    const parsed = Plan.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    return parsed.success
      ? parsed.data
      : { problem: `the plan does not have its shape: ${parsed.error.message.slice(0, 2_000)}` };
  } catch (error) {
    if (error instanceof StoreError) return { problem: error.message };
    if (error instanceof SyntaxError) return { problem: 'the stored plan is not JSON' };
    throw error;
  }
}
