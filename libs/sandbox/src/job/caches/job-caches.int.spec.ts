import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  CACHE_CHUNKS_MAX,
  CACHE_CHUNK_CONTENT_BYTES_MAX,
  type CacheContent,
  type CacheRequest,
  type CacheResult,
  type FindCacheAnswer,
  type TrustDomain,
} from '@delta-ci/contracts';
import { pack } from 'tar-stream';
import { DEFAULT_SANDBOX_LIMITS } from '../../limits.ts';
import { ProcessExecutor } from '../../process-executor.ts';
import type { Sandbox } from '../../sandbox-executor.ts';
import { CacheFailed, type CacheStore } from './cache-store.ts';
import { ArchiveSender } from './chunked-archive.ts';
import { JobCaches, type SecretWatch } from './job-caches.ts';

const KEY = 'kept-1';
const REQUEST = { type: 'deps' as const, key: KEY, paths: ['~/.kept', 'made'] };
const SECRET = 'not-a-secret-of-a-registry';

/** Finds the secret as it is, however it is cut. */
class Watch implements SecretWatch {
  hasMasked = false;
  #before = '';

  write(bytes: Uint8Array): void {
    const text = this.#before + Buffer.from(bytes).toString('latin1');
    this.hasMasked ||= text.includes(SECRET);
    this.#before = text.slice(-SECRET.length);
  }

  end(): void {}
}

/** Where caches are kept, as a job sees it. */
class Store implements CacheStore {
  readonly chunks = new Map<string, Uint8Array<ArrayBuffer>>();
  saves: TrustDomain | null = 'trusted';
  kept: CacheContent | null = null;
  /** What every call ends with in place of its answer. */
  trouble: (() => Promise<never>) | null = null;
  underWay = 0;
  mostUnderWay = 0;
  /** Archives on the job's host, as of every download that began. */
  archivesThere: () => Promise<string[]> = () => Promise.resolve([]);
  readonly archivesSeen: string[][] = [];

  async find(): Promise<FindCacheAnswer> {
    await this.trouble?.();
    const offered = (chunks: CacheContent['home']) => chunks.map((chunk) => ({ ...chunk, url: null }));
    const { saves, kept } = this;
    if (kept === null) return { cache: null, saves };
    const content = { home: offered(kept.home), workspace: offered(kept.workspace) };
    return { cache: { domain: 'trusted', sizeBytes: 1, contentBytes: 1, content }, saves };
  }

  async download(...[, { digest }]: Parameters<CacheStore['download']>): Promise<Uint8Array<ArrayBuffer>> {
    await this.trouble?.();
    this.archivesSeen.push(await this.archivesThere());
    const found = this.chunks.get(digest);
    if (found === undefined) throw new CacheFailed('damaged', 'the store no longer has this chunk');
    return found;
  }

  async upload(...[, { digest }, bytes]: Parameters<CacheStore['upload']>): Promise<void> {
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.underWay -= 1;
    await this.trouble?.();
    this.chunks.set(digest, bytes);
  }

  async giveUp({ content }: Parameters<CacheStore['giveUp']>[0]): Promise<void> {
    await this.trouble?.();
    if (JSON.stringify(content) !== JSON.stringify(this.kept)) throw new Error('another cache is kept');
    this.kept = null;
  }

  async save({ content }: Parameters<CacheStore['save']>[0]): Promise<{ domain: TrustDomain } | null> {
    await this.trouble?.();
    if (this.kept !== null) return null;
    this.kept = content;
    return { domain: 'trusted' };
  }
}

