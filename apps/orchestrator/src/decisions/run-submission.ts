import type { Actor, RunId } from '@delta-ci/contracts';
import { runStream } from '@delta-ci/contracts';
import { decideRun, type RunCommand } from '@delta-ci/domain';
import type { DecisionView, Submission, SubmissionResult } from '@delta-ci/event-log';

/** Who asks, under which id: what every submission carries besides its decision. */
export interface Envelope {
  /** Inbox id: repeating it gets the first answer. */
  id: string;
  actor: Actor;
  causation: string;
  traceparent: string | null;
  /** A mark of the content, for ids that strangers choose: used again for something else, the id is refused. */
  fingerprint?: string;
}

/** One command to one run. `result` is the answer when the run accepts it. */
export function submissionToRun(envelope: Envelope, runId: RunId, command: RunCommand, result: unknown): Submission {
  return { ...envelope, runs: [runId], decide: (view) => decideOn(view, runId, command, result) };
}

/** Decides `command` on the run as it stands in `view`; refusals may leave events too. */
export function decideOn(view: DecisionView, runId: RunId, command: RunCommand, result: unknown): SubmissionResult {
  const decision = decideRun(command, view.run(runId), { nowMs: view.nowMs });
  const appends = decision.events.length === 0 ? [] : [{ stream: runStream(runId), events: decision.events }];
  return decision.kind === 'accepted'
    ? { appends, answer: { ok: true, result } }
    : { appends, answer: { ok: false, refusal: decision.refusal } };
}
