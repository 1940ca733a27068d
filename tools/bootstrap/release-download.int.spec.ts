import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cachedProgram } from './cached-program.mjs';
import { unpackRelease } from './release-download.mjs';

describe('a release', () => {
  let dir: string;
  let archive: Buffer;
  let sha256: string;
  let server: Server;
  let address: string;
  let asked = 0;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'delta-release-'));
    await mkdir(join(dir, 'tool-v1'));
    await writeFile(join(dir, 'tool-v1', 'tool'), '#!/bin/sh\necho one\n', { mode: 0o755 });
    execFileSync('tar', ['-czf', join(dir, 'tool.tar.gz'), '-C', dir, 'tool-v1']);
    archive = await readFile(join(dir, 'tool.tar.gz'));
    sha256 = createHash('sha256').update(archive).digest('hex');
    server = createServer((request, response) => {
      asked += 1;
      if (request.url === '/moved') response.writeHead(302, { location: '/tool' }).end();
      else if (request.url === '/tool') response.end(archive);
      else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bound = server.address();
    address = `http://127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`;
  });
  afterAll(async () => {
    server.close();
    await rm(dir, { recursive: true });
  });

  async function emptyDir(): Promise<string> {
    return mkdtemp(join(dir, 'into-'));
  }

  it('is unpacked when its digest is the pinned one, also after a redirect', async () => {
    const into = await emptyDir();
    expect(await unpackRelease({ url: `${address}/moved`, sha256, into })).toEqual({ unpacked: true });
    expect(await readdir(into)).toEqual(['tool']);
  });

  it('is not unpacked when its digest is another', async () => {
    const into = await emptyDir();
    const result = await unpackRelease({ url: `${address}/tool`, sha256: '0'.repeat(64), into });
    expect(result).toEqual({ unpacked: false, reason: expect.stringContaining(`sha256 ${sha256}`) });
    expect(await readdir(into)).toEqual([]);
  });

  it.each([
    ['is not there', () => `${address}/nothing`, /answered 404/],
    ['cannot be reached', () => 'http://127.0.0.1:9/tool', /127\.0\.0\.1:9 cannot be reached/],
  ])('that %s is a reason, not an error', async (_case, url, reason) => {
    const result = await unpackRelease({ url: url(), sha256, into: await emptyDir() });
    expect(result).toEqual({ unpacked: false, reason: expect.stringMatching(reason) });
  });

  it('is fetched once for all who ask at the same time, and never again', async () => {
    const cacheDir = await emptyDir();
    const source = {
      name: 'release 1',
      file: 'tool',
      unpack: (into: string) => unpackRelease({ url: `${address}/tool`, sha256, into }),
    };
    const unreachable = {
      name: 'elsewhere',
      file: 'tool',
      unpack: () => Promise.resolve({ unpacked: false as const, reason: 'closed' }),
    };
    const ask = () => cachedProgram({ cacheDir, name: 'tool', sources: [unreachable, source], say: () => {} });
    const before = asked;
    const found = await Promise.all([ask(), ask(), ask()]);
    expect(asked).toBe(before + 1);
    expect(new Set(found.map(({ path }) => path)).size).toBe(1);
    expect(await ask()).toMatchObject({ from: 'cache (release 1)' });
    expect(await readdir(cacheDir)).toHaveLength(1);
  });

  it('that nobody can give is told with every reason', async () => {
    const sources = ['a', 'b'].map((name) => ({
      name,
      file: 'tool',
      unpack: () => Promise.resolve({ unpacked: false as const, reason: `${name} is closed` }),
    }));
    const found = await cachedProgram({ cacheDir: await emptyDir(), name: 'tool', sources, say: () => {} });
    expect(found).toEqual({ path: null, reasons: ['a: a is closed', 'b: b is closed'] });
  });
});
