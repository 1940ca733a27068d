import type { Actor, CommandAnswer, DomainEvent, ProposedPlan, Refusal, RunId, StreamId } from '@delta-ci/contracts';
import type { RunAggregate } from '@delta-ci/domain';

/** One command, report or timer decision. Many are committed in one transaction. */
export interface Submission {
  /** Chosen by the sender. Repeating it returns the first answer. */
  readonly id: string;
  /**
   * A mark of the content, e.g. a digest of the command's data. A repeat with another mark is refused as
   * `conflicting_repeat`; without marks any repeat gets the first answer.
   */
  readonly fingerprint?: string;
  readonly actor: Actor;
  readonly traceparent: string | null;
  /** Id of the command, report or event that caused this; usually `id` itself. */
  readonly causation: string;
  /** Runs to lock and load. `decide` may look at these and append to their streams, and to no other run's. */
  readonly runs: readonly RunId[];
  /**
   * Decides. Synchronous and without effects: it is called again, with newer state, when the transaction is repeated.
   * Throwing refuses this submission as `internal` and leaves the rest of the batch alone.
   */
  decide(view: DecisionView): SubmissionResult;
  /**
   * What it means that a unique index has a row already that this submission would put: somebody else's decision, on
   * another run, that `decide` cannot see. Null, and without this: nothing should ever clash, and the answer is `internal`.
   */
  readonly refuseClash?: (index: string) => Refusal | null;
}

/** What a decision may look at. */
export interface DecisionView {
  /** The database's clock, read after the locks were taken: never earlier than what the runs have seen. */
  readonly nowMs: number;
  /** A run with everything that submissions before this one decided. @throws when the submission did not name it. */
  run(id: RunId): RunAggregate;
}

export interface SubmissionResult {
  readonly appends: readonly Append[];
  readonly answer: Answer;
  /** Bodies stored together with the events that name their digests. */
  readonly plans?: readonly ProposedPlan[];
  /**
   * Whether repeats get this answer (default: yes). `false` is for answers that may differ next time, such as "no work
   * now"; a submission that appends is always remembered.
   */
  readonly remember?: boolean;
}

export interface Append {
  readonly stream: StreamId;
  readonly events: readonly DomainEvent[];
}

/** A command's answer before the writer adds the log position. */
export type Answer =
  { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly refusal: Refusal };

/** The answer as the sender gets it. `position`: the log's head after the submission, for reading one's own writes. */
export function withPosition(answer: Answer, position: number): CommandAnswer {
  return answer.ok ? { ok: true, result: answer.result, position } : answer;
}
