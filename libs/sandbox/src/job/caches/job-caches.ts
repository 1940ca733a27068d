import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CACHE_CHUNKS_MAX,
  CACHE_CHUNK_CONTENT_BYTES_MAX,
  SOURCE_LAYOUT,
  type CacheChunk,
  type CacheContent,
  type CacheProblem,
  type CacheRequest,
  type CacheResult,
  type FindCacheAnswer,
  type FoundCache,
  type OfferedChunk,
} from '@delta-ci/contracts';
import type { Sandbox } from '../../sandbox-executor.ts';
import {
  cachePlaces,
  measureCache,
  packCache,
  unpackCache,
  type CachePlace,
  type CacheStepEnd,
} from './cache-archive.ts';
import { CacheFailed, type CacheStore } from './cache-store.ts';
import { ArchiveSender, fetchArchive, refuseTooLarge } from './chunked-archive.ts';

/** Fetching takes at most so long, and at most a tenth of the job's time, and so does unpacking: what takes longer is sooner made again. */
const RESTORE_MS_MAX = 5 * 60_000;
const RESTORE_SHARE = 0.1;
/** Saving takes at most so long, and never the last of the job's time. */
const SAVE_MS_MAX = 10 * 60_000;
const SAVE_RESERVE_MS = 10_000;

export interface JobCacheTools {
  readonly store: CacheStore;
  /** The source's directory, in which archives wait to be unpacked; other jobs may have the same. */
  readonly gitDir: string;
  readonly jobTimeoutMs: number;
  /** As much as the job's caches may have in all once they are unpacked: they lie on its disk. */
  readonly diskBytes: number;
  /** Finds the job's secrets in what is saved. */
  readonly watch: () => SecretWatch;
  /** For the log of the job. */
  readonly say: (text: string) => Promise<void>;
  /** Aborted when the job has to stop. */
  readonly signal: AbortSignal;
}

/** Looks through what is saved, as it passes. */
export interface SecretWatch {
  write(bytes: Uint8Array): unknown;
  end(): unknown;
  /** Whether a secret was found so far. */
  readonly hasMasked: boolean;
}

/** One cache of the job on its way. */
interface Entry {
  readonly request: CacheRequest;
  /** In the caches' folder of the source. */
  readonly name: string;
  result: CacheResult;
  answer: FindCacheAnswer | null;
}

type Transfer = NonNullable<CacheResult['saved']>;

/**
 * Caches of one job: fetched while its source is, unpacked before its first step, and saved when all its steps succeeded and there
 * was none. Nothing that goes wrong with them is the job's: it runs without.
 */
export class JobCaches {
  readonly #tools: JobCacheTools;
  readonly #entries: readonly Entry[];
  readonly #over = new AbortController();
  /** The lease is acknowledged no sooner, and from then on the control plane counts the job's time. */
  readonly #startedMs = performance.now();
  #fetched: Promise<void> = Promise.resolve();
  #fetchedBytes = 0;

