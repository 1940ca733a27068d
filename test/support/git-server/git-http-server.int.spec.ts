import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeveloperClone, git } from './bare-repository.ts';
import { parseCgiHeaders } from './cgi-headers.ts';
import { serveGit, type GitHttpServer } from './git-http-server.ts';

let root: string;
let server: GitHttpServer;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'delta-forge-'));
  server = await serveGit(root);
});
afterAll(async () => {
  await server.close();
  await rm(root, { recursive: true, force: true });
});

describe('repositories over HTTP', () => {
  it('given a push, when somebody else clones, then the commit is there', async () => {
    const url = `${server.url}/demo/shop.git`;
    const developer = await DeveloperClone.create(join(root, 'demo', 'shop.git'), url);
    const first = await developer.push('main', 'first', { 'a.txt': 'one', 'dir/b.txt': 'two' });
    const second = await developer.push('main', 'second', { 'a.txt': 'changed', 'dir/b.txt': null });
    expect(first.before).toMatch(/^0+$/);
    expect(second.before).toBe(first.after);
    await git(root, 'clone', '--quiet', url, 'copy');
    expect(await readFile(join(root, 'copy', 'a.txt'), 'utf8')).toBe('changed');
    expect(await git(join(root, 'copy'), 'ls-files')).toBe('a.txt');
    expect(server.requests.some((request) => request.includes('git-receive-pack'))).toBe(true);
    await developer.remove();
  });

  it('given no such repository, when cloned, then git says so', async () => {
    await expect(git(root, 'clone', '--quiet', `${server.url}/demo/nothing.git`, 'x')).rejects.toThrow(
      /not found|404/i,
    );
  });

  it('given half a head, when parsed, then more is awaited', () => {
    expect(parseCgiHeaders(Buffer.from('Status: 404 Not Found\r\n'))).toBeNull();
    expect(parseCgiHeaders(Buffer.from('Status: 404 Not Found\r\nX-A: b\r\n\r\nbody'))).toEqual({
      status: 404,
      headers: { 'X-A': 'b' },
      rest: Buffer.from('body'),
    });
  });
});
