import { runStream, type StreamId } from '@delta-ci/contracts';
import type { BatchClient } from './batch-client.ts';
import { BatchConflict, LogBroken } from './batch-failure.ts';
import * as statements from './batch-statements.ts';
import type { BatchKnowledge, DecidedBatch } from './decide-batch.ts';
import { sealEvent, type SealedEvent } from './draft-event.ts';
import type { Head, HeadPrediction, Turn } from './head-prediction.ts';

/** A batch's events in their places. */
export interface PlacedBatch {
  readonly sealed: readonly SealedEvent[];
  /** The head the batch continues from. */
  readonly after: Head;
  readonly turn: Turn;
}

/**
 * Gives every event its place: after the predicted head when there is one, otherwise after the head as it is, which is
 * then locked, the last lock taken, until the commit. `sent`: statements already under way.
 */
export async function takePlaces(
  batch: DecidedBatch,
  knowledge: BatchKnowledge,
  prediction: HeadPrediction,
  client: BatchClient,
  sent: readonly Promise<unknown>[],
): Promise<PlacedBatch> {
  const locked = lockedVersions(knowledge);
  const streams = [...new Set(batch.drafts.map((draft) => draft.stream))];
  const others = streams.filter((stream) => !locked.has(stream));
  const predicted = prediction.predict();
  if (predicted !== null) {
    for (const stream of others) locked.set(stream, prediction.versionOf(stream));
    return place(batch, predicted, locked, prediction);
  }
  try {
    const { head, versions } = await askForHead(client, others, sent);
    assertNotOvertaken(batch, versions);
    for (const [stream, version] of versions) locked.set(stream, version);
    const placed = place(batch, head, locked, prediction);
    // Whoever comes before holds no head; he may be waiting for the one we hold.
    return { ...placed, turn: { before: null, over: placed.turn.over } };
  } finally {
    prediction.asked();
  }
}

const lockedVersions = (knowledge: BatchKnowledge): Map<StreamId, number> =>
  new Map([...knowledge.runs].map(([runId, run]) => [runStream(runId), run.version]));

interface AskedHead {
  readonly head: Head;
  readonly versions: ReadonlyMap<StreamId, number>;
}

async function askForHead(
  client: BatchClient,
  streams: readonly StreamId[],
  sent: readonly Promise<unknown>[],
): Promise<AskedHead> {
  const [heads, rows] = await Promise.all([
    client.run<{ head_position: number; head_hash: string }>(statements.LOCK_HEAD, []),
    streams.length === 0 ? [] : client.run<{ id: StreamId; version: number }>(statements.STREAM_VERSIONS, [streams]),
    ...sent,
  ]);
  const head = heads[0];
  if (head === undefined) throw new LogBroken('the log has no head');
  const versions = new Map(rows.map((row) => [row.id, row.version]));
  return { head: { position: head.head_position, hash: head.head_hash }, versions };
}

/** A run that did not exist could not be locked: somebody else may have created it meanwhile. */
function assertNotOvertaken({ changedRuns }: DecidedBatch, found: ReadonlyMap<StreamId, number>): void {
  for (const runId of changedRuns.keys()) {
    if (found.has(runStream(runId))) throw new BatchConflict(`${runId} was created by somebody else meanwhile`);
  }
}

function place(
  { drafts, changedRuns }: DecidedBatch,
  after: Head,
  versionsBefore: ReadonlyMap<StreamId, number>,
  prediction: HeadPrediction,
): PlacedBatch {
  const versions = new Map(versionsBefore);
  let tail = after;
  const sealed = drafts.map((draft) => {
    const version = (versions.get(draft.stream) ?? 0) + 1;
    versions.set(draft.stream, version);
    const event = sealEvent(draft, { position: tail.position + 1, version, prevHash: tail.hash });
    tail = event;
    return event;
  });
  const ofRuns = new Set([...changedRuns.keys()].map(runStream));
  const turn = prediction.sealed(tail, new Map([...versions].filter(([stream]) => !ofRuns.has(stream))));
  return { sealed, after, turn };
}
