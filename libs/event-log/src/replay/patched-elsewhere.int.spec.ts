import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ARTIFACT_STREAM,
  CACHE_STREAM,
  CHECKPOINT_STREAM,
  type ArtifactRecord,
  type CacheRecord,
  type DomainEvent,
  type ExpiredArtifact,
  type RunId,
  type SavedCache,
  type StreamId,
} from '@delta-ci/contracts';
import type { RunCommand } from '@delta-ci/domain';
import { aReport } from '../../../../test/support/made-up/completion-report.ts';
import { aJobState } from '../../../../test/support/made-up/planned-job.ts';
import { digestUnfinishedWork } from '../checkpoints/digest-unfinished-work.ts';
import { rebuildProjections } from '../rebuild/rebuild-projections.ts';
import { LogReader } from '../read/log-reader.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import * as story from '../testing/run-story.fixture.ts';
import { foldWholeLog } from './folded-rows.ts';
import { replayRun } from './replay-run.ts';
import { verifyReplay, type VerifyReplayOptions } from './verify-replay.ts';

describe('a log in which artifacts expired and caches were removed', () => {
  let log: FreshLog;
  beforeEach(async () => {
    log = await freshLog();
  });
  afterEach(() => log.drop());

  /** Commands of a run whose job leaves two artifacts, and a cache under this key. */
  const run = async (name: string, key: string, parts: { from?: number; to?: number } = {}): Promise<RunId> => {
    const runId = story.runIdOf(name);
    const lease = { leaseHash: story.leaseHashOf(name), runnerId: story.runnerIdOf(name) };
    const commands: RunCommand[] = [
      story.createRun(runId),
      story.recordPlan([aJobState('unit')]),
      { type: 'grant-lease', jobKey: 'unit', attempt: 1, ...lease },
      { type: 'acknowledge-lease', ...lease },
      { type: 'record-artifact', ...lease, artifact: artifactOf('out') },
      { type: 'record-artifact', ...lease, artifact: artifactOf('report') },
      { type: 'record-cache', ...lease, cache: cacheOf(key) },
      { type: 'complete-attempt', ...lease, report: aReport() },
      published(1),
      published(2),
    ];
    const from = parts.from ?? 0;
    for (const [at, command] of commands.slice(from, parts.to).entries()) {
      const answer = await log.writer().submit(story.runSubmission(`${name}-${from + at}`, runId, command));
      expect(answer).toMatchObject({ ok: true });
    }
    return runId;
  };

  const append = async (stream: StreamId, event: DomainEvent): Promise<void> => {
    const id = `append-${stream}-${Math.random()}`;
    const decide = () => ({ appends: [{ stream, events: [event] }], answer: { ok: true as const, result: {} } });
    const envelope = { id, actor: story.OPERATOR, traceparent: null, causation: id, runs: [] };
    expect(await log.writer().submit({ ...envelope, decide })).toMatchObject({ ok: true });
  };
  const expire = (...artifacts: ExpiredArtifact[]) =>
    append(ARTIFACT_STREAM, {
      type: 'artifact.expired',
      data: { policy: 'retention-days', artifacts, objects: [{ digest: story.digestOf('out'), sizeBytes: 1 }] },
    });
  const remove = (...caches: SavedCache[]) =>
    append(CACHE_STREAM, { type: 'cache.removed', data: { because: 'age', reason: '', caches } });
  const signCheckpoint = async (): Promise<void> => {
    const { rows } = await log.admin.query<{ position: string; hash: string }>('SELECT position, hash FROM log_head');
    const { digest: unfinished } = await digestUnfinishedWork(log.reader.pool);
    const claim = { position: Number(rows[0]?.position), hash: rows[0]?.hash ?? '', unfinished };
    const signed = { time: '2026-01-01T00:00:00.000Z', keyId: '0'.repeat(32), signature: `${'A'.repeat(86)}==` };
    await append(CHECKPOINT_STREAM, { type: 'checkpoint.signed', data: { ...claim, ...signed } });
  };

  /**
   * Runs that are over and one that is under way, of which some things went: one twice, one that nobody recorded, one under
   * whose key another was saved since, some before their runs were spoken of for the last time.
   */
  const tell = async (): Promise<RunId> => {
    const first = await run('first', 'k-1', { to: 9 });
    const second = await run('second', 'k-2');
    await signCheckpoint();
    await expire(expiredOf(first, 'out'), expiredOf(second, 'out'));
    await remove(savedOf(first, 'k-1'), savedOf(second, 'never-saved'));
    await run('first', 'k-1', { from: 9 });
    await run('third', 'k-1');
    const underWay = await run('under-way', 'k-4', { to: 7 });
    await signCheckpoint();
    await expire(expiredOf(second, 'out'), expiredOf(second, 'nothing'), expiredOf(underWay, 'report'));
    await remove(savedOf(underWay, 'k-4'));
    await remove(savedOf(underWay, 'k-4'));
    await signCheckpoint();
    return first;
  };

  const verify = (options: Partial<VerifyReplayOptions> = {}) =>
    verifyReplay({ databaseUrl: log.readerUrl, ...options });
  const differing = (tables: readonly { readonly table: string; readonly equal: boolean }[]) =>
    tables.filter(({ equal }) => !equal).map(({ table }) => table);

  it('is equal to its tables at every checkpoint and at the end, however little is kept in memory', async () => {
    await tell();
    const { rows } = await log.admin.query(
      `SELECT (SELECT count(*)::int FROM artifact WHERE expired_at_ms IS NOT NULL) AS artifacts,
         (SELECT count(*)::int FROM cache WHERE removed_at_ms IS NOT NULL) AS caches`,
    );
    expect(rows).toEqual([{ artifacts: 3, caches: 2 }]);
    for (const options of [{}, { idleRowsMax: 0 }, { idleRowsMax: 3, patchesMax: 2 }, { patchesMax: 1 }]) {
      const { equal, tables, checkpoints } = await verify(options);
      expect(differing(tables)).toEqual([]);
      expect({ equal, checkpoints }).toEqual({ equal: true, checkpoints: { checked: 3, differing: [] } });
    }
    const rebuilt = await rebuildProjections({ databaseUrl: log.orchestratorUrl });
    expect(differing(rebuilt.tables)).toEqual([]);
  });

  it.each([
    ['artifact', 'UPDATE artifact SET expired_at_ms = expired_at_ms + 1'],
    ['artifact', 'UPDATE artifact SET expired_at_ms = NULL'],
    ['artifact', 'UPDATE artifact SET expired_at_ms = recorded_at_ms WHERE expired_at_ms IS NULL'],
    ['cache', 'UPDATE cache SET removed_at_ms = removed_at_ms + 1'],
    ['cache', 'UPDATE cache SET removed_at_ms = saved_at_ms WHERE removed_at_ms IS NULL'],
  ])('given a table %s that says otherwise, by %s, then it is named by both comparisons', async (table, statement) => {
    await tell();
    await log.admin.query(statement);
    for (const patchesMax of [1, 100]) expect(differing((await verify({ patchesMax })).tables)).toEqual([table]);
    const rebuilt = await rebuildProjections({ databaseUrl: log.orchestratorUrl });
    expect(differing(rebuilt.tables)).toEqual([table]);
  });

  it('is folded in memory to the rows of its tables, where it fits', async () => {
    await tell();
    const folded = foldWholeLog(await new LogReader(log.reader).read({ afterPosition: 0, limit: 1_000 }));
    const went = (table: string, column: string) =>
      inOrder(folded.flatMap((one) => (one.table === table ? [one.row[column] as number | null] : [])));
    const inTable = async (statement: string) => {
      const { rows } = await log.reader.pool.query<{ ms: number | null }>(statement);
      return inOrder(rows.map(({ ms }) => ms));
    };
    expect(went('artifact', 'expired_at_ms')).toEqual(await inTable('SELECT expired_at_ms AS ms FROM artifact'));
    expect(went('cache', 'removed_at_ms')).toEqual(await inTable('SELECT removed_at_ms AS ms FROM cache'));
  });

  it('leads a run of which things went to the decisions that are recorded', async () => {
    const replayed = await replayRun(log.reader, await tell());
    expect(replayed?.decisions).toMatchObject({ 'record-artifact': 2, 'record-cache': 1, 'record-publication': 2 });
    // The runner of this story never registered: that is said, and nothing else.
    expect(replayed?.differences.map(({ decision }) => decision)).toEqual(['dispatch']);
  });
});

