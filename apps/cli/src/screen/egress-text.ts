import { egressPlaceInWords, egressWhyInWords, type CompletionReport, type EgressDecision } from '@delta-ci/contracts';
import type { Surroundings } from '../surroundings.ts';
import { table } from './table.ts';
import { bytesText } from './words.ts';

const HEADINGS = ['EGRESS OF', 'PLACE', 'DECISION', 'TIMES', 'SENT', 'RECEIVED'];

/** A job of a run, as far as its connections are told of. */
export interface JobWithEgress {
  readonly key: string;
  readonly attempts: readonly { readonly report: Pick<CompletionReport, 'egress'> | null }[];
}

const placeText = (decision: EgressDecision): string =>
  decision.decision === 'others' ? 'other places' : (egressPlaceInWords(decision) ?? 'a place without a name');

function decisionText(decision: EgressDecision): string {
  if (decision.decision === 'others') return 'not told apart';
  const why = egressWhyInWords(decision);
  return why === '' ? decision.decision : `${decision.decision}: ${why}`;
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
