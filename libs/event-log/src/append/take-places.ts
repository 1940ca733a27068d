import { runStream, type StreamId } from '@delta-ci/contracts';
import { ChangeSet } from '../projections/change-set.ts';
import { project } from '../projections/project.ts';
import { sendChanges } from '../projections/send-changes.ts';
import type { BatchClient } from './batch-client.ts';
import { BatchConflict, LogBroken } from './batch-failure.ts';
import * as statements from './batch-statements.ts';
import type { BatchKnowledge, DecidedBatch } from './decide-batch.ts';
import { sealEvent, type DraftEvent, type SealedEvent } from './draft-event.ts';
import { sendLeaseRenewals } from './lease-renewal-rows.ts';
import { sendDeadlines } from './run-deadline-rows.ts';

/** A batch's events in their places, with what is left to write while the head is locked. */
export interface PlacedBatch {
  readonly sealed: readonly SealedEvent[];
  /** The head the batch continues from. */
  readonly after: Head;
  readonly changes: ChangeSet;
}

export interface Head {
  readonly position: number;
  readonly hash: string;
}

/**
 * Writes what needs no position, then locks the head, the last lock taken, and gives every event its place. The head
 * is held from here to the commit: only hashing and the last statements happen in between.
 */
export async function takePlaces(
  batch: DecidedBatch,
  knowledge: BatchKnowledge,
  client: BatchClient,
): Promise<PlacedBatch> {
  const changes = changesOf(batch.drafts);
  const streams = [...new Set(batch.drafts.map((draft) => draft.stream))];
  const before = [
    ...sendChanges(client, changes, 'before-head'),
    ...sendLeaseRenewals(client, batch.drafts),
    ...sendDeadlines(client, batch.changedRuns, knowledge.runs),
  ];
  const [heads, versionRows] = await Promise.all([
    client.run<{ head_position: number; head_hash: string }>(statements.LOCK_HEAD, []),
    client.run<{ id: StreamId; version: number }>(statements.STREAM_VERSIONS, [streams]),
    ...before,
  ]);
  const head = heads[0];
  if (head === undefined) throw new LogBroken('the log has no head');
  const versions = new Map(versionRows.map((row) => [row.id, row.version]));
  assertNotOvertaken(batch, knowledge, versions);
  const after = { position: head.head_position, hash: head.head_hash };
  return { sealed: sealAll(batch.drafts, after, versions), after, changes };
}

function changesOf(drafts: readonly DraftEvent[]): ChangeSet {
  const changes = new ChangeSet();
  for (const draft of drafts) for (const change of project(draft.event)) changes.add(change);
  return changes;
}

/** A run that did not exist could not be locked: somebody else may have created it meanwhile. */
function assertNotOvertaken(
  { changedRuns }: DecidedBatch,
  knowledge: BatchKnowledge,
  versions: ReadonlyMap<StreamId, number>,
): void {
  for (const runId of changedRuns.keys()) {
    const decidedOn = knowledge.runs.get(runId)?.version ?? 0;
    const found = versions.get(runStream(runId)) ?? 0;
    if (decidedOn !== found) throw new BatchConflict(`${runId} was created by somebody else meanwhile`);
  }
}

function sealAll(
  drafts: readonly DraftEvent[],
  head: Head,
  versionsBefore: ReadonlyMap<StreamId, number>,
): SealedEvent[] {
  const versions = new Map(versionsBefore);
  let prevHash = head.hash;
  return drafts.map((draft, index) => {
    const version = (versions.get(draft.stream) ?? 0) + 1;
    versions.set(draft.stream, version);
    const sealed = sealEvent(draft, { position: head.position + index + 1, version, prevHash });
    prevHash = sealed.hash;
    return sealed;
  });
}