const inOrder = (times: readonly (number | null)[]) => times.toSorted((one, other) => (one ?? 0) - (other ?? 0));

const artifactOf = (name: string): ArtifactRecord => ({
  name,
  type: 'file',
  digest: story.digestOf(name),
  sizeBytes: 1,
  retentionDays: 1,
});

const cacheOf = (key: string): CacheRecord => ({
  key,
  digest: story.digestOf(key),
  sizeBytes: 10,
  contentBytes: 100,
  content: { home: [{ digest: story.digestOf('chunk'), sizeBytes: 10, contentBytes: 100 }], workspace: [] },
});

const published = (viewPosition: number): RunCommand => ({
  type: 'record-publication',
  data: {
    target: 'check',
    externalId: '',
    viewPosition,
    digest: story.digestOf('view'),
    status: 'published',
    detail: '',
    final: null,
  },
});

const expiredOf = (runId: RunId, name: string): ExpiredArtifact => {
  const { type: _, ...artifact } = artifactOf(name);
  return { runId, jobKey: 'unit', attempt: 1, ...artifact, recordedAtMs: 1 };
};

const savedOf = (runId: RunId, key: string): SavedCache => {
  const { content: _, ...cache } = cacheOf(key);
  return {
    runId,
    jobKey: 'unit',
    attempt: 1,
    ...cache,
    repository: story.REPOSITORY.id,
    domain: 'trusted',
    savedAtMs: 1,
  };
};
