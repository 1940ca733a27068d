import { join } from 'node:path';
import type { IncomingMessage } from 'node:http';
import type { CloneUrl, Credential } from '../clone-url.ts';
import { done, failed, type GitResult } from '../git-error.ts';
import { maskCredentials } from '../text-for-people.ts';
import { ask, HttpTrouble, readJson, type HttpTerms } from './guarded-http.ts';
import { batchRequest, downloadsIn, LFS_BATCH_OBJECTS, LFS_MEDIA_TYPE, type LfsDownload } from './lfs-batch.ts';
import type { LfsCache } from './lfs-cache.ts';
import type { LfsPointer } from './lfs-pointer.ts';
import { verifiedCopy } from './verified-copy.ts';

/** The Git LFS server of one repository: at its usual address, whatever a `.lfsconfig` says. */
export interface LfsServer {
  readonly remote: CloneUrl;
  readonly credential: Credential | undefined;
  readonly terms: HttpTerms;
  readonly cache: LfsCache | null;
}

/** A batch of a hundred objects with long signed addresses has some 300 KiB. */
const BATCH_ANSWER_BYTES_MAX = 4 * 1_024 ** 2;

/** Objects that arrive side by side. */
const DOWNLOADS_AT_ONCE = 4;

/** A forge sends a download on to its storage, and that perhaps to another. */
const REDIRECTS_MAX = 3;

/**
 * Puts objects into a directory, each as a file by its digest, verified. The server is asked for every one, also for those
 * that are in the cache: it knows what the repository may have. Errors: `lfs_unavailable`, `protocol_refused`.
 */
export async function fetchLfsObjects(
  server: LfsServer,
  pointers: readonly LfsPointer[],
  directory: string,
): Promise<GitResult<void>> {
  const { remote, credential } = server;
  if (remote.protocol !== 'https' && remote.protocol !== 'http')
    return failed('protocol_refused', `files of Git LFS come over https, not over ${remote.protocol}`);
  try {
    for (let at = 0; at < pointers.length; at += LFS_BATCH_OBJECTS) {
      const downloads = await askFor(server, pointers.slice(at, at + LFS_BATCH_OBJECTS));
      await eachOfSome(downloads, async (download) => bring(server, download, join(directory, download.oid)));
    }
    return done(undefined);
  } catch (error) {
    if (server.terms.signal.aborted) return failed('git_canceled', 'fetching files of Git LFS was canceled');
    const message = error instanceof Error ? error.message : String(error);
    return failed('lfs_unavailable', maskCredentials(message, credential === undefined ? [] : [credential.password]));
  }
}

async function askFor(server: LfsServer, pointers: readonly LfsPointer[]): Promise<LfsDownload[]> {
  const { remote, terms } = server;
  const base = remote.url.replace(/\/+$/u, '');
  const url = `${base}${base.endsWith('.git') ? '' : '.git'}/info/lfs/objects/batch`;
  const headers = { accept: LFS_MEDIA_TYPE, 'content-type': LFS_MEDIA_TYPE, ...authorization(server) };
  const answer = await ask({ method: 'POST', url, headers, body: batchRequest(pointers) }, terms);
  return downloadsIn(await readJson(taken(answer, 'the Git LFS server'), BATCH_ANSWER_BYTES_MAX), pointers);
}

function authorization({ credential }: LfsServer): Record<string, string> {
  if (credential === undefined) return {};
  const basic = Buffer.from(`${credential.username}:${credential.password}`).toString('base64');
  return { authorization: `Basic ${basic}` };
}

function taken(answer: IncomingMessage, who: string): IncomingMessage {
  if (answer.statusCode === 200) return answer;
  answer.destroy();
  const denied = answer.statusCode === 401 || answer.statusCode === 403;
  throw new HttpTrouble(
    `${who} answered with ${answer.statusCode}${denied ? ': the source token does not open it' : ''}`,
  );
}

async function bring(server: LfsServer, download: LfsDownload, file: string): Promise<void> {
  if ((await server.cache?.take(download, file)) === true) return;
  const answer = await follow(server, download);
  if (!(await verifiedCopy(answer, file, download))) {
    answer.destroy();
    throw new HttpTrouble(
      `object ${download.oid.slice(0, 12)} came with another content or size than its pointer says`,
    );
  }
  await server.cache?.keep(download, file);
}

/** What was said for the first address is said to no other origin. */
async function follow(server: LfsServer, { oid, href, headers }: LfsDownload): Promise<IncomingMessage> {
  let url = href;
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
    const own = originOf(url) === originOf(server.remote.url) ? authorization(server) : {};
    const said = originOf(url) === originOf(href) ? headers : {};
    const answer = await ask({ method: 'GET', url, headers: { ...own, ...said } }, server.terms);
    const { location } = answer.headers;
    const moved = [301, 302, 303, 307, 308].includes(answer.statusCode ?? 0) && location !== undefined;
    if (!moved) return taken(answer, `the storage of object ${oid.slice(0, 12)}`);
    answer.destroy();
    if (!URL.canParse(location, url)) throw new HttpTrouble('the storage sends us to what is no address');
    url = new URL(location, url).href;
  }
  throw new HttpTrouble('the storage sends us around in circles');
}

const originOf = (url: string): string | null => (URL.canParse(url) ? new URL(url).origin : null);

/** All of them, some at once. The first that fails ends it, once those under way have ended. */
async function eachOfSome<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const waiting = [...all];
  let broken = false;
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && !broken; next = waiting.shift()) {
      try {
        await work(next);
      } catch (error) {
        broken = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: DOWNLOADS_AT_ONCE }, worker));
  const first = ends.find((end) => end.status === 'rejected');
  if (first !== undefined) throw first.reason;
}
