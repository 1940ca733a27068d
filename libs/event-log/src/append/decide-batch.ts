import { runStream, refuse, type CommandAnswer, type DomainEvent, type RunId } from '@delta-ci/contracts';
import { evolveRun, initialRun, type RunAggregate } from '@delta-ci/domain';
import type { FoldedRun } from './aggregate-cache.ts';
import { draftEvent, envelopeOf, type DraftEvent, type Envelope } from './draft-event.ts';
import { draftPlan, type DraftPlan } from './draft-plan.ts';
import type { Answer, Append, DecisionView, Submission, SubmissionResult } from './submission.ts';

/** What is known when a batch is decided: everything it needs is locked and in memory. */
export interface BatchKnowledge {
  readonly nowMs: number;
  readonly runs: ReadonlyMap<RunId, FoldedRun>;
  readonly remembered: ReadonlyMap<string, RememberedAnswer>;
}

export interface RememberedAnswer {
  readonly answer: CommandAnswer;
  readonly fingerprint: string | null;
}

/** What became of one submission. */
export type Settled =
  | { readonly kind: 'repeated'; readonly answer: CommandAnswer }
  /** `lastDraft`: index of its last event among the batch's; null when it appends nothing. */
  | {
      readonly kind: 'decided';
      readonly answer: Answer;
      readonly lastDraft: number | null;
      readonly remember: boolean;
    };

export interface DecidedBatch {
  /** In the order of the submissions. */
  readonly settled: readonly Settled[];
  readonly drafts: readonly DraftEvent[];
  readonly plans: readonly DraftPlan[];
  /** Runs that changed, as they are after the batch. */
  readonly changedRuns: ReadonlyMap<RunId, FoldedRun>;
}

/** Told about a submission that threw: a broken invariant that an operator has to see. */
export type OnFault = (fault: { readonly submissionId: string; readonly error: unknown }) => void;

/** Decides submissions one after the other, each on the state the ones before it led to. No effects. */
export function decideBatch(
  submissions: readonly Submission[],
  knowledge: BatchKnowledge,
  onFault: OnFault,
): DecidedBatch {
  const state = new BatchState(knowledge);
  const settled = submissions.map((submission) => settle(submission, state, onFault));
  return { settled, drafts: state.drafts, plans: state.plans, changedRuns: state.changed };
}

class BatchState {
  readonly drafts: DraftEvent[] = [];
  readonly plans: DraftPlan[] = [];
  readonly changed = new Map<RunId, FoldedRun>();
  readonly knowledge: BatchKnowledge;

  constructor(knowledge: BatchKnowledge) {
    this.knowledge = knowledge;
  }

  run(runId: RunId): FoldedRun {
    return this.changed.get(runId) ?? this.knowledge.runs.get(runId) ?? { version: 0, aggregate: initialRun };
  }
}

function settle(submission: Submission, state: BatchState, onFault: OnFault): Settled {
  const earlier = state.knowledge.remembered.get(submission.id);
  if (earlier !== undefined) return { kind: 'repeated', answer: answerToRepeat(submission, earlier) };
  try {
    const result = submission.decide(viewOf(submission, state));
    const proposed = propose(submission, result, state);
    return proposed === null ? withoutCanonicalForm() : adopt(proposed, result, state);
  } catch (error) {
    onFault({ submissionId: submission.id, error });
    return forgotten({ ok: false, refusal: refuse('internal', 'the decision failed; nothing was changed') });
  }
}

/** The first answer, unless the id was used for something else before. */
export function answerToRepeat(
  { id, fingerprint }: Pick<Submission, 'id' | 'fingerprint'>,
  earlier: RememberedAnswer,
): CommandAnswer {
  const differs = fingerprint !== undefined && earlier.fingerprint !== null && fingerprint !== earlier.fingerprint;
  if (!differs) return earlier.answer;
  const message = 'this id was used before for something else; use a new id for a new request';
  return { ok: false, refusal: refuse('conflicting_repeat', message, { id }) };
}

function viewOf(submission: Submission, state: BatchState): DecisionView {
  return {
    nowMs: state.knowledge.nowMs,
    run: (runId) => {
      if (!submission.runs.includes(runId)) throw new Error(`${submission.id} looks at ${runId} without naming it`);
      return state.run(runId).aggregate;
    },
  };
}

interface Proposal {
  readonly drafts: readonly DraftEvent[];
  readonly plans: readonly DraftPlan[];
  readonly runs: ReadonlyMap<RunId, FoldedRun>;
}

/** Drafts and folds what a submission wants to append, touching nothing. Null: its texts have no canonical form. */
function propose(submission: Submission, result: SubmissionResult, state: BatchState): Proposal | null {
  const runs = new Map<RunId, FoldedRun>();
  for (const append of result.appends) {
    const runId = namedRunOf(submission, append);
    if (runId !== null) runs.set(runId, fold(runs.get(runId) ?? state.run(runId), append.events));
  }
  try {
    const envelope = envelopeOf(submission, state.knowledge.nowMs);
    const drafts = result.appends.flatMap((append) => draftsOf(envelope, append));
    return { drafts, plans: (result.plans ?? []).map(draftPlan), runs };
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

const draftsOf = (envelope: Envelope, { stream, events }: Append): DraftEvent[] =>
  events.map((event) => draftEvent(envelope, stream, event));

function namedRunOf(submission: Submission, { stream }: Append): RunId | null {
  if (!stream.startsWith('run-')) return null;
  const runId = submission.runs.find((id) => runStream(id) === stream);
  if (runId === undefined) throw new Error(`${submission.id} appends to ${stream} without naming its run`);
  return runId;
}

function fold({ version, aggregate }: FoldedRun, events: readonly DomainEvent[]): FoldedRun {
  const folded = events.reduce<RunAggregate>(evolveRun, aggregate);
  return { version: version + events.length, aggregate: folded };
}

function adopt(proposal: Proposal, result: SubmissionResult, state: BatchState): Settled {
  state.drafts.push(...proposal.drafts);
  state.plans.push(...proposal.plans);
  for (const [runId, run] of proposal.runs) state.changed.set(runId, run);
  const appended = proposal.drafts.length > 0;
  return {
    kind: 'decided',
    answer: result.answer,
    lastDraft: appended ? state.drafts.length - 1 : null,
    remember: appended || (result.remember ?? true),
  };
}

const forgotten = (answer: Answer): Settled => ({ kind: 'decided', answer, lastDraft: null, remember: false });

const withoutCanonicalForm = (): Settled =>
  forgotten({ ok: false, refusal: refuse('invalid_request', 'a text holds half of a surrogate pair') });
