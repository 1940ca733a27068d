import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DeveloperClone, git } from '../../../test/support/git-server/bare-repository.ts';
import { withShortFiles } from '../../../test/support/short-files.ts';
import { layOutBareRepository } from './bare-layout.ts';
import { parseCloneUrl } from './clone-url.ts';
import { downloadCommit, type DownloadedCommit, type DownloadOptions } from './download-commit.ts';
import { Git } from './git.ts';
import { NotPackets, packetLine } from './packet-lines.ts';
import { ServedRepositories } from './served-repositories.fixture.ts';

const PATH = process.env['PATH'];
const plain = new Git({ environment: { PATH } });

let place: string;
let served: ServedRepositories;
let commit: string;
let tree: string;
let packFile: string;
let troubles: unknown[];

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'delta-download-'));
  const barePath = join(place, 'widgets.git');
  const developer = await DeveloperClone.create(barePath, barePath);
  await developer.push('main', 'first', { 'widget.txt': 'stands\n' });
  commit = (await developer.push('main', 'second', { 'widget.txt': 'turns\n' })).after;
  tree = await git(developer.directory, 'rev-parse', `${commit}^{tree}`);
  await developer.remove();
  served = await ServedRepositories.of(place);
});
afterAll(async () => {
  await served.close();
  await rm(place, { recursive: true, force: true });
});

beforeEach(async () => {
  served.intercept = () => false;
  served.requests.splice(0);
  troubles = [];
  packFile = join(await mkdtemp(join(place, 'into-')), 'a.pack');
});

async function download(over: Partial<DownloadOptions> = {}, by: Git = plain): Promise<DownloadedCommit | null> {
  const remote = parseCloneUrl(served.url('widgets.git'), ['http']);
  if (!remote.ok) throw new Error(remote.error.message);
  const limits = {
    authorization: null,
    maxBytes: 1_000_000,
    timeLimitMs: 60_000,
    signal: new AbortController().signal,
    onTrouble: (error: unknown) => void troubles.push(error),
  };
  return downloadCommit(by, { remote: remote.value, commit, packFile, ...limits, ...over });
}

/** A remote that answers the request as a git server would, and with this body. */
function answering(body: string | Buffer, status = 200, headers: Record<string, string> = {}): void {
  served.intercept = (_request, response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/x-git-upload-pack-result', ...headers }).end(body);
    return true;
  };
}

const band = (number: number, text: string): string => packetLine(String.fromCharCode(number) + text);

