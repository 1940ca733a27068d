import { LogBroken } from './batch-failure.ts';
import { runStream, type RunId, type StreamId } from '@delta-ci/contracts';
import { evolveRun, initialRun } from '@delta-ci/domain';
import type { AggregateCache, FoldedRun } from './aggregate-cache.ts';
import type { BatchClient } from './batch-client.ts';
import * as statements from './batch-statements.ts';
import type { BatchKnowledge, RememberedAnswer } from './decide-batch.ts';
import { recordedEventOf } from './draft-event.ts';
import { withPosition, type Answer, type Submission } from './submission.ts';

export interface Loaded {
  readonly knowledge: BatchKnowledge;
  readonly headPosition: number;
}

/** Opens the transaction and takes the locks in one round trip; a second one only for runs the cache is behind on. */
export async function lockAndLoad(
  submissions: readonly Submission[],
  client: BatchClient,
  cache: AggregateCache,
): Promise<Loaded> {
  const runIds = [...new Set(submissions.flatMap((submission) => submission.runs))];
  const [, locked, clock, remembered] = await Promise.all([
    client.begin(),
    runIds.length === 0
      ? []
      : client.run<{ id: StreamId; version: number }>(statements.LOCK_STREAMS, [runIds.map(runStream)]),
    client.run<{ now_ms: number; head_position: number }>(statements.CLOCK_AND_HEAD, []),
    client.run<InboxRow>(statements.FIND_REMEMBERED, [submissions.map((submission) => submission.id)]),
  ]);
  const now = clock[0];
  if (now === undefined) throw new LogBroken('the log has no head');
  const versions = new Map(locked.map((row) => [row.id, row.version]));
  const runs = await loadRuns(runIds, versions, client, cache);
  const answers = new Map(remembered.map((row) => [row.id, rememberedOf(row)]));
  return { knowledge: { nowMs: now.now_ms, runs, remembered: answers }, headPosition: now.head_position };
}

interface InboxRow {
  id: string;
  answer: string;
  fingerprint: string | null;
  position: number;
}

function rememberedOf({ answer, fingerprint, position }: InboxRow): RememberedAnswer {
  return { answer: withPosition(JSON.parse(answer) as Answer, position), fingerprint };
}

/** Runs as the locked streams say they are: from the cache, with what others appended since folded in. */
async function loadRuns(
  runIds: readonly RunId[],
  versions: ReadonlyMap<StreamId, number>,
  client: BatchClient,
  cache: AggregateCache,
): Promise<Map<RunId, FoldedRun>> {
  const runs = new Map<RunId, FoldedRun>();
  const behind: RunId[] = [];
  for (const runId of runIds) {
    const version = versions.get(runStream(runId)) ?? 0;
    if (version === 0) continue;
    const cached = cache.get(runId) ?? { version: 0, aggregate: initialRun };
    runs.set(runId, cached);
    if (cached.version !== version) behind.push(runId);
  }
  if (behind.length > 0) await foldTails(behind, runs, client);
  for (const [runId, run] of runs) {
    if (run.version !== versions.get(runStream(runId))) throw new LogBroken(`the stream of ${runId} has a gap`);
  }
  return runs;
}

async function foldTails(behind: readonly RunId[], runs: Map<RunId, FoldedRun>, client: BatchClient): Promise<void> {
  const after = behind.map((runId) => runs.get(runId)?.version ?? 0);
  const values = [behind.map(runStream), after];
  const rows = await client.run<{ canonical: string; prev_hash: string; hash: string }>(statements.LOAD_TAILS, values);
  for (const row of rows) {
    const event = recordedEventOf(row);
    const runId = event.correlation;
    const run = runId === null ? undefined : runs.get(runId);
    if (runId === null || run === undefined || event.version !== run.version + 1) continue;
    runs.set(runId, { version: event.version, aggregate: evolveRun(run.aggregate, event) });
  }
}
