import { egressReasonInWords, type CompletionReport, type EgressDecision } from '@delta-ci/contracts';
import type { Surroundings } from '../surroundings.ts';
import { table } from './table.ts';
import { bytesText } from './words.ts';

const HEADINGS = ['EGRESS OF', 'PLACE', 'DECISION', 'TIMES', 'SENT', 'RECEIVED'];

/** A job of a run, as far as its connections are told of. */
export interface JobWithEgress {
  readonly key: string;
  readonly attempts: readonly { readonly report: Pick<CompletionReport, 'egress'> | null }[];
}

function placeText({ host, port, decision }: EgressDecision): string {
  if (decision === 'others') return 'other places';
  if (host === null) return 'a place without a name';
  const shown = host.includes(':') ? `[${host}]` : host;
  return port === null ? shown : `${shown}:${port}`;
}

function decisionText({ decision, reason }: EgressDecision): string {
  if (decision === 'others') return 'not told apart';
  return reason === null ? decision : `${decision}: ${egressReasonInWords(reason)}`;
}

/** What was decided about the connections of the jobs' last attempts; empty when no job could make any. */
export function egressText(surroundings: Surroundings, jobs: readonly JobWithEgress[]): string {
  const { paint } = surroundings;
  const rows = jobs.flatMap(({ key: job, attempts }) =>
    (attempts.at(-1)?.report?.egress ?? []).map((decision) => [
      job,
      placeText(decision),
      { text: decisionText(decision), paint: decision.decision === 'allowed' ? paint.green : paint.yellow },
      String(decision.count),
      bytesText(decision.sentBytes),
      bytesText(decision.receivedBytes),
    ]),
  );
  return rows.length === 0 ? '' : table(surroundings, HEADINGS, rows);
}
