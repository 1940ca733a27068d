import type { ReportClient } from '@delta-ci/bus';
import type { RunView } from '@delta-ci/contracts';
import { traceparentOf } from '@delta-ci/service';
import type { PublicationRecord } from './published-states.ts';
import type { LookCause } from './run-queue.ts';

/** Reports one publication. @throws when the bus did not take it */
export async function reportPublication(
  reports: ReportClient,
  { runId }: RunView,
  record: PublicationRecord,
  cause: LookCause,
): Promise<void> {
  const { target, viewPosition, digest, final } = record;
  // A repeat of the same publication of the same view is the same report.
  const id = `publication-${runId}-${target}-${viewPosition}-${digest.slice(-8)}-${final ?? 'open'}`;
  const sent = await reports.send(
    'status-reporter.publication',
    { runId, ...record },
    { id, causation: cause.causation, traceparent: traceparentOf() ?? cause.traceparent },
  );
  if (!sent.sent) throw new Error(`the publication was not reported: ${sent.refusal.message}`);
}
