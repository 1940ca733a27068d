import type { CommandAnswer } from '@delta-ci/contracts';
import { jsonRows } from '../projections/json-rows.ts';
import { sendChanges } from '../projections/send-changes.ts';
import type { AggregateCache } from './aggregate-cache.ts';
import type { BatchClient } from './batch-client.ts';
import * as statements from './batch-statements.ts';
import { decideBatch, type DecidedBatch, type OnFault, type Settled } from './decide-batch.ts';
import { SCHEMA_VERSION, type SealedEvent } from './draft-event.ts';
import type { DraftPlan } from './draft-plan.ts';
import { lockAndLoad } from './lock-and-load.ts';
import { withPosition, type Submission } from './submission.ts';
import { takePlaces, type PlacedBatch } from './take-places.ts';

/** What the transaction of a batch needs besides the batch. */
export interface BatchContext {
  readonly client: BatchClient;
  readonly cache: AggregateCache;
  readonly onFault: OnFault;
}

export interface CommittedBatch {
  /** In the order of the submissions. */
  readonly answers: readonly CommandAnswer[];
  readonly eventCount: number;
}

/**
 * One transaction: lock, load, decide, append, project, remember. Three round trips, whatever the size of the batch.
 * Throws on any failure of the database; then nothing was committed, or it cannot be known, and the same call with the
 * same submissions finds out: what was committed is answered from the inbox.
 */
export async function commitBatch(submissions: readonly Submission[], context: BatchContext): Promise<CommittedBatch> {
  const { client, cache, onFault } = context;
  const { knowledge, headPosition } = await lockAndLoad(submissions, client, cache);
  const batch = decideBatch(submissions, knowledge, onFault);
  const placed = batch.drafts.length === 0 ? null : await takePlaces(batch, knowledge, client);
  const sealed = placed?.sealed ?? [];
  const answers = batch.settled.map((settled) => answerOf(settled, sealed, headPosition));
  await Promise.all([
    ...(placed === null ? [] : sendAppend(client, placed)),
    ...sendPlans(client, batch.plans, knowledge.nowMs),
    ...sendRemembered(client, submissions, batch, answers, knowledge.nowMs),
    client.commit(),
  ]);
  for (const [runId, run] of knowledge.runs) if (!batch.changedRuns.has(runId)) cache.set(runId, run);
  for (const [runId, run] of batch.changedRuns) cache.set(runId, run);
  return { answers, eventCount: sealed.length };
}

function answerOf(settled: Settled, sealed: readonly SealedEvent[], headPosition: number): CommandAnswer {
  if (settled.kind === 'repeated') return settled.answer;
  const last = settled.lastDraft === null ? undefined : sealed[settled.lastDraft];
  return withPosition(settled.answer, last?.position ?? headPosition);
}

function sendAppend(client: BatchClient, { sealed, after, changes }: PlacedBatch): Promise<unknown>[] {
  const last = new Map(sealed.map((event) => [event.draft.stream, event.version]));
  const streams = [...last.keys()].sort();
  return [
    client.run(statements.APPEND_EVENTS, [
      after.position,
      after.hash,
      sealed.map(({ draft }) => draft.event.id),
      sealed.map(({ draft }) => draft.stream),
      sealed.map(({ version }) => version),
      sealed.map(({ draft }) => draft.event.type),
      sealed.map(() => SCHEMA_VERSION),
      sealed.map(({ draft }) => draft.time),
      sealed.map(({ draft }) => draft.correlation),
      sealed.map(({ canonical }) => canonical),
      sealed.map(({ hash }) => hash),
    ]),
    client.run(statements.MOVE_STREAMS, [streams, streams.map((stream) => last.get(stream))]),
    ...sendChanges(client, changes, 'under-head'),
  ];
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
