import { explainFailure, parseJunit, type FailureEvidence, type TestReport } from '@delta-ci/analysis';
import {
  stepFailed,
  usageOfSteps,
  type CacheResult,
  type CompletionReport,
  type EgressDecision,
  type FailureExplanation,
  type PlannedJob,
} from '@delta-ci/contracts';
import type { JobResult } from '@delta-ci/sandbox';
import type { LocalArtifacts } from './local-artifacts.ts';
import type { LocalLog } from './local-log.ts';

/** What a job left behind for whoever wants to know why it failed. */
export interface Executed {
  readonly result: JobResult;
  readonly log: LocalLog;
  /** Whether part of it was left out, because it was too much. */
  readonly logIsCut: boolean;
  /** What it left of what the plan asks for; its test reports as text. */
  readonly artifacts: Pick<LocalArtifacts, 'junit' | 'found' | 'unmatched'>;
  /** What became of its caches. */
  readonly caches: readonly CacheResult[];
  /** What was decided about its connections; null where nothing decided. */
  readonly egress: readonly EgressDecision[] | null;
  readonly startedMs: number;
  readonly finishedMs: number;
}

/** Why a job failed, by the analysis a mesh uses; null when it did not. */
export function explainLocally(job: PlannedJob, executed: Executed, reason: string): FailureExplanation | null {
  const { outcome } = executed.result;
  if (outcome === 'succeeded' || outcome === 'canceled') return null;
  const unread: string[] = [];
  const testReports: TestReport[] = [];
  for (const text of executed.artifacts.junit) {
    const parsed = parseJunit(text);
    if (parsed.ok) testReports.push(parsed.report);
    else unread.push(`a test report could not be read: ${parsed.message}`);
  }
  const evidence: FailureEvidence = {
    outcome,
    reason,
    report: reportOf(executed, reason),
    log: executed.log.evidence(stepsAfterFailure(executed.result)),
    testReports,
    job: { key: job.key, title: job.title, kind: job.kind },
    unread,
  };
  const explanation = explainFailure(evidence);
  return explanation.category === 'command-not-found' ? { ...explanation, nextStep: whereToGetIt(job) } : explanation;
}

/** Of steps that are independent others run after one that failed. */
function stepsAfterFailure({ steps }: JobResult): number {
  const failedAt = steps.findIndex(stepFailed);
  return failedAt === -1 ? 0 : steps.length - 1 - failedAt;
}

/** There are no pools here to choose from: there is this machine, or the image that the job names. */
function whereToGetIt({ image }: PlannedJob): string {
  const first = 'Install it as a dependency or in a step before';
  if (image !== null) return `${first}, or name an image that has it.`;
  return `${first}; or let jobs find what this machine has (\`delta doctor\` shows it): node, go, pnpm and cargo from PATH, anything else by the folder above its bin in DELTA_TOOLCHAIN_DIRS.`;
}

function reportOf(
  { result, log, logIsCut, caches, egress, startedMs, finishedMs }: Executed,
  summary: string,
): CompletionReport {
  const { outcome, exitCode, signal, steps, infrastructureError } = result;
  return {
    outcome,
    exitCode,
    signal,
    steps,
    usage: usageOfSteps(steps, Math.max(0, finishedMs - startedMs)),
    artifacts: [],
    caches: [...caches],
    infrastructureError,
    logBytes: log.bytes,
    logTruncated: logIsCut,
    runnerStartedAtMs: startedMs,
    runnerFinishedAtMs: finishedMs,
    summary: summary.slice(0, 5_000),
    ...(egress === null ? {} : { egress: [...egress] }),
  };
}
