import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileArtifactStore, digestOf, type ContentStore } from '@delta-ci/artifact-store';
import {
  ARTIFACT_STREAM,
  EXPIRED_AT_ONCE_MAX,
  runStream,
  type Digest,
  type DomainEvent,
  type DomainEventOf,
  type ProposedPlan,
} from '@delta-ci/contracts';
import {
  LogReader,
  LogWriter,
  migrate,
  openLog,
  provisionRoles,
  waitForRemovals,
  type LogConnection,
} from '@delta-ci/event-log';
import { freshDatabase, somebodyWaits } from '../../../../test/support/infra/index.ts';
import { ATTEMPT, created, leased, oneJobPlan, planned } from '../../../../test/support/made-up/one-job-run.ts';
import {
  expireArtifacts,
  expiryOf,
  expirySubmission,
  removeExpired,
  removeUnrecorded,
  type RetentionTools,
} from './expire-artifacts.ts';

const PASSWORDS = { orchestrator: 'not-a-secret-orchestrator', reader: 'not-a-secret-reader' };
const RUN_ID = `run_${'1'.repeat(32)}`;
const DAY_MS = 86_400_000;
const PROPOSED = oneJobPlan();
const NOTHING = { artifacts: 0, objects: 0, bytes: 0 };

describe('artifacts whose days are over', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let admin: LogConnection;
  let directory: string;
  let log: LogConnection;
  let writer: LogWriter;
  let store: FileArtifactStore;
  let tools: RetentionTools;
  beforeEach(async () => {
    database = await freshDatabase();
    await migrate({ adminUrl: database.adminUrl });
    const { orchestratorUrl } = await provisionRoles({ adminUrl: database.adminUrl, passwords: PASSWORDS });
    admin = await openLog({ databaseUrl: database.adminUrl, applicationName: 'spec-admin' });
    log = await openLog({ databaseUrl: orchestratorUrl, applicationName: 'spec' });
    writer = new LogWriter({ pool: log.pool });
    directory = await mkdtemp(join(tmpdir(), 'delta-retention-'));
    store = new FileArtifactStore(directory);
    tools = { log, ledger: writer, store };
    const { repository, change } = PROPOSED.plan;
    const holder = { leaseHash: 'e'.repeat(64), runnerId: `rnr_${'1'.repeat(32)}` };
    await append(
      'begin',
      [...created(RUN_ID, repository, change), ...planned(PROPOSED), ...leased(holder)],
      [PROPOSED],
    );
  });
  afterEach(async () => {
    await writer.close();
    await Promise.all([log.close(), admin.close()]);
    await database.drop();
    await rm(directory, { recursive: true, force: true });
  });

  const append = async (id: string, events: DomainEvent[], plans: ProposedPlan[] = []) => {
    const actor = { kind: 'service', name: 'test' } as const;
    const appends = [{ stream: runStream(RUN_ID), events }];
    const decide = () => ({ appends, answer: { ok: true as const, result: {} }, plans });
    const answer = await writer.submit({ id, actor, causation: id, traceparent: null, runs: [RUN_ID], decide });
    expect(answer).toMatchObject({ ok: true });
  };
  let appended = 0;
  const record = async (artifacts: readonly { name: string; text: string; retentionDays?: number }[]) => {
    appended += 1;
    const id = `record-${appended}`;
    const events = await Promise.all(
      artifacts.map(async ({ name, text, retentionDays = 1 }): Promise<DomainEvent> => {
        const options = { expected: digestOf(text), sizeBytesMax: 1_000 };
        const { digest, sizeBytes } = await store.artifacts.put(Buffer.from(text), options);
        const artifact = { name, type: 'file' as const, digest, sizeBytes, retentionDays };
        return { type: 'artifact.recorded', data: { ...ATTEMPT, artifact } };
      }),
    );
    await append(id, events);
  };
  /** What the database's clock will say later: everything was recorded so much earlier. */
  const afterDays = async (days: number) => {
    await admin.pool.query('UPDATE artifact SET recorded_at_ms = recorded_at_ms - $1', [days * DAY_MS]);
  };
  const inLog = async (): Promise<DomainEventOf<'artifact.expired'>['data'][]> => {
    const records = await new LogReader(log).readStream(ARTIFACT_STREAM, 0, 100);
    return records.flatMap((found) => (found.type === 'artifact.expired' ? [found.data] : []));
  };
  /** The store, whose objects are removed in another way. */
  const removingBy = (remove: ContentStore['remove']): RetentionTools['store'] => ({
    artifacts: { storedBefore: (beforeMs) => store.artifacts.storedBefore(beforeMs), remove },
  });
  const stands = async (text: string) => (await store.artifacts.size(digestOf(text))) !== null;

  it('are recorded with what is removed of the store, and removed, once', async () => {
    await record([
      { name: 'a.txt', text: 'short' },
      { name: 'b.txt', text: 'long', retentionDays: 3 },
    ]);
    expect(await expireArtifacts(tools)).toEqual(NOTHING);
    await afterDays(2);
    expect(await expireArtifacts(tools)).toEqual({ artifacts: 1, objects: 1, bytes: 5 });
    const recorded = { name: 'a.txt', digest: digestOf('short'), sizeBytes: 5, retentionDays: 1 };
    expect(await inLog()).toEqual([
      {
        policy: 'retention-days',
        artifacts: [{ runId: RUN_ID, ...ATTEMPT, ...recorded, recordedAtMs: expect.any(Number) }],
        objects: [{ digest: digestOf('short'), sizeBytes: 5 }],
      },
    ]);
    expect([await stands('short'), await stands('long')]).toEqual([false, true]);
    expect(await expireArtifacts(tools)).toEqual(NOTHING);
    expect(await inLog()).toHaveLength(1);
  });

  it('leave their bytes to another artifact that has the same, until its days are over too', async () => {
    await record([
      { name: 'a.txt', text: 'same' },
      { name: 'b.txt', text: 'same', retentionDays: 3 },
    ]);
    await afterDays(2);
    expect(await expireArtifacts(tools)).toEqual({ artifacts: 1, objects: 0, bytes: 0 });
    expect(await stands('same')).toBe(true);
    await afterDays(2);
    expect(await expireArtifacts(tools)).toEqual({ artifacts: 1, objects: 1, bytes: 4 });
    expect(await stands('same')).toBe(false);
  });

  it('never take what the system keeps for itself, whatever a job stored', async () => {
    await record([{ name: 'copy-of-a-plan.json', text: 'a plan' }]);
    await store.content.put(Buffer.from('a plan'), { expected: digestOf('a plan'), sizeBytesMax: 10 });
    await afterDays(2);
    await expireArtifacts(tools);
    expect([await stands('a plan'), await store.content.size(digestOf('a plan'))]).toEqual([false, 6]);
  });

  it('are removed by the next sweeper when the one that recorded them ended before it could', async () => {
    await record([{ name: 'a.txt', text: 'short' }]);
    await afterDays(2);
    const dies = removingBy(() => Promise.reject(new Error('killed')));
    await expect(expireArtifacts({ ...tools, store: dies })).rejects.toThrow('killed');
    expect([(await inLog()).length, await stands('short')]).toEqual([1, true]);
    expect(await expireArtifacts(tools)).toEqual(NOTHING);
    await removeExpired(tools);
    await removeExpired(tools);
    expect(await stands('short')).toBe(false);
  });

  it('stay when the same bytes were recorded anew before they were removed', async () => {
    await record([{ name: 'a.txt', text: 'again' }]);
    await afterDays(2);
    let removed: readonly Digest[] = [];
    const late = removingBy(async (digests) => {
      removed = digests;
      await store.artifacts.remove(digests);
    });
    const ledger = {
      async submit(submission: Parameters<LogWriter['submit']>[0]) {
        const answer = await writer.submit(submission);
        await record([{ name: 'b.txt', text: 'again' }]);
        return answer;
      },
    };
    await expireArtifacts({ log, ledger, store: late });
    expect([removed, await stands('again')]).toEqual([[], true]);
  });

  it('when the same bytes are recorded while they are removed, then whoever looks whether they stand waits, and finds them gone', async () => {
    await record([{ name: 'a.txt', text: 'again' }]);
    await afterDays(2);
    let looked: Promise<boolean> = Promise.resolve(true);
    const slow = removingBy(async (digests) => {
      await record([{ name: 'b.txt', text: 'again' }]);
      const isOver = waitForRemovals(log, 'artifact');
      looked = isOver.then(async () => stands('again'));
      await somebodyWaits(admin.pool);
      await store.artifacts.remove(digests);
    });
    await expireArtifacts({ ...tools, store: slow });
    expect(await looked).toBe(false);
    await waitForRemovals(log, 'artifact');
  });

  it('are not waited for by anybody once their removal failed', async () => {
    await record([{ name: 'a.txt', text: 'short' }]);
    await afterDays(2);
    const away = removingBy(() => Promise.reject(new Error('away')));
    await expect(expireArtifacts({ ...tools, store: away })).rejects.toThrow('away');
    await waitForRemovals(log, 'artifact');
    await removeExpired(tools);
    expect(await stands('short')).toBe(false);
  });

  it('are the only ones with what was never recorded, as soon as that is old', async () => {
    await record([{ name: 'a.txt', text: 'kept' }]);
    await store.artifacts.put(Buffer.from('never'), { expected: digestOf('never'), sizeBytesMax: 10 });
    const { signal } = new AbortController();
    expect(await removeUnrecorded(tools, Date.now() - DAY_MS, signal)).toBe(0);
    expect(await removeUnrecorded(tools, Date.now() + DAY_MS, AbortSignal.abort())).toBe(0);
    expect(await removeUnrecorded(tools, Date.now() + DAY_MS, signal)).toBe(1);
    expect([await stands('kept'), await stands('never')]).toEqual([true, false]);
  });

  it('go in batches, each in a record of its own', async () => {
    const names = Array.from({ length: EXPIRED_AT_ONCE_MAX + 1 }, (_, at) => ({
      name: `${at}.txt`,
      text: `text ${at}`,
    }));
    await record(names);
    await afterDays(2);
    expect((await expireArtifacts(tools)).artifacts).toBe(EXPIRED_AT_ONCE_MAX);
    expect(await expireArtifacts(tools)).toMatchObject({ artifacts: 1, objects: 1 });
    expect((await inLog()).map(({ objects }) => objects.length)).toEqual([EXPIRED_AT_ONCE_MAX, 1]);
    expect(await Promise.all(names.map(async ({ text }) => stands(text)))).not.toContain(true);
  });

  it('are recorded once, whoever finds them', () => {
    const found = {
      runId: RUN_ID,
      ...ATTEMPT,
      name: 'a',
      digest: digestOf('a'),
      sizeBytes: 1,
      retentionDays: 1,
      recordedAtMs: 1,
    };
    const [one, other] = [expiryOf([found], new Map([[found.digest, 1]])), expiryOf([found], new Map())];
    expect(expirySubmission(one).id).toBe(expirySubmission(other).id);
    expect(expirySubmission(expiryOf([{ ...found, attempt: 2 }], new Map())).id).not.toBe(expirySubmission(one).id);
  });
});