  constructor(requests: readonly CacheRequest[], tools: JobCacheTools) {
    this.#tools = tools;
    this.#entries = requests.map((request) => ({
      request,
      name: randomUUID(),
      result: { key: request.key, hit: false },
      answer: null,
    }));
  }

  /** What became of them. Nothing became of one that was never asked for, nor of one that was stopped on its way. */
  get results(): CacheResult[] {
    return this.#entries.filter(isTold).map(({ result }) => result);
  }

  /** Asks what there is, and fetches the first of it, as soon as the lease is acknowledged: nothing is said under it before. */
  begin(acknowledged: Promise<void>): void {
    if (this.#entries.length === 0) return;
    this.#fetched = acknowledged.then(
      async () => this.#askAll(this.#within(this.#restoreMs)),
      // Then there is no job.
      () => undefined,
    );
  }

  /** Fetches and unpacks one after the other: the host has the archive of no more than one of them. */
  async restore(sandbox: Sandbox): Promise<void> {
    if (this.#entries.length === 0) return;
    await this.#fetched;
    const signal = this.#within(this.#restoreMs);
    for (const entry of this.#entries) {
      await this.#attempt(entry, 'restore', async () => this.#unpack(entry, sandbox, signal));
      for (const root of ROOTS) await rm(this.#pathOf(entry, root), { force: true });
    }
  }

  /** Packs and sends what was not there. @param leftMs of the job's time */
  async save(sandbox: Sandbox, leftMs: number): Promise<void> {
    const wanted = this.#entries.filter(isWanted);
    if (wanted.length === 0) return;
    // The time that was spent on the source is the job's as well.
    const left = Math.min(leftMs, this.#startedMs + this.#tools.jobTimeoutMs - performance.now());
    const budgetMs = Math.max(0, Math.min(SAVE_MS_MAX, Math.round(left - SAVE_RESERVE_MS)));
    const signal = this.#within(budgetMs);
    for (const entry of wanted)
      await this.#attempt(entry, 'save', async () => this.#pack(entry, sandbox, signal, budgetMs));
  }

  /** Ends whatever is under way. */
  async close(): Promise<void> {
    this.#over.abort();
    await this.#fetched;
  }

  get #restoreMs(): number {
    return Math.min(RESTORE_MS_MAX, Math.round(this.#tools.jobTimeoutMs * RESTORE_SHARE));
  }

  #within(budgetMs: number): AbortSignal {
    return AbortSignal.any([this.#tools.signal, this.#over.signal, AbortSignal.timeout(budgetMs)]);
  }

  async #askAll(signal: AbortSignal): Promise<void> {
    // What cannot be made is met again, and told, by each of them.
    await mkdir(join(this.#tools.gitDir, SOURCE_LAYOUT.caches)).catch(() => undefined);
    for (const entry of this.#entries) {
      await this.#attempt(entry, 'restore', async () => {
        entry.answer = await this.#tools.store.find(entry.request.key, signal);
      });
    }
    const first = this.#entries.find(({ answer }) => answer !== null && answer.cache !== null);
    const cache = first?.answer?.cache ?? null;
    if (first === undefined || cache === null) return;
    await this.#attempt(first, 'restore', async () => void (await this.#fetch(first, cache, signal)));
  }

  async #fetch(entry: Entry, cache: FoundCache, signal: AbortSignal): Promise<Transfer> {
    const startedMs = performance.now();
    const { key } = entry.request;
    const { home, workspace } = cache.content;
    const bytes = [...home, ...workspace].reduce((sum, { contentBytes }) => sum + contentBytes, this.#fetchedBytes);
    if (bytes > this.#tools.diskBytes)
      throw new CacheFailed('too_large', 'the caches of the job have more than its disk may');
    this.#fetchedBytes = bytes;
    for (const root of ROOTS) {
      const chunks = cache.content[root];
      if (chunks.length === 0) continue;
      await fetchArchive(this.#tools.store, key, chunks, this.#pathOf(entry, root), signal);
    }
    const restored = transferOf(cache, startedMs);
    entry.result = { ...entry.result, restored };
    return restored;
  }

  async #unpack(entry: Entry, sandbox: Sandbox, signal: AbortSignal): Promise<void> {
    const { request, result, answer, name } = entry;
    // Whatever kept it from being asked, or from coming, was told then.
    if (answer === null || result.problems !== undefined) return;
    const { cache } = answer;
    if (cache === null) return this.#tools.say(`cache ${request.key}: nothing is kept`);
    const restored = result.restored ?? (await this.#fetch(entry, cache, signal));
    delete entry.result.restored;
    const startedMs = performance.now();
    for (const place of cachePlaces(request.paths)) {
      if (cache.content[place.root].length === 0) continue;
      const step = { gitDir: this.#tools.gitDir, name: `${name}.${place.root}`, signal };
      refuseUnless(await unpackCache(sandbox, place, { ...step, timeoutMs: this.#restoreMs }), 'unpacked', signal);
    }
    const tookMs = Math.round(restored.tookMs + performance.now() - startedMs);
    entry.result = { ...entry.result, hit: true, restored: { ...restored, tookMs } };
    await this.#tools.say(`cache ${request.key}: restored ${sizeText(restored)} in ${tookMs} ms (${restored.domain})`);
  }

  async #pack(entry: Entry, sandbox: Sandbox, signal: AbortSignal, budgetMs: number): Promise<void> {
    if (budgetMs === 0) throw new CacheFailed('timed_out', 'nothing is left of the time of the job');
    const startedMs = performance.now();
    const { key, paths } = entry.request;
    const content: CacheContent = { home: [], workspace: [] };
    const places = cachePlaces(paths);
    const step = { signal, timeoutMs: budgetMs };
    // Told by `tar` where it can; what it did not tell, or tells wrong, is met while it is sent.
    const measured: number[] = [];
    for (const place of places) measured.push((await measureCache(sandbox, place, step)) ?? 0);
    refuseTooLarge(measured);
    for (const place of places) {
      const chunksMax = CACHE_CHUNKS_MAX - content.home.length;
      content[place.root] = await this.#send(key, place, sandbox, { ...step, chunksMax });
    }
    const chunks = [...content.home, ...content.workspace];
    if (chunks.length === 0) throw new CacheFailed('nothing_there', 'there is nothing at its paths');
    const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.sizeBytes, 0);
    const contentBytes = chunks.reduce((sum, chunk) => sum + chunk.contentBytes, 0);
    await this.#giveUpDamaged(entry, signal);
    const answer = await this.#tools.store.save({ key, content }, signal);
    if (answer === null) return this.#tools.say(`cache ${key}: another job has saved it meanwhile`);
    const { domain } = answer;
    const saved = transferOf({ domain, sizeBytes, contentBytes }, startedMs);
    entry.result = { ...entry.result, saved };
    await this.#tools.say(`cache ${key}: saved ${sizeText(saved)} in ${saved.tookMs} ms (${domain})`);
  }

  async #send(
    key: string,
    place: CachePlace,
    sandbox: Sandbox,
    { signal, timeoutMs, chunksMax }: { signal: AbortSignal; timeoutMs: number; chunksMax: number },
  ): Promise<CacheContent['home']> {
    const sender = new ArchiveSender(this.#tools.store, key, signal, chunksMax);
    const watch = this.#tools.watch();
    const failures: Error[] = [];
    const bytesMax = chunksMax * CACHE_CHUNK_CONTENT_BYTES_MAX + 1;
    const end = await packCache(sandbox, place, { timeoutMs, signal, bytesMax }, async (bytes) => {
      try {
        watch.write(bytes);
        if (watch.hasMasked) throw SECRET_INSIDE;
        await sender.write(bytes);
      } catch (error) {
        failures.push(error instanceof Error ? error : new Error(String(error)));
        throw error;
      }
    });
    try {
      watch.end();
      const [failure] = failures;
      if (failure !== undefined) throw failure;
      if (watch.hasMasked) throw SECRET_INSIDE;
      if (end.kind === 'nothing') return [];
      refuseUnless(end, 'packed', signal);
      return await sender.end();
    } finally {
      await sender.abort();
    }
  }

  /** What was found in the domain in which the run saves, and is of no use to anybody, makes room for what was made instead. */
  async #giveUpDamaged({ request: { key }, answer }: Entry, signal: AbortSignal): Promise<void> {
    const cache = answer?.cache ?? null;
    if (cache === null || cache.domain !== answer?.saves) return;
    const { home, workspace } = cache.content;
    const content = { home: home.map(asSaved), workspace: workspace.map(asSaved) };
    await this.#tools.store.giveUp({ key, content }, signal);
  }

  /** Whatever it fails with is a problem of the cache, unless the job has to stop anyway. */
  async #attempt(entry: Entry, during: CacheProblem['during'], work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#tools.signal.aborted || this.#over.signal.aborted) return;
      const problem = { during, ...problemOf(error) };
      const { restored: _, ...result } = entry.result;
      entry.result = {
        ...result,
        hit: during === 'save' && result.hit,
        problems: [...(result.problems ?? []), problem],
      };
      await this.#tools.say(`cache ${entry.request.key} could not be ${during}d: ${problem.message}`);
    }
  }

  #pathOf({ name }: Entry, root: keyof CacheContent): string {
    return join(this.#tools.gitDir, SOURCE_LAYOUT.caches, `${name}.${root}`);
  }
}

const ROOTS = ['home', 'workspace'] as const;

const SECRET_INSIDE = new CacheFailed('secret', 'a secret of the job is in it');

const isTold = ({ answer, result }: Entry): boolean =>
  result.hit || result.problems !== undefined || (answer !== null && answer.cache === null);

/** Where the run may save, and nothing is kept, or what was kept turned out to be of no use to anybody. */
function isWanted({ answer, result }: Entry): boolean {
  if (answer === null || answer.saves === null || result.hit) return false;
  return answer.cache === null || result.problems?.some(({ code }) => code === 'damaged') === true;
}

const asSaved = ({ digest, sizeBytes, contentBytes }: OfferedChunk): CacheChunk => ({
  digest,
  sizeBytes,
  contentBytes,
});

/** @throws CacheFailed, or why the signal was aborted, unless the step did what it was for */
function refuseUnless(end: CacheStepEnd, what: 'packed' | 'unpacked', signal: AbortSignal): void {
  if (end.kind === 'done') return;
  signal.throwIfAborted();
  if (end.kind === 'timed_out') throw new CacheFailed('timed_out', `it could not be ${what} in time`);
  const why = end.kind === 'nothing' ? end.kind : end.why;
  throw new CacheFailed(end.kind === 'broken' ? 'damaged' : 'sandbox_failed', `it could not be ${what}: ${why}`);
}

function problemOf(error: unknown): Pick<CacheProblem, 'code' | 'message'> {
  const message = (error instanceof Error ? error.message : String(error)).slice(0, 1_000).toWellFormed();
  if (error instanceof CacheFailed) return { code: error.code, message };
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return { code: 'timed_out', message: 'it took too long' };
  return { code: 'store_unavailable', message };
}

function transferOf(
  { domain, sizeBytes, contentBytes }: Pick<FoundCache, 'domain' | 'sizeBytes' | 'contentBytes'>,
  startedMs: number,
): Transfer {
  return { domain, sizeBytes, contentBytes, tookMs: Math.round(performance.now() - startedMs) };
}

const sizeText = ({ sizeBytes, contentBytes }: { sizeBytes: number; contentBytes: number }): string =>
  `${bytesText(contentBytes)} (${bytesText(sizeBytes)} compressed)`;

const MIB = 1024 ** 2;
const bytesText = (bytes: number): string =>
  bytes < MIB ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / MIB).toFixed(1)} MiB`;
