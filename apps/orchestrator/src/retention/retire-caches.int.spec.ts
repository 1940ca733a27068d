import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '@delta-ci/artifact-store';
import {
  CACHE_STREAM,
  runStream,
  type CacheListQuery,
  type Change,
  type Command,
  type DomainEvent,
  type DomainEventOf,
  type ProposedPlan,
} from '@delta-ci/contracts';
import {
  LogReader,
  LogWriter,
  findCache,
  findCacheScope,
  listCaches,
  migrate,
  openLog,
  provisionRoles,
  waitForRemovals,
  whichChunksAreKept,
  whileRemoving,
  type LogConnection,
} from '@delta-ci/event-log';
import { freshDatabase, somebodyWaits } from '../../../../test/support/infra/index.ts';
import { JOB, created, leased, oneJobPlan, planned } from '../../../../test/support/made-up/one-job-run.ts';
import { submissionForCommand } from '../decisions/submission-for-command.ts';
import { removeUnkeptChunks, retireCaches } from './retire-caches.ts';

const PASSWORDS = { orchestrator: 'not-a-secret-orchestrator', reader: 'not-a-secret-reader' };
const DAY_MS = 86_400_000;
const PROPOSED = oneJobPlan();
const { repository } = PROPOSED.plan;
const ACTOR = { kind: 'service', name: 'test' } as const;
const AMPLE = { keptMs: DAY_MS, repositoryBytesMax: 1_000 };

const PULL_REQUEST: Partial<Change> = { kind: 'pull_request', ref: 'refs/pull/7/head', pullRequest: 7 };
const STRANGER: Partial<Change> = { ...PULL_REQUEST, ref: 'refs/pull/8/head', pullRequest: 8, trust: 'untrusted' };

