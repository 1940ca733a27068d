import { schemaVersionOf, type CommandAnswer } from '@delta-ci/contracts';
import { ChangeSet } from '../projections/change-set.ts';
import { jsonRows } from '../projections/json-rows.ts';
import { project } from '../projections/project.ts';
import { sendChanges } from '../projections/send-changes.ts';
import type { AggregateCache } from './aggregate-cache.ts';
import type { BatchClient } from './batch-client.ts';
import * as statements from './batch-statements.ts';
import { decideBatch, type BatchKnowledge, type DecidedBatch, type OnFault, type Settled } from './decide-batch.ts';
import { type DraftEvent, type SealedEvent } from './draft-event.ts';
import type { DraftPlan } from './draft-plan.ts';
import type { HeadPrediction } from './head-prediction.ts';
import { sendLeaseRenewals } from './lease-renewal-rows.ts';
import { lockAndLoad } from './lock-and-load.ts';
import { sendDeadlines } from './run-deadline-rows.ts';
import { withPosition, type Submission } from './submission.ts';
import { takePlaces, type PlacedBatch } from './take-places.ts';

/** `loaded`: nothing is decided yet. `sent`: everything but the commit is on its way. */
export type BatchStep = 'loaded' | 'sent';

/** What the transaction of a batch needs besides the batch. */
export interface BatchContext {
  readonly client: BatchClient;
  readonly cache: AggregateCache;
  readonly prediction: HeadPrediction;
  readonly onFault: OnFault;
  readonly onStep: (step: BatchStep) => void;
}

export interface CommittedBatch {
  /** In the order of the submissions. */
  readonly answers: readonly CommandAnswer[];
  readonly eventCount: number;
}

/**
 * One transaction: lock, load, decide, append, project, remember. Two round trips, whatever the size of the batch, or
 * three when the head has to be asked for. Throws on any failure of the database; then nothing was committed, or it
 * cannot be known, and the same call with the same submissions finds out: what was committed is answered from the inbox.
 */
export async function commitBatch(submissions: readonly Submission[], context: BatchContext): Promise<CommittedBatch> {
  const { client, cache, prediction, onFault, onStep } = context;
  const { knowledge, headPosition } = await lockAndLoad(submissions, client, cache);
  onStep('loaded');
  const batch = decideBatch(submissions, knowledge, onFault);
  const answersAfter = (sealed: readonly SealedEvent[]) =>
    batch.settled.map((settled) => answerOf(settled, sealed, headPosition));
  if (batch.drafts.length === 0) {
    const answers = answersAfter([]);
    await Promise.all([...sendRemembered(client, submissions, batch, answers, knowledge.nowMs), client.commit()]);
    keepRuns(cache, knowledge, batch);
    return { answers, eventCount: 0 };
  }
  try {
    const { sealed, sent } = await sendAll(batch, knowledge, context);
    const answers = answersAfter(sealed);
    const remembered = sendRemembered(client, submissions, batch, answers, knowledge.nowMs);
    onStep('sent');
    await Promise.all([...sent, ...remembered, client.commit()]);
    prediction.confirmed();
    keepRuns(cache, knowledge, batch);
    return { answers, eventCount: sealed.length };
  } catch (error) {
    prediction.failed();
    throw error;
  }
}

function keepRuns(cache: AggregateCache, knowledge: BatchKnowledge, { changedRuns }: DecidedBatch): void {
  for (const [runId, run] of knowledge.runs) if (!changedRuns.has(runId)) cache.set(runId, run);
  for (const [runId, run] of changedRuns) cache.set(runId, run);
}

