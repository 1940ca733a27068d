import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Repository } from '@delta-ci/contracts';
import { DeveloperClone, type Commit } from '../../../../test/support/git-server/bare-repository.ts';
import { serveGit, type GitHttpServer } from '../../../../test/support/git-server/git-http-server.ts';
import { delta } from '../program.ts';
import { recorded } from '../recorded-surroundings.fixture.ts';

const RUN_ID = `run_${'1'.repeat(32)}`;
const BASE = 'b'.repeat(40);

let root: string;
let git: GitHttpServer;
let gateway: Server;
let commit: Commit;
let branch: Commit;
let served: Repository[];
let asked: unknown[];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'delta-start-run-'));
  git = await serveGit(root);
  const developer = await DeveloperClone.create(join(root, 'demo/shop.git'), `${git.url}/demo/shop.git`, root);
  commit = await developer.push('main', 'first', { a: '1' });
  branch = await developer.push('feature', 'second', { a: '2' });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    const creates = request.method === 'POST';
    if (creates) asked.push(JSON.parse(body));
    response
      .writeHead(creates ? 202 : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(creates ? { runId: RUN_ID } : { repositories: served }));
  };
  gateway = createServer((request, response) => void answer(request, response));
  await new Promise<void>((done) => gateway.listen(0, '127.0.0.1', done));
});
afterAll(async () => {
  gateway.closeAllConnections();
  gateway.close();
  await git.close();
  await rm(root, { recursive: true, force: true });
});

const repository = (name: string): Repository => ({
  id: `github/demo/${name}`,
  forge: 'github',
  fullName: `demo/${name}`,
  cloneUrl: `${git.url}/demo/${name}.git`,
  defaultBranch: 'main',
});
beforeEach(() => {
  asked = [];
  served = [repository('shop')];
});

async function started(...args: string[]): Promise<{ exitCode: number; out: string; err: string }> {
  const DELTA_GATEWAY_URL = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
  const environment = { PATH: process.env['PATH'] ?? '', DELTA_GATEWAY_URL, DELTA_TOKEN: 'not-a-secret-token' };
  const { surroundings, out, err } = recorded('/', environment);
  return { exitCode: await delta(['runs', 'start', ...args], surroundings), out: out(), err: err() };
}

describe('starting a run', () => {
  it('given one repository, when nothing is said, then what is on its default branch is evaluated', async () => {
    const { exitCode, out } = await started();
    expect({ exitCode, asked }).toEqual({
      exitCode: 0,
      asked: [{ repository: 'github/demo/shop', ref: 'refs/heads/main', head: commit.after, base: null, title: '' }],
    });
    expect(out).toContain(`delta runs watch ${RUN_ID}`);
  });

  it('given a branch, a base and a title, then the commit that the branch has now is compared with the base', async () => {
    await started('--ref', 'feature', '--base', BASE, '--title', 'once more');
    expect(asked).toMatchObject([{ ref: 'refs/heads/feature', head: branch.after, base: BASE, title: 'once more' }]);
  });

  it('given a commit, then nobody is asked where the ref is', async () => {
    served = [repository('nowhere')];
    await started('--head', BASE);
    expect(asked).toMatchObject([{ repository: 'github/demo/nowhere', head: BASE }]);
  });

  it.each<[string, string[], string[], RegExp]>([
    [
      'several repositories and none named',
      ['shop', 'mall'],
      [],
      /--repository: github\/demo\/shop, github\/demo\/mall/,
    ],
    ['one that is not served', ['shop'], ['--repository', 'github/demo/x'], /github\/demo\/x is not served there/],
    ['a branch that is not there', ['shop'], ['--ref', 'gone'], /has no refs\/heads\/gone/],
    ['what is no ref', ['shop'], ['--ref', 'a..b'], /a\.\.b/],
    ['half a commit', ['shop'], ['--head', 'abc'], /full commit id/],
    ['a repository that cannot be asked', ['nowhere'], [], /--head/],
    ['no repository at all', [], [], /serves no repository/],
  ])('given %s, then no run is asked for, and it is said why', async (_, names, args, why) => {
    served = names.map(repository);
    const { exitCode, err } = await started(...args);
    expect([exitCode > 0, asked]).toEqual([true, []]);
    expect(err).toMatch(why);
  });
});