describe('the caches of a job', () => {
  let place: string;
  let store: Store;
  let said: string[];
  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), 'delta-job-caches-'));
    store = new Store();
    said = [];
  });
  afterEach(async () => rm(place, { recursive: true, force: true }));

  interface Job {
    /** Of the job, in its sandbox. */
    readonly sh?: string;
    readonly timeoutMs?: number;
    readonly leftMs?: number;
    readonly diskBytes?: number;
    readonly requests?: readonly CacheRequest[];
    readonly fails?: boolean;
    readonly signal?: AbortSignal;
  }

  /** A job with one cache, in a sandbox of its own. Answers what became of it, and what its script printed. */
  const job = async ({ sh = ':', timeoutMs = 60_000, leftMs = 60_000, fails = false, signal, ...more }: Job) => {
    const directory = await mkdtemp(join(place, 'job-'));
    const [workspaceDir, gitDir] = [join(directory, 'workspace'), join(directory, 'source.git')];
    await Promise.all([mkdir(workspaceDir), mkdir(gitDir)]);
    const executor = new ProcessExecutor({ stateDir: join(directory, 'state'), killGraceMs: 500 });
    const opened = await executor.open({
      workspace: { hostDir: workspaceDir, onClose: 'keep' },
      trust: 'trusted',
      limits: DEFAULT_SANDBOX_LIMITS,
      network: 'none',
      env: {},
      binds: [{ hostPath: gitDir }],
      user: 'delta',
    });
    if (!opened.ok) throw new Error(opened.refusal.message);
    const { sandbox } = opened;
    const archives = async () => readdir(join(gitDir, 'caches'));
    store.archivesThere = archives;
    const caches = new JobCaches(more.requests ?? [REQUEST], {
      store,
      gitDir,
      jobTimeoutMs: timeoutMs,
      diskBytes: more.diskBytes ?? 1024 ** 3,
      watch: () => new Watch(),
      say: (text) => Promise.resolve(void said.push(text)),
      signal: signal ?? new AbortController().signal,
    });
    caches.begin(Promise.resolve());
    await caches.restore(sandbox);
    const printed = await run(sandbox, sh);
    if (!fails) await caches.save(sandbox, leftMs);
    await caches.close();
    await sandbox.close();
    const { results } = caches;
    return { result: results[0], results, printed, left: await readdir(workspaceDir), archives: await archives() };
  };

  const fill = 'mkdir -p ~/.kept made; echo home > ~/.kept/a; echo work > made/b';
  const look = 'cat ~/.kept/a made/b';

  it('given nothing is kept, then what is there at the end is saved, and the next job has it', async () => {
    const first = await job({ sh: fill });
    expect(first.result).toMatchObject({ key: KEY, hit: false, saved: { domain: 'trusted' } });
    const second = await job({ sh: look });
    expect([second.printed, second.result]).toMatchObject([
      'home\nwork\n',
      { hit: true, restored: { domain: 'trusted' } },
    ]);
    expect(second.archives).toEqual([]);
    expect(said.map((line) => line.replace(/\d+ ms|\d+\.\d KiB/g, '…'))).toEqual([
      `cache ${KEY}: nothing is kept`,
      `cache ${KEY}: saved … (… compressed) in … (trusted)`,
      `cache ${KEY}: restored … (… compressed) in … (trusted)`,
    ]);
  });

  it('given an archive of many chunks, then it comes back as it was, a few of them under way at once', async () => {
    const sum = 'cat made/large | cksum';
    store = meeting();
    const bytes = Math.round(2.5 * CACHE_CHUNK_CONTENT_BYTES_MAX);
    const first = await job({ sh: `mkdir made; head -c ${bytes} /dev/urandom > made/large; ${sum}` });
    expect(store.kept?.workspace).toHaveLength(3);
    expect(store.mostUnderWay).toBeLessThanOrEqual(4);
    expect((await job({ sh: sum })).printed).toBe(first.printed);
  });

  it.each<[string, Partial<Job>, (to: Store) => void]>([
    ['a job that failed', { fails: true }, () => undefined],
    ['a run that saves nowhere', {}, (to) => (to.saves = null)],
  ])('given %s, then nothing is sent', async (_, over, prepare) => {
    prepare(store);
    const { result } = await job({ sh: fill, ...over });
    expect([result, store.chunks.size, store.kept]).toEqual([{ key: KEY, hit: false }, 0, null]);
  });

  it('given another job was quicker, then that is no problem of this one', async () => {
    const [chunk] = await chunksOf(store, 'x');
    const race = new (class extends Store {
      override async save(...given: Parameters<Store['save']>) {
        this.kept = { home: chunk === undefined ? [] : [chunk], workspace: [] };
        return super.save(...given);
      }
    })();
    store = race;
    expect((await job({ sh: fill })).result).toEqual({ key: KEY, hit: false });
    expect(said.at(-1)).toBe(`cache ${KEY}: another job has saved it meanwhile`);
  });

  const problems: readonly (readonly [string, CacheResult['problems'], Partial<Job>, (to: Store) => void])[] = [
    [
      'a store that does not answer',
      [{ during: 'restore', code: 'store_unavailable', message: 'no answer' }],
      {},
      (to) => (to.trouble = () => Promise.reject(new Error('no answer'))),
    ],
    [
      'a store that hangs',
      [{ during: 'restore', code: 'timed_out', message: 'it took too long' }],
      { timeoutMs: 500 },
      () => undefined,
    ],
    [
      'a control plane that does not want it',
      [{ during: 'restore', code: 'refused', message: 'no' }],
      {},
      (to) => (to.trouble = () => Promise.reject(new CacheFailed('refused', 'no'))),
    ],
    [
      'nothing at its paths',
      [{ during: 'save', code: 'nothing_there', message: expect.any(String) as never }],
      { sh: ':' },
      () => undefined,
    ],
    [
      'a secret of the job in it',
      [{ during: 'save', code: 'secret', message: 'a secret of the job is in it' }],
      { sh: `mkdir made; printf %s ${SECRET} > made/token` },
      () => undefined,
    ],
    [
      'a job that has used up its time',
      [{ during: 'save', code: 'timed_out', message: expect.any(String) as never }],
      { leftMs: 0 },
      () => undefined,
    ],
    [
      'a job whose source took its time',
      [{ during: 'save', code: 'timed_out', message: expect.any(String) as never }],
      { timeoutMs: 10_000 },
      () => undefined,
    ],
  ];
  it.each(problems)('given %s, then it is told, and nothing else happens', async (name, expected, over, prepare) => {
    if (name === 'a store that hangs') store = hanging();
    prepare(store);
    const { result, printed } = await job({ sh: fill, ...over });
    expect([printed, result]).toEqual(['', { key: KEY, hit: false, problems: expected }]);
    expect(store.kept).toBeNull();
    expect(said.at(-1)).toMatch(/^cache kept-1 could not be (?:restored|saved): /);
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array<ArrayBuffer>, object]>([
    ['other bytes', () => Uint8Array.from(Buffer.from('something else')), {}],
    ['no bytes', () => new Uint8Array(0), {}],
    ['more in it than it says', (bytes) => Uint8Array.from(bytes), { contentBytes: 1 }],
    ['less in it than it says', (bytes) => Uint8Array.from(bytes), { contentBytes: CACHE_CHUNK_CONTENT_BYTES_MAX }],
  ])(
    'given a chunk with %s, then nothing of it is unpacked, and it is saved anew once it is gone',
    async (_, change, over) => {
      const [chunk] = await chunksOf(store, 'x'.repeat(100_000));
      if (chunk === undefined) throw new Error('it was sent');
      store.kept = { home: [{ ...chunk, ...over }], workspace: [] };
      store.chunks.set(chunk.digest, change(store.chunks.get(chunk.digest) ?? new Uint8Array(0)));
      const { result, printed } = await job({ sh: 'ls -A ~; ls -A' });
      expect([printed, result?.hit, result?.problems?.[0]]).toMatchObject([
        '',
        false,
        { during: 'restore', code: 'damaged' },
      ]);
      store.kept = null;
      store.chunks.clear();
      expect((await job({ sh: fill })).result).toMatchObject({ saved: {} });
    },
  );

  it('given several caches, then the host has the archive of one of them at a time, and in all no more than the disk of the job', async () => {
    await job({ sh: fill });
    const kept = store.kept ?? { home: [], workspace: [] };
    const bytes = [...kept.home, ...kept.workspace].reduce((sum, { contentBytes }) => sum + contentBytes, 0);
    const requests = ['1', '2', '3'].map((key) => ({ ...REQUEST, key }));
    const { results, archives } = await job({ requests, diskBytes: 2 * bytes });
    expect(results).toMatchObject([{ hit: true }, { hit: true }, { hit: false, problems: [{ code: 'too_large' }] }]);
    expect(archives).toEqual([]);
    expect(store.archivesSeen).toHaveLength(4);
    for (const seen of store.archivesSeen) expect(new Set(seen.map((name) => name.split('.')[0])).size).toBe(1);
  });

  it('given more than a cache may have, here and there together, then it is refused by name, and nothing of it is sent', async () => {
    const half = CACHE_CHUNKS_MAX * 0.5 * CACHE_CHUNK_CONTENT_BYTES_MAX;
    const { result } = await job({ sh: `mkdir ~/.kept made; truncate -s ${half} ~/.kept/a made/b` });
    expect(result).toMatchObject({ hit: false, problems: [{ during: 'save', code: 'too_large' }] });
    expect([store.chunks.size, store.kept]).toEqual([0, null]);
  });

  it('given an archive that tar cannot read, then the job has nothing of it', async () => {
    store.kept = { home: await chunksOf(store, 'this is no archive'.repeat(1_000)), workspace: [] };
    const { result, printed, left, archives } = await job({ sh: 'ls -A ~' });
    expect([printed, left, archives]).toEqual(['', [], []]);
    expect(result?.problems).toMatchObject([
      { during: 'restore', code: 'damaged' },
      { during: 'save', code: 'nothing_there' },
    ]);
  });

  it('given an archive that tar cannot read, then what the job makes instead is kept in its place, and the next job has it', async () => {
    const broken = { home: await chunksOf(store, 'this is no archive'.repeat(1_000)), workspace: [] };
    store.kept = broken;
    const { result } = await job({ sh: fill });
    expect(result).toMatchObject({ hit: false, problems: [{ code: 'damaged' }], saved: { domain: 'trusted' } });
    expect((await job({ sh: look })).printed).toBe('home\nwork\n');
    store.kept = broken;
    store.giveUp = async () => undefined;
    expect((await job({ sh: fill })).result).not.toHaveProperty('saved');
    expect([store.kept, said.at(-1)]).toEqual([broken, expect.stringContaining('another job has saved it')]);
  });

  it('given a cache that only has no place in this job, then it stays, and nothing is saved instead', async () => {
    const archive = pack();
    archive.entry({ name: `./.kept/${'x'.repeat(300)}` }, 'whole');
    archive.finalize();
    const kept = { home: await chunksOf(store, await buffer(archive)), workspace: [] };
    store.kept = kept;
    const { result } = await job({ sh: fill });
    expect(result).toMatchObject({ hit: false, problems: [{ during: 'restore', code: 'sandbox_failed' }] });
    expect(result).not.toHaveProperty('saved');
    expect(store.kept).toBe(kept);
  });

  it('given a cache of another domain that tar cannot read, then the run saves in its own, and leaves that one alone', async () => {
    store.saves = 'ref:refs/pull/7/head';
    store.kept = { home: await chunksOf(store, 'this is no archive'.repeat(1_000)), workspace: [] };
    const saved: CacheContent[] = [];
    store.giveUp = async () => Promise.reject(new Error('it is not its own'));
    store.save = async ({ content }) => {
      saved.push(content);
      return Promise.resolve({ domain: 'ref:refs/pull/7/head' });
    };
    expect((await job({ sh: fill })).result).toMatchObject({ saved: { domain: 'ref:refs/pull/7/head' } });
    expect(saved).toHaveLength(1);
  });

  it('given a job that has to stop, then what is under way ends, and no word is lost about it', async () => {
    store = hanging();
    const stop = new AbortController();
    const stopped = job({ signal: stop.signal });
    stop.abort(new Error('canceled'));
    expect((await stopped).results).toEqual([]);
    expect(said).toEqual([]);
  });
});

