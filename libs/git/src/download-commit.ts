import { open, rm } from 'node:fs/promises';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { CloneUrl } from './clone-url.ts';
import { PACK_HEAD_BYTES, treeOfFirstCommit } from './commit-in-pack.ts';
import type { Git } from './git.ts';
import type { Protocol } from './hygiene.ts';
import { DELIMITER, FLUSH, NotPackets, packetLine, packetsOf, type Packet } from './packet-lines.ts';

export interface DownloadOptions {
  readonly remote: CloneUrl;
  /** Full id of the one commit that is wanted, without those before it. */
  readonly commit: string;
  /** Where the pack is put; nothing may be there. */
  readonly packFile: string;
  /** Value of the header of that name, for this one request. */
  readonly authorization: string | null;
  readonly maxBytes: number;
  readonly timeLimitMs: number;
  readonly signal: AbortSignal;
  /** Told why nothing came of it, where it was tried and the caller has not given up. */
  readonly onTrouble: (error: unknown) => void;
}

/** A commit that came. */
export interface DownloadedCommit {
  /** The tree that it has, by what has its hash; null where the pack does not begin with it, so that only git can tell. */
  readonly tree: string | null;
}

/** A remote that does not begin to answer within this is asked by git itself, which says what is wrong with it. */
const FIRST_WORD_MS = 20_000;

/** With any of these, git reaches remotes or trusts them in another way than we would. */
const OTHER_WAYS: Partial<Record<Protocol, readonly string[]>> = {
  http: ['http_proxy'],
  https: ['HTTPS_PROXY', 'https_proxy', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'GIT_SSL_CAINFO'],
};

/**
 * Asks a remote over HTTP for one commit with its files, in a single request and without starting git, and writes the pack
 * down as it comes. The pack is a stranger's, of which at most the commit was looked at: whoever uses it lets git index it
 * first, which checks every object's hash.
 *
 * Null when nothing came of it, for whatever reason: `git fetch` is the one that knows every remote, and every word for
 * what can go wrong. Nothing is left at `packFile` then.
 */
export async function downloadCommit(git: Git, options: DownloadOptions): Promise<DownloadedCommit | null> {
  const { remote, packFile } = options;
  const others = OTHER_WAYS[remote.protocol];
  if (others === undefined || others.some((name) => Boolean(git.environment[name]))) return null;
  try {
    return await download(options);
  } catch (error) {
    await rm(packFile, { force: true });
    if (!options.signal.aborted) options.onTrouble(error);
    return null;
  }
}

const ANSWER_TYPE = 'application/x-git-upload-pack-result';

async function download(options: DownloadOptions): Promise<DownloadedCommit> {
  const silent = new AbortController();
  const firstWord = setTimeout(() => silent.abort(new NotPackets('the remote says nothing')), FIRST_WORD_MS);
  try {
    const signal = AbortSignal.any([options.signal, silent.signal, AbortSignal.timeout(options.timeLimitMs)]);
    const response = await ask(options, signal);
    clearTimeout(firstWord);
    const { 'content-type': type, 'content-encoding': encoding } = response.headers;
    if (response.statusCode !== 200 || type !== ANSWER_TYPE || encoding !== undefined) {
      response.destroy();
      throw new NotPackets(`the remote answered with ${response.statusCode}`);
    }
    const head = await keepPack(packetsOf(response), options);
    return { tree: treeOfFirstCommit(head, options.commit) };
  } finally {
    clearTimeout(firstWord);
  }
}

/**
 * Without `fetch`: it inflates what it gets, and an answer that only the end of the connection ends can break it outside of
 * any promise.
 */
function ask({ remote, commit, authorization }: DownloadOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = remote.protocol === 'https' ? requestHttps : requestHttp;
  const sent = request(`${remote.url}/git-upload-pack`, {
    method: 'POST',
    agent: false,
    signal,
    headers: {
      'content-type': 'application/x-git-upload-pack-request',
      accept: ANSWER_TYPE,
      'accept-encoding': 'identity',
      'git-protocol': 'version=2',
      'user-agent': 'git/delta-ci',
      ...(authorization === null ? {} : { authorization }),
    },
  });
  sent.once('response', resolve).on('error', reject);
  sent.end(requestFor(commit));
  return promise;
}

/** A fetch of protocol version 2: this commit, none before it, and no talk about what is here already. */
function requestFor(commit: string): string {
  const capabilities = ['command=fetch', `object-format=${commit.length === 64 ? 'sha256' : 'sha1'}`];
  const wishes = ['ofs-delta', 'no-progress', 'deepen 1', `want ${commit}`, 'done'];
  const lines = (texts: readonly string[]): string => texts.map((text) => packetLine(`${text}\n`)).join('');
  return `${lines(capabilities)}${DELIMITER}${lines(wishes)}${FLUSH}`;
}

/** What a packet of the pack's section carries, by its first byte: pack, words for people, an error. */
const PACK_BAND = 1;
const WORDS_BAND = 2;

/** Answers how the pack begins. */
async function keepPack(
  packets: AsyncIterable<Packet>,
  { packFile, maxBytes, commit }: DownloadOptions,
): Promise<Buffer> {
  const file = await open(packFile, 'wx', 0o644);
  try {
    const head: Buffer[] = [];
    let section = '';
    let packBytes = 0;
    let bytes = 0;
    for await (const packet of packets) {
      if (packet === 'flush' && packBytes > 0) return Buffer.concat(head);
      if (packet === 'flush') throw new NotPackets('no pack came');
      bytes += packet.length;
      if (bytes > maxBytes) throw new NotPackets('the answer is larger than anything that is taken');
      if (packet === 'delimiter') section = '';
      else if (section === '') section = sectionOf(packet);
      else if (section === 'shallow-info') requireShallow(packet, commit);
      else if (packet[0] === PACK_BAND) {
        if (packBytes < PACK_HEAD_BYTES) head.push(packet.subarray(1));
        packBytes += packet.length - 1;
        // Not `write`: on a disk that fills up it takes a part of a packet, and says so in a number.
        await file.writeFile(packet.subarray(1));
      } else if (packet[0] !== WORDS_BAND) throw new NotPackets('the remote gave up');
    }
    throw new NotPackets('the answer ends before it is whole');
  } finally {
    await file.close();
  }
}

function sectionOf(packet: Buffer): string {
  const name = lineOf(packet);
  if (name === 'shallow-info' || name === 'packfile') return name;
  throw new NotPackets('the remote answers otherwise than it was asked');
}

/** The history ends at the commit, so the one end it has is known. A commit without parents has none. */
function requireShallow(packet: Buffer, commit: string): void {
  if (lineOf(packet) !== `shallow ${commit}`) throw new NotPackets('the remote gave another history');
}

const lineOf = (packet: Buffer): string => packet.toString('latin1').replace(/\n$/u, '');
