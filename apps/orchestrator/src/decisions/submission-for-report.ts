import {
  poolStream,
  runnerStream,
  type Plan,
  type PlannedJobState,
  type Report,
  type ReportData,
  type ReportKind,
} from '@delta-ci/contracts';
import type { RunCommand } from '@delta-ci/domain';
import type { Submission } from '@delta-ci/event-log';
import { decideOn, submissionToRun, type Envelope } from './run-submission.ts';
import { submissionForRecipe } from './submission-for-recipe.ts';

/** A proposed plan that has been fetched, validated, and found to have the digest it was announced with. */
export interface VerifiedPlan {
  digest: string;
  plan: Plan;
}

/** Reports that need nothing besides themselves. A proposed plan is fetched and verified first. */
export type SimpleReport = Report<Exclude<ReportKind, 'planner.plan-proposed'>>;

/** The inbox id of a report: its sender's own id, apart from the ids of commands. */
const envelopeOf = (report: Report): Envelope => ({
  id: `report-${report.id}`,
  actor: { kind: 'service', name: report.kind.split('.')[0] ?? report.kind },
  causation: report.causation,
  traceparent: report.traceparent,
});

/** A plan becomes part of its run; the body is stored under its digest in the same transaction. */
export function submissionForPlan(report: Report<'planner.plan-proposed'>, verified: VerifiedPlan): Submission {
  const { runId, inputsDigest } = report.data;
  const { digest, plan } = verified;
  const jobs: PlannedJobState[] = plan.jobs.map(({ key, needs, policy, requirements }) => ({
    key,
    needs,
    policy,
    requirements,
  }));
  const command: RunCommand = {
    type: 'record-plan',
    planDigest: digest,
    policy: plan.policy,
    jobs,
    summary: plan.summary,
    inputsDigest,
  };
  return {
    ...envelopeOf(report),
    runs: [runId],
    decide: (view) => {
      const decided = decideOn(view, runId, command, { runId });
      return decided.answer.ok ? { ...decided, plans: [verified] } : decided;
    },
  };
}

/** Planning that ended without a usable plan, whoever found that out. */
export function submissionForPlanningFailure(
  report: Report<'planner.plan-proposed' | 'planner.planning-failed'>,
  failure: Pick<ReportData<'planner.planning-failed'>, 'code' | 'message'>,
): Submission {
  const { runId, inputsDigest } = report.data;
  const command: RunCommand = {
    type: 'record-planning-failure',
    code: failure.code,
    message: failure.message,
    inputsDigest,
  };
  return submissionToRun(envelopeOf(report), runId, command, {});
}

/** Translates a report into the submission that accepts or refuses it. */
export function submissionForReport(report: SimpleReport, liveRunOfRunner: string | null): Submission {
  switch (report.kind) {
    case 'planner.planning-failed':
      return submissionForPlanningFailure(report, report.data);
    case 'planner.recipe-proved':
    case 'planner.recipe-failed':
      return submissionForRecipe(envelopeOf(report), report);
    case 'failure-analyzer.failure-explained': {
      const { runId, ...data } = report.data;
      return submissionToRun(envelopeOf(report), runId, { type: 'record-explanation', ...data }, {});
    }
    case 'status-reporter.publication': {
      const { runId, ...data } = report.data;
      return submissionToRun(envelopeOf(report), runId, { type: 'record-publication', data }, {});
    }
    case 'runner-controller.scaling-decision':
      return scalingDecision(report);
    case 'runner-controller.runner-exit':
      return runnerExit(report, liveRunOfRunner);
  }
}

function scalingDecision(report: Report<'runner-controller.scaling-decision'>): Submission {
  const decided = { type: 'scaling.decided' as const, data: report.data };
  const appends = [{ stream: poolStream(report.data.pool), events: [decided] }];
  return { ...envelopeOf(report), runs: [], decide: () => ({ appends, answer: { ok: true, result: {} } }) };
}

/** A runner that is gone: its record is closed, and whatever it held is lost at once instead of after the TTL. */
function runnerExit(report: Report<'runner-controller.runner-exit'>, liveRun: string | null): Submission {
  const { runnerId, exitCode, signal, reason } = report.data;
  const told = signal === null ? reason : `${reason} (${signal})`;
  const retired = { type: 'runner.retired' as const, data: { runnerId, reason: told.slice(0, 500), exitCode } };
  const append = { stream: runnerStream(runnerId), events: [retired] };
  const envelope = envelopeOf(report);
  if (liveRun === null) {
    return { ...envelope, runs: [], decide: () => ({ appends: [append], answer: { ok: true, result: {} } }) };
  }
  const command: RunCommand = { type: 'lose-runner', runnerId, reason: told };
  return {
    ...envelope,
    runs: [liveRun],
    decide: (view) => {
      const lost = decideOn(view, liveRun, command, {});
      return { ...lost, appends: [...lost.appends, append] };
    },
  };
}
