import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RepositoryList } from '@delta-ci/contracts';
import { git } from '../../test/support/git-server/bare-repository.ts';
import { freshDatabase, freshNats, type FreshDatabase, type FreshNats } from '../../test/support/infra/index.ts';

const ROOT = dirname(dirname(import.meta.dirname));
const LIMIT_MS = 120_000;

let directory: string;
let database: FreshDatabase;
let nats: FreshNats;

beforeAll(async () => {
  [directory, database, nats] = await Promise.all([
    mkdtemp(join(tmpdir(), 'delta-start-')),
    freshDatabase(),
    freshNats(),
  ]);
});
afterAll(async () => {
  await Promise.all([database.drop(), nats.remove(), rm(directory, { recursive: true, force: true })]);
});

/** `npm start` on servers of the test session, with nobody in front of it. Jobs, of which there are none, would run as this user. */
function startedWith(env: Readonly<Record<string, string>>) {
  const args = ['--headless', '--no-demo', '--unsandboxed', '--port', '0', '--state-dir', join(directory, 'state')];
  const child = spawn(process.execPath, [join(ROOT, 'tools', 'start', 'main.ts'), ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', DATABASE_URL: database.adminUrl, NATS_URL: nats.url, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const heard = new EventTarget();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      heard.dispatchEvent(new Event('more'));
    });
  }
  const closed = once(child, 'close') as Promise<[code: number | null]>;
  /** The first match in all that it says, on however many lines. */
  const says = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = pattern.exec(said);
      if (found !== null) return found;
      const more = Promise.withResolvers<string>();
      heard.addEventListener('more', () => more.resolve('more'), { once: true });
      const what = await Promise.race([more.promise, closed.then(() => 'closed')]);
      if (what === 'closed' && !pattern.test(said)) throw new Error(`it ended without ${pattern.source}:\n${said}`);
    }
  };
  return { child, says, ended: async () => ({ code: (await closed)[0], said }) };
}

describe('npm start', () => {
  it(
    'given settings of an operator, when it is up, then it tells them and what to try, a push starts a run, and Ctrl-C ends it',
    async () => {
      const { child, says, ended } = startedWith({ DELTA_LOG_LEVEL: 'info', DELTA_WHATEVER_THIS_IS: '1' });
      try {
        const [, gateway = ''] = await says(/up at (http:\/\/127\.0\.0\.1:\d+)/);
        await says(/DELTA_LOG_LEVEL goes to\s+orchestrator/);
        await says(/DELTA_WHATEVER_THIS_IS is not passed on/);
        await says(/Up until Ctrl-C\./);
        const token = (await readFile(join(directory, 'state', 'gateway', 'admin-token'), 'utf8')).trim();
        const answer = await fetch(`${gateway}/api/v1/repositories`, { headers: { authorization: `Bearer ${token}` } });
        const { repositories } = RepositoryList.parse(await answer.json());
        expect(repositories.map(({ id }) => id)).toEqual(['github/demo/shop', 'github/demo/yours']);
        const mine = join(directory, 'mine');
        await git(directory, 'init', '--quiet', mine);
        await writeFile(join(mine, 'README.md'), '# mine\n');
        await git(mine, 'add', '.');
        await git(mine, 'commit', '--quiet', '--message=first');
        const [command] = await says(/git -C \S+ -c credential\.helper=.* push .*HEAD:refs\/heads\/main/);
        const pushed = spawn('sh', ['-c', command.replace('../your-repository', mine)], { stdio: 'ignore' });
        expect(await once(pushed, 'exit')).toEqual([0, null]);
        await says(/pushed to demo\/yours refs\/heads\/main at [0-9a-f]{12}: npx delta runs watch\s+run_[0-9a-f]{32}/);
      } finally {
        child.kill('SIGINT');
      }
      expect(await ended()).toMatchObject({ code: 0, said: expect.stringMatching(/stopping\n$/) });
    },
    LIMIT_MS,
  );

  it(
    'given a misspelt setting, then it ends with the name that was meant, and leaves nothing that keeps it',
    async () => {
      const { ended } = startedWith({ DELTA_EGRES_ALLOW: 'registry.example.org' });
      expect(await ended()).toMatchObject({
        code: 1,
        said: expect.stringContaining('no service knows DELTA_EGRES_ALLOW (did you mean DELTA_EGRESS_ALLOW?)'),
      });
    },
    LIMIT_MS,
  );
});