async function run(sandbox: Sandbox, text: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  const outcome = await sandbox.run(
    {
      command: { kind: 'script', script: text },
      workdir: '.',
      env: {},
      timeoutMs: 60_000,
      idleTimeoutMs: null,
    },
    (chunk) => Promise.resolve(void chunks.push(Uint8Array.from(chunk))),
  );
  expect(outcome.kind).toBe('finished');
  return Buffer.concat(chunks).toString();
}

/** Takes no chunk before a second one is on its way. */
function meeting(): Store {
  const { promise: met, resolve: meet } = Promise.withResolvers<void>();
  return new (class extends Store {
    #waiting = 0;

    override async upload(...given: Parameters<Store['upload']>): Promise<void> {
      this.#waiting += 1;
      if (this.#waiting > 1) meet();
      await met;
      await super.upload(...given);
      this.#waiting -= 1;
    }
  })();
}

/** Answers nothing until the signal of whoever asks says that it is over. */
function hanging(): Store {
  return new (class extends Store {
    override async find(...[, signal]: [string?, AbortSignal?]): Promise<FindCacheAnswer> {
      return new Promise((_, reject) => {
        if (signal?.aborted === true) reject(signal.reason as Error);
        signal?.addEventListener('abort', () => reject(signal.reason as Error));
      });
    }
  })();
}

async function chunksOf(store: Store, content: string | Uint8Array): Promise<CacheContent['home']> {
  const sender = new ArchiveSender(store, KEY, new AbortController().signal, 10);
  await sender.write(Buffer.from(content));
  return sender.end();
}