describe('one commit in one request', () => {
  it('given a remote, then a single request brings the commit with its files and nothing before it, and tells its tree', async () => {
    expect(await download()).toEqual({ tree });
    expect(served.requests).toEqual(['POST /widgets.git/git-upload-pack']);
    const gitDir = join(place, 'indexed.git');
    await layOutBareRepository(gitDir, 'sha1');
    const indexed = join(gitDir, 'objects', 'pack', 'pack-a.pack');
    await copyFile(packFile, indexed);
    await git(gitDir, 'index-pack', indexed);
    const found = await git(gitDir, 'verify-pack', '-v', indexed);
    expect(found).toContain(commit);
    expect(found.match(/ commit /g)).toHaveLength(1);
  });

  it('given a credential, then it is the header of that one request', async () => {
    const heard: unknown[] = [];
    served.intercept = ({ headers }) => {
      heard.push(headers.authorization);
      return false;
    };
    expect(await download({ authorization: 'Bearer fake-token' })).toEqual({ tree });
    expect(heard).toEqual(['Bearer fake-token']);
  });

  it.each<[string, () => void]>([
    ['that knows no such repository', () => answering('', 404)],
    ['that sends us elsewhere', () => answering('', 302, { location: served.url('widgets.git/git-upload-pack') })],
    ['that answers in another type', () => answering('0000', 200, { 'content-type': 'text/html' })],
    ['that speaks no packets', () => answering('<html></html>')],
    ['of an older protocol', () => answering(packetLine('NAK\n'))],
    ['that refuses by a packet', () => answering(packetLine('ERR upload-pack: not our ref\n'))],
    [
      'that gives up on the way',
      () => answering(packetLine('packfile\n') + band(1, 'PACK') + band(3, 'out of memory')),
    ],
    ['whose answer breaks off', () => answering(`${packetLine('packfile\n')}00ff\u0001PACK`)],
    ['whose answer ends before it is whole', () => answering(packetLine('packfile\n') + band(1, 'PACK'))],
    [
      'that compresses what it says',
      () =>
        answering(gzipSync(`${packetLine('packfile\n')}${band(1, 'PACK')}0000`), 200, { 'content-encoding': 'gzip' }),
    ],
    ['with endless words', () => answering(packetLine('packfile\n') + band(2, 'x'.repeat(60_000)).repeat(20))],
    ['that has nothing to give', () => answering(`${packetLine('packfile\n')}0000`)],
    [
      'with another end of history',
      () => answering(packetLine('shallow-info\n') + packetLine(`shallow ${'1'.repeat(40)}`)),
    ],
    ['with more than is taken', () => answering(packetLine('packfile\n') + band(1, 'x'.repeat(60_000)).repeat(20))],
  ])('given a remote %s, then nothing is taken, nothing is left, and why is told', async (_name, misbehave) => {
    misbehave();
    expect(await download()).toBeNull();
    expect(troubles).toEqual([expect.any(NotPackets)]);
    expect(existsSync(packFile)).toBe(false);
  });

  it('given a commit the remote has not, then nothing is taken, and that is told', async () => {
    expect(await download({ commit: 'd'.repeat(40) })).toBeNull();
    expect(troubles).toHaveLength(1);
    expect(existsSync(packFile)).toBe(false);
  });

  it('given a caller that gave up, then nothing is taken, and nobody is told what that caller knows', async () => {
    expect(await download({ signal: AbortSignal.abort() })).toBeNull();
    expect(troubles).toEqual([]);
    expect(existsSync(packFile)).toBe(false);
  });

  it('given a proxy that git would go through, then the remote is not asked directly, and nothing is wrong', async () => {
    const proxied = new Git({ environment: { PATH, http_proxy: 'http://127.0.0.1:9' } });
    expect(await download({}, proxied)).toBeNull();
    expect(troubles).toEqual([]);
    expect(served.requests).toEqual([]);
  });

  it('given a long answer that only the end of the connection ends, then it is taken as any other', async () => {
    const body = `${packetLine('packfile\n')}${band(1, 'x'.repeat(65_000)).repeat(300)}0000`;
    served.intercept = (_request, { socket }: ServerResponse) => {
      socket?.end(
        `HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-result\r\nconnection: close\r\n\r\n${body}`,
      );
      return true;
    };
    expect(await download({ maxBytes: 100_000_000 })).toEqual({ tree: null });
    expect((await readFile(packFile)).length).toBe(65_000 * 300);
  });

  it('given a disk on which only the last packet has no room, then nothing is taken, and that is told', async () => {
    const MIB = 1024 ** 2;
    answering(`${packetLine('packfile\n')}${band(1, 'x'.repeat(60_000)).repeat(18)}0000`);
    const ended = await withShortFiles<{ came: unknown; troubles: string[] }>(MIB, {
      source: join(import.meta.dirname, 'download-commit.ts'),
      body: `
        const troubles = [];
        const came = await source.downloadCommit(
          { environment: {} },
          {
            ...given,
            authorization: null, maxBytes: 10_000_000, timeLimitMs: 60_000, signal: new AbortController().signal,
            onTrouble: ({ code }) => troubles.push(code),
          },
        );
        answer({ came, troubles });`,
      given: { remote: { url: served.url('widgets.git'), protocol: 'http' }, commit, packFile },
    });
    expect(ended).toEqual({ came: null, troubles: ['EFBIG'] });
    expect(existsSync(packFile)).toBe(false);
  });

  it('given a pack, then it is what the remote sent, byte for byte', async () => {
    answering(`${packetLine('packfile\n')}${band(1, 'PA')}${band(2, 'counting')}${band(1, 'CK')}0000`);
    expect(await download()).toEqual({ tree: null });
    expect(await readFile(packFile, 'latin1')).toBe('PACK');
  });
});