/** From the command that records a cache to its removal, on the tables that everybody looks into. */
describe('caches in the log', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>;
  let admin: LogConnection;
  let log: LogConnection;
  let writer: LogWriter;
  let runs = 0;
  beforeEach(async () => {
    database = await freshDatabase();
    await migrate({ adminUrl: database.adminUrl });
    const { orchestratorUrl } = await provisionRoles({ adminUrl: database.adminUrl, passwords: PASSWORDS });
    admin = await openLog({ databaseUrl: database.adminUrl, applicationName: 'spec-admin' });
    log = await openLog({ databaseUrl: orchestratorUrl, applicationName: 'spec' });
    writer = new LogWriter({ pool: log.pool });
    runs = 0;
  });
  afterEach(async () => {
    await writer.close();
    await Promise.all([log.close(), admin.close()]);
    await database.drop();
  });

  /** A run of this change with a runner at work. */
  const working = async (change: Partial<Change> = {}) => {
    runs += 1;
    const digit = String(runs % 10);
    const [runId, leaseHash, runnerId] = [`run_${digit.repeat(32)}`, digit.repeat(64), `rnr_${digit.repeat(32)}`];
    const events: DomainEvent[] = [
      ...created(runId, repository, { ...PROPOSED.plan.change, ...change }),
      ...planned(PROPOSED),
      ...leased({ leaseHash, runnerId }),
    ];
    const plans: ProposedPlan[] = runs === 1 ? [PROPOSED] : [];
    const decide = () => ({
      appends: [{ stream: runStream(runId), events }],
      answer: { ok: true as const, result: {} },
      plans,
    });
    const id = `begin-${runId}`;
    const answer = await writer.submit({ id, actor: ACTOR, causation: id, traceparent: null, runs: [runId], decide });
    expect(answer).toMatchObject({ ok: true });
    return { runId, leaseHash, runnerId };
  };
  type Working = Awaited<ReturnType<typeof working>>;
  const chunkOf = (text: string) => ({ digest: digestOf(text), sizeBytes: text.length, contentBytes: 100 });
  const save = async ({ runId, ...lease }: Working, key: string, texts: readonly string[] = [key]) => {
    const content = { home: texts.map(chunkOf), workspace: [] };
    const sizeBytes = texts.reduce((sum, text) => sum + text.length, 0);
    const cache = { key, digest: digestOf(texts.join()), sizeBytes, contentBytes: 100 * texts.length, content };
    const command: Command<'record-cache'> = {
      id: `save-${runId}-${key}`,
      name: 'record-cache',
      actor: ACTOR,
      traceparent: null,
      data: { ...lease, cache },
    };
    const prepared = submissionForCommand(command, { newRunId: runId, policy: null, leaseRunId: runId });
    if (!prepared.ok) throw new Error(prepared.refusal.message);
    const answer = await writer.submit(prepared.submission);
    return answer.ok ? 'saved' : answer.refusal.code;
  };
  const find = async ({ runId }: Working, key: string) => {
    const scope = await findCacheScope(log, runId);
    return scope === null ? null : ((await findCache(log, scope, key))?.domain ?? null);
  };
  const keysKept = async (query: Partial<CacheListQuery> = {}) =>
    (await listCaches(log, { limit: 100, ...query }))?.caches.map(({ key }) => key).toSorted();
  /** What the database's clock will say later: everything was saved so much earlier. */
  const afterDays = async (days: number, key = '%') =>
    admin.pool.query('UPDATE cache SET saved_at_ms = saved_at_ms - $1 WHERE key LIKE $2', [days * DAY_MS, key]);
  const removals = async () => {
    const records = await new LogReader(log).readStream(CACHE_STREAM, 0, 100);
    return records.flatMap((found): DomainEventOf<'cache.removed'>['data'][] =>
      found.type === 'cache.removed' ? [found.data] : [],
    );
  };

  it('are found by whoever may read them, and by nobody else', async () => {
    const [main, pull, other, stranger] = [
      await working(),
      await working(PULL_REQUEST),
      await working({ ...PULL_REQUEST, ref: 'refs/pull/9/head', pullRequest: 9 }),
      await working(STRANGER),
    ];
    expect(await save(pull, 'k')).toBe('saved');
    expect([await find(main, 'k'), await find(pull, 'k'), await find(other, 'k'), await find(stranger, 'k')]).toEqual([
      null,
      'ref:refs/pull/7/head',
      null,
      null,
    ]);
    expect(await save(main, 'k')).toBe('saved');
    expect([await find(main, 'k'), await find(pull, 'k'), await find(other, 'k'), await find(stranger, 'k')]).toEqual([
      'trusted',
      'ref:refs/pull/7/head',
      'trusted',
      'trusted',
    ]);
    expect(await find(main, 'K')).toBeNull();
  });

  it('of a stranger are refused and recorded nowhere, so that a trusted run under the same key misses', async () => {
    const stranger = await working(STRANGER);
    expect(await save(stranger, 'k')).toBe('forbidden');
    expect([await find(await working(), 'k'), await find(stranger, 'k'), await keysKept()]).toEqual([null, null, []]);
  });

  it('stay as the first saved them, also of two that save at once', async () => {
    const [one, other] = [await working(), await working()];
    const answers = await Promise.all([save(one, 'k', ['one']), save(other, 'k', ['other'])]);
    expect(answers.toSorted()).toEqual(['conflicting_repeat', 'saved']);
    expect(await save(await working(), 'k', ['late'])).toBe('conflicting_repeat');
    expect(await keysKept()).toEqual(['k']);
  });

  it('go when they are old, once, with the reason, and may be saved anew', async () => {
    const main = await working();
    await save(main, 'old');
    await save(main, 'new');
    expect(await retireCaches({ log, ledger: writer, bounds: AMPLE })).toBe(0);
    await afterDays(2, 'old');
    expect(await retireCaches({ log, ledger: writer, bounds: AMPLE })).toBe(1);
    expect(await retireCaches({ log, ledger: writer, bounds: AMPLE })).toBe(0);
    expect(await removals()).toEqual([
      {
        because: 'age',
        reason: '',
        caches: [
          {
            runId: main.runId,
            jobKey: JOB,
            attempt: 1,
            key: 'old',
            repository: repository.id,
            domain: 'trusted',
            digest: digestOf('old'),
            sizeBytes: 3,
            contentBytes: 100,
            savedAtMs: expect.any(Number),
          },
        ],
      },
    ]);
    expect([await find(main, 'old'), await keysKept()]).toEqual([null, ['new']]);
    expect(await save(await working(), 'old')).toBe('saved');
  });

  it('go when their repository has too many: those of other refs first, and the oldest of these', async () => {
    const [main, pull] = [await working(), await working(PULL_REQUEST)];
    await save(main, 'm-oldest');
    await save(pull, 'p-older-');
    await save(pull, 'p-newer-');
    await save(main, 'm-newer-');
    await afterDays(3, 'm-oldest');
    await afterDays(2, 'p-older-');
    const bounds = { keptMs: 10 * DAY_MS, repositoryBytesMax: 24 };
    expect(await retireCaches({ log, ledger: writer, bounds })).toBe(1);
    expect(await keysKept()).toEqual(['m-newer-', 'm-oldest', 'p-newer-']);
    expect(await retireCaches({ log, ledger: writer, bounds: { ...bounds, repositoryBytesMax: 8 } })).toBe(2);
    expect([await keysKept(), (await removals()).map(({ because }) => because)]).toEqual([
      ['m-newer-'],
      ['size', 'size'],
    ]);
  });

  it('name the chunks that are needed, whoever shares them', async () => {
    const main = await working();
    await save(main, 'one', ['a', 'b']);
    await save(main, 'two', ['b', 'c']);
    const asked = ['a', 'b', 'c', 'd'].map((text) => digestOf(text));
    expect(await whichChunksAreKept(log, asked)).toEqual(new Set(asked.slice(0, 3)));
    await afterDays(2, 'one');
    await retireCaches({ log, ledger: writer, bounds: AMPLE });
    expect(await whichChunksAreKept(log, asked)).toEqual(new Set(asked.slice(1, 3)));
  });

  it('leave the store those chunks alone that are needed, of what was there for long enough', async () => {
    await save(await working(), 'one', ['a', 'b']);
    const digests = ['a', 'b', 'c', 'd'].map((text) => digestOf(text));
    const removed: (readonly string[])[] = [];
    const asked: number[] = [];
    const caches = {
      async *storedBefore(beforeMs: number) {
        asked.push(beforeMs);
        yield digests.slice(0, 3);
        yield digests.slice(3);
      },
      remove: (some: readonly string[]) => Promise.resolve(void removed.push(some)),
    };
    expect(await removeUnkeptChunks({ log, store: { caches } }, 1_000, new AbortController().signal)).toBe(2);
    expect([asked, removed]).toEqual([[1_000], [[digests[2]], [digests[3]]]]);
  });

  it('keep a chunk that is recorded after a sweep has looked for it, and before its turn to remove comes', async () => {
    const main = await working();
    const digests = ['a', 'b'].map((text) => digestOf(text));
    const removed: (readonly string[])[] = [];
    const caches = {
      async *storedBefore() {
        yield digests;
      },
      remove: (some: readonly string[]) => Promise.resolve(void removed.push(some)),
    };
    let swept: Promise<number> = Promise.resolve(0);
    // Another sweep, of a process that does not know yet that it is not elected any more.
    await whileRemoving(log, 'cache-chunk', async () => {
      swept = removeUnkeptChunks({ log, store: { caches } }, 1_000, new AbortController().signal);
      await Promise.race([swept, somebodyWaits(admin.pool)]);
      expect(await save(main, 'one', ['a'])).toBe('saved');
    });
    expect([await swept, removed]).toEqual([1, [[digests[1]]]]);
  });

  it('when they are recorded while their chunks are removed, then whoever looks whether these stand waits, and finds them gone', async () => {
    const main = await working();
    const standing = new Set([digestOf('a')]);
    let looked: Promise<boolean> = Promise.resolve(true);
    const caches = {
      async *storedBefore() {
        yield [...standing];
      },
      async remove(some: readonly string[]) {
        expect(await save(main, 'one', ['a'])).toBe('saved');
        looked = waitForRemovals(log, 'cache-chunk').then(() => standing.has(digestOf('a')));
        await Promise.race([looked, somebodyWaits(admin.pool)]);
        for (const digest of some) standing.delete(digest);
      },
    };
    expect(await removeUnkeptChunks({ log, store: { caches } }, 1_000, new AbortController().signal)).toBe(1);
    expect(await looked).toBe(false);
    await waitForRemovals(log, 'cache-chunk');
  });

  it('remove no more of many chunks once they have to stop, and say how many went', async () => {
    const stop = new AbortController();
    let removed = 0;
    const caches = {
      async *storedBefore() {
        yield Array.from({ length: 1_000 }, (_, at) => digestOf(`chunk ${at}`));
      },
      remove: async (some: readonly string[]) => {
        removed += some.length;
        stop.abort();
        return Promise.resolve();
      },
    };
    expect(await removeUnkeptChunks({ log, store: { caches } }, 1_000, stop.signal)).toBe(removed);
    expect(removed).toBeLessThan(1_000);
  });

  it('are listed newest first, a page at a time, of one repository or of all', async () => {
    const main = await working();
    for (const key of ['a', 'b', 'c']) await save(main, key);
    const seen: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await listCaches(log, { limit: 2, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...(page?.caches ?? []).map(({ key }) => key));
      cursor = page?.nextCursor ?? null;
    }
    expect(seen).toEqual(['c', 'b', 'a']);
    expect(await keysKept({ repository: 'github/somebody/else' })).toEqual([]);
    expect(await listCaches(log, { limit: 2, cursor: 'bm9uc2Vuc2U' })).toBeNull();
  });
});