/** Sends everything but the inbox and the commit: first what needs no position, last what several streams share. */
async function sendAll(batch: DecidedBatch, knowledge: BatchKnowledge, { client, prediction }: BatchContext) {
  const changes = changesOf(batch.drafts);
  const early = [
    ...sendChanges(client, changes, 'before-head'),
    ...sendLeaseRenewals(client, batch.drafts),
    ...sendDeadlines(client, batch.changedRuns, knowledge.runs),
  ];
  const placed = await takePlaces(batch, knowledge, prediction, client, early);
  const { before, over } = placed.turn;
  if (before !== null) await Promise.all([before, ...early]).catch(throwAfter(over));
  const appended = sendAppend(client, placed, knowledge.nowMs);
  const sent = [
    ...early,
    appended.finally(over),
    sendStreams(client, placed),
    ...sendChanges(client, changes, 'under-head'),
    ...sendPlans(client, batch.plans, knowledge.nowMs),
  ];
  return { sealed: placed.sealed, sent };
}

function changesOf(drafts: readonly DraftEvent[]): ChangeSet {
  const changes = new ChangeSet();
  for (const draft of drafts) for (const change of project(draft.event)) changes.add(change);
  return changes;
}

function answerOf(settled: Settled, sealed: readonly SealedEvent[], headPosition: number): CommandAnswer {
  if (settled.kind === 'repeated') return settled.answer;
  const last = settled.lastDraft === null ? undefined : sealed[settled.lastDraft];
  return withPosition(settled.answer, last?.position ?? headPosition);
}

/** Those who wait for this batch need not wait for one that failed. */
const throwAfter =
  (over: () => void) =>
  (error: unknown): never => {
    over();
    throw error;
  };

function sendAppend(client: BatchClient, { sealed, after }: PlacedBatch, nowMs: number): Promise<unknown> {
  return client.run(statements.APPEND_EVENTS, [
    after.position,
    after.hash,
    new Date(nowMs).toISOString(),
    sealed.map(({ draft }) => draft.event.id),
    sealed.map(({ draft }) => draft.stream),
    sealed.map(({ version }) => version),
    sealed.map(({ draft }) => draft.event.type),
    sealed.map(({ draft }) => schemaVersionOf(draft.event.type)),
    sealed.map(({ draft }) => draft.correlation),
    sealed.map(({ canonical }) => canonical).join(statements.TEXT_SEPARATOR),
    sealed.map(({ hash }) => hash),
  ]);
}

function sendStreams(client: BatchClient, { sealed }: PlacedBatch): Promise<unknown> {
  const last = new Map(sealed.map((event) => [event.draft.stream, event.version]));
  const streams = [...last.keys()].sort();
  return client.run(statements.MOVE_STREAMS, [streams, streams.map((stream) => last.get(stream))]);
}

function sendPlans(client: BatchClient, plans: readonly DraftPlan[], nowMs: number): Promise<unknown>[] {
  if (plans.length === 0) return [];
  const distinct = [...new Map(plans.map((plan) => [plan.digest, plan])).values()];
  const jobs = distinct.flatMap((plan) => plan.jobs);
  return [
    client.run(statements.STORE_PLANS, [distinct.map((p) => p.digest), distinct.map((p) => p.body), nowMs]),
    client.run(statements.STORE_PLAN_JOBS, [jsonRows(jobs)]),
  ];
}

function sendRemembered(
  client: BatchClient,
  submissions: readonly Submission[],
  { settled }: DecidedBatch,
  answers: readonly CommandAnswer[],
  nowMs: number,
): Promise<unknown>[] {
  const rows = submissions.flatMap((submission, index) => {
    const one = settled[index];
    const answer = answers[index];
    if (one?.kind !== 'decided' || !one.remember || answer === undefined) return [];
    return [{ submission, answer, text: JSON.stringify(one.answer) }];
  });
  if (rows.length === 0) return [];
  return [
    client.run(statements.REMEMBER, [
      rows.map(({ submission }) => submission.id),
      rows.map(({ text }) => text),
      rows.map(({ submission }) => submission.fingerprint ?? null),
      rows.map(({ answer }) => (answer.ok ? answer.position : 0)),
      nowMs,
    ]),
  ];
}
