import { explainFailure, type FailureEvidence } from '@delta-ci/analysis';
import type { ArtifactStore } from '@delta-ci/artifact-store';
import type { ReportClient } from '@delta-ci/bus';
import { RunId, type RecordedEventOf } from '@delta-ci/contracts';
import type { Logger } from '@delta-ci/service';
import { readLogEvidence } from './read-log-evidence.ts';
import { readTestReports } from './read-test-reports.ts';

export interface AnalyzerTools {
  readonly store: ArtifactStore;
  readonly reports: ReportClient;
  readonly logger: Logger;
}

type AttemptFinished = RecordedEventOf<'attempt.finished'>;

const RUN_STREAM_PREFIX = 'run-';

/**
 * Explains a failed attempt and reports it. Outcomes that need no explanation are passed over. An event that comes again
 * leads to a report with the same id, which the bus and the log of record take once.
 * @throws when the report was not taken or the store cannot be read: the event comes again later.
 */
export async function explainAttempt(tools: AnalyzerTools, event: AttemptFinished, signal: AbortSignal): Promise<void> {
  const { outcome, jobKey, attempt } = event.data;
  if (outcome === 'succeeded' || outcome === 'canceled') return;
  const runId = runOf(event);
  const evidence = await gatherEvidence(tools.store, runId, event.data, outcome, signal);
  const explanation = explainFailure(evidence);
  const id = `explained-${runId}-${jobKey}-${attempt}`;
  const envelope = { id, causation: event.id, traceparent: event.traceparent };
  const data = { runId, jobKey, attempt, explanation };
  const sent = await tools.reports.send('failure-analyzer.failure-explained', data, envelope);
  if (!sent.sent) throw new Error(`the explanation was not taken: ${sent.refusal.code}, ${sent.refusal.message}`);
  const { category, confidence, headline } = explanation;
  tools.logger.info(
    { event: 'failure-explained', runId, jobKey, attempt, class: explanation.class, category, confidence },
    headline,
  );
}

async function gatherEvidence(
  store: ArtifactStore,
  runId: RunId,
  { jobKey, attempt, report, reason }: AttemptFinished['data'],
  outcome: FailureEvidence['outcome'],
  signal: AbortSignal,
): Promise<FailureEvidence> {
  const log = await readLogEvidence(store.logs, { runId, jobKey, attempt }, report, signal);
  const { testReports, unread } = await readTestReports(store.artifacts, report?.artifacts ?? [], signal);
  return { outcome, reason, report, log, testReports, job: { key: jobKey, title: jobKey }, unread };
}

function runOf(event: AttemptFinished): RunId {
  const id = RunId.safeParse(event.stream.slice(RUN_STREAM_PREFIX.length));
  if (!id.success) throw new Error(`an attempt outside a run: stream ${event.stream}`);
  return id.data;
}
