import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { LeaseOffer, PlannedJob } from '@delta-ci/contracts';
import { Git, LfsCache, PackCache } from '@delta-ci/git';
import { BubblewrapExecutor, COMMIT_TREE, runJob, type JobResult } from '@delta-ci/sandbox';
import { createLogger, createRedactor } from '@delta-ci/service';
import { git } from '../../../test/support/git-server/bare-repository.ts';
import { makeBareRepository, makeHistory, type MadeTree } from '../../../test/support/git-server/made-history.ts';
import { PrivateForge } from '../../../test/support/git-server/private-forge.ts';
import { bubblewrapPath } from '../../../test/support/infra/index.ts';
import { aPlannedJob } from '../../../test/support/made-up/planned-job.ts';
import { fetchSource, type FetchedSource, type SourceTerms } from './fetch-source.ts';

const TOKEN = 'fake-source-token-0123456789';
/** Finds the token without having it on a command line. */
const PATTERN = TOKEN.replace(/9$/u, '[9]');
const BASIC = Buffer.from(`x-access-token:${TOKEN}`).toString('base64');

let place: string;
let forge: PrivateForge;
let executor: BubblewrapExecutor;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'delta-source-'));
  executor = new BubblewrapExecutor({
    stateDir: join(place, 'sandboxes'),
    killGraceMs: 500,
    bwrap: await bubblewrapPath(),
    programDirs: (process.env['PATH'] ?? '').split(delimiter),
  });
});
afterAll(async () => rm(place, { recursive: true, force: true }));

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(place, 'forge-'));
  forge = await PrivateForge.over(root);
});
afterEach(async () => forge.end());

/** A repository of the forge with one commit. */
async function repository(name: string, tree: MadeTree): Promise<{ commit: string; tree: string }> {
  const gitDir = join(root, `${name}.git`);
  await mkdir(join(gitDir, '..'), { recursive: true });
  await makeBareRepository(gitDir);
  const [commit = ''] = await makeHistory(gitDir, [{ tree }]);
  return { commit, tree: await git(gitDir, 'rev-parse', `${commit}^{tree}`) };
}

const submodule = (path: string, url: string): string => `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n`;

type Lease = Pick<LeaseOffer, 'source' | 'job' | 'trust'>;

function leaseOf(
  name: string,
  tested: { commit: string; tree: string },
  job: Partial<PlannedJob> = {},
  over: { token?: string | null; trust?: 'untrusted' } = {},
): Lease {
  const { token = TOKEN, trust = 'trusted' } = over;
  return {
    source: { cloneUrl: `${forge.url}/${name}.git`, ref: 'refs/heads/made/1', ...tested, token },
    job: aPlannedJob('unit', job),
    trust,
  };
}

interface Carried {
  fetched: FetchedSource;
  result: JobResult;
  log: string;
  gitDir: string;
  /** What the runner itself logged, a line each. */
  said: string[];
}

const RUNNER = new Git({ environment: { PATH: process.env['PATH'] } });

async function carryOut(lease: Lease, scripts: readonly string[], over: Partial<SourceTerms> = {}): Promise<Carried> {
  const directory = await mkdtemp(join(place, 'job-'));
  const [gitDir, workspaceDir] = [join(directory, 'source.git'), join(directory, 'workspace')];
  await Promise.all([mkdir(gitDir), mkdir(workspaceDir)]);
  const { signal } = new AbortController();
  const sources: SourceTerms = { protocols: ['http'], hosts: [], lfsCache: null, packCache: null, ...over };
  const said: string[] = [];
  const sink = { write: (line: string) => void said.push(line) };
  const redactor = createRedactor();
  const logger = createLogger({ service: 'runner', instance: 'spec', level: 'info', pretty: false, redactor, sink });
  const fetched = await fetchSource({ git: RUNNER, sources, logger }, lease, gitDir, signal);
  let log = '';
  const job = { ...lease.job, steps: scripts.map((run, at) => ({ name: `step ${at}`, run, workdir: '.' })) };
  const { commit, tree } = lease.source;
  const result = await runJob(
    executor,
    {
      job,
      trust: lease.trust,
      source: { gitDir, commit, tree },
      sourceReady: Promise.resolve(fetched.ok ? null : fetched.error),
      workspaceDir,
      network: 'none',
      toolchainDirs: [],
      env: {},
      secrets: {},
      signal,
    },
    {
      output: async (chunk) => {
        log += Buffer.from(chunk).toString();
        return Promise.resolve();
      },
      step: () => undefined,
      artifact: async () => Promise.resolve(),
      outputBytes: () => Buffer.byteLength(log),
    },
  );
  return { fetched, result, log, gitDir, said };
}

async function allFilesOf(directory: string): Promise<string> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = found.filter((each) => each.isFile());
  const texts = await Promise.all(
    files.map(async ({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')),
  );
  return texts.join('\n');
}

const BASIC_PATTERN = BASIC.replace(/.$/u, (last) => `[${last}]`);

/** Everywhere a job can look. The patterns match the credential and not themselves. */
const LOOK_EVERYWHERE = [
  'absent() { if "$@"; then echo "found by $*"; exit 9; fi; }',
  'env > "$HOME/environment"; git config --list --show-origin > "$HOME/settings"',
  `absent grep -rlsE -e '${PATTERN}|${BASIC_PATTERN}' . /source.git "$HOME" /tmp /etc`,
  `absent grep -lsE -e '${PATTERN}|${BASIC_PATTERN}' /proc/[0-9]*/environ /proc/[0-9]*/cmdline`,
].join('\n');

describe('a private source', () => {
  it.each([
    ['in one request', {}],
    ['by git', { source: { submodules: 'direct' } }],
  ] as const)(
    'given the token, when fetched %s, then the job has the files and finds the token nowhere',
    async (_how, job) => {
      const tested = await repository('demo/shop', { 'shop.txt': 'open\n' });
      forge.makePrivate('demo/shop', TOKEN);
      const { result, log, gitDir } = await carryOut(leaseOf('demo/shop', tested, job), [
        'cat shop.txt',
        LOOK_EVERYWHERE,
      ]);
      expect(result).toMatchObject({ outcome: 'succeeded', infrastructureError: null });
      expect(log).toContain('open\n');
      expect(log).not.toContain(TOKEN);
      expect(forge.heard.at(-1)?.authorization).toBe(`Basic ${BASIC}`);
      expect(await allFilesOf(gitDir)).not.toMatch(new RegExp(`${TOKEN}|${BASIC}`, 'u'));
    },
  );

  it('given a credential that lies somewhere, then the look everywhere finds it', async () => {
    const tested = await repository('demo/shop', { 'shop.txt': `${BASIC}\n` });
    const { result } = await carryOut(leaseOf('demo/shop', tested), [LOOK_EVERYWHERE]);
    expect(result).toMatchObject({ outcome: 'failed', exitCode: 9 });
    const [half, rest] = [TOKEN.slice(0, 9), TOKEN.slice(9)];
    const said = await carryOut(leaseOf('demo/shop', tested), [
      `git config http.extraHeader '${half}''${rest}'; rm shop.txt\n${LOOK_EVERYWHERE}`,
    ]);
    expect(said.result).toMatchObject({ outcome: 'failed', exitCode: 9 });
  });

  it('given one request, then what the commit says of its tree is known, and a plan of another one runs nothing', async () => {
    const tested = await repository('demo/shop', { 'shop.txt': 'open\n' });
    const planned = { ...tested, tree: 'e'.repeat(40) };
    const { gitDir, result, log } = await carryOut(leaseOf('demo/shop', planned), ['echo never']);
    expect(await readFile(join(gitDir, COMMIT_TREE), 'utf8')).toBe(`${tested.tree}\n`);
    expect(result).toMatchObject({ outcome: 'failed', steps: [], infrastructureError: { code: 'tree_mismatch' } });
    expect(log).not.toContain('never\n');
  });

  it('given a commit that another job of this host had, then the remote is not asked again, and neither job can change what is kept', async () => {
    const tested = await repository('demo/shop', { 'shop.txt': 'open\n' });
    const packCache = new PackCache(join(root, 'packs'), 1_000_000);
    const change = 'for file in /source.git/*.pack; do if echo more >> "$file"; then exit 9; fi; done';
    for (const job of ['first', 'second']) {
      const { result, log, gitDir } = await carryOut(
        leaseOf('demo/shop', tested),
        [`echo ${job}; cat shop.txt`, change],
        {
          packCache,
        },
      );
      expect(result).toMatchObject({ outcome: 'succeeded', infrastructureError: null });
      expect(log).toContain(`${job}\nopen\n`);
      expect(await readFile(join(gitDir, COMMIT_TREE), 'utf8')).toBe(`${tested.tree}\n`);
    }
    expect(forge.heard.filter(({ line }) => line.startsWith('POST '))).toHaveLength(1);
  });

  it('given a wrong token, then the job is refused, and neither token is in the words', async () => {
    const tested = await repository('demo/shop', { 'shop.txt': 'open\n' });
    forge.makePrivate('demo/shop', TOKEN);
    const lease = leaseOf('demo/shop', tested, {}, { token: 'fake-token-of-another' });
    const { result, said } = await carryOut(lease, ['echo never']);
    expect(result).toMatchObject({ outcome: 'failed', steps: [], infrastructureError: { code: 'source_unavailable' } });
    expect(JSON.stringify(result)).not.toMatch(/fake-(?:source-)?token/u);
    expect(said.join('')).toContain('the remote answered with 401');
    expect(said.join('')).not.toMatch(/fake-(?:source-)?token/u);
  });

  it('given a remote that takes nobody but git, then git fetches, and the runner says once why that was', async () => {
    const tested = await repository('demo/shop', { 'shop.txt': 'open\n' });
    const direct = await carryOut(leaseOf('demo/shop', tested), ['cat shop.txt']);
    expect(direct.said).toEqual([]);
    forge.misbehave = ({ headers }, response) => {
      if (headers['user-agent'] !== 'git/delta-ci') return false;
      response.writeHead(403).end();
      return true;
    };
    const { result, log, said } = await carryOut(leaseOf('demo/shop', tested), ['cat shop.txt']);
    expect(result).toMatchObject({ outcome: 'succeeded', infrastructureError: null });
    expect(log).toContain('open\n');
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/"event":"source-not-downloaded".*the remote answered with 403/u);
  });
});

describe('submodules', () => {
  it('given none wanted, then their places stay empty and nobody asks for them', async () => {
    const lib = await repository('demo/lib', { 'lib.txt': 'lib\n' });
    const tree = { '.gitmodules': submodule('lib', '../lib.git'), lib: { submodule: lib.commit } };
    const { result } = await carryOut(leaseOf('demo/shop', await repository('demo/shop', tree)), [
      'test ! -e lib/lib.txt',
    ]);
    expect(result.outcome).toBe('succeeded');
    expect(forge.heard.some(({ line }) => line.includes('lib.git'))).toBe(false);
  });

  it('given some wanted, then each lies there at its commit, as a repository of its own, and theirs only if asked for', async () => {
    const inner = await repository('demo/inner', { 'inner.txt': 'inner\n' });
    const lib = await repository('demo/lib', {
      'lib.txt': 'lib\n',
      '.gitmodules': submodule('deep/er', '../inner.git'),
      'deep/er': { submodule: inner.commit },
    });
    const shop = await repository('demo/shop', {
      '.gitmodules': submodule('third party/lib', './../lib.git'),
      'third party/lib': { submodule: lib.commit },
    });
    const script = [
      `test "$(git -C 'third party/lib' rev-parse HEAD)" = ${lib.commit}`,
      'test -z "$(git status --porcelain)"',
      "cat 'third party/lib/lib.txt'; cat 'third party/lib/deep/er/inner.txt' || true",
    ].join('\n');
    const direct = await carryOut(leaseOf('demo/shop', shop, { source: { submodules: 'direct' } }), [script]);
    expect(direct.result).toMatchObject({ outcome: 'succeeded' });
    expect(direct.log).toContain('lib\n');
    expect(direct.log).not.toContain('inner\n');
    const all = await carryOut(leaseOf('demo/shop', shop, { source: { submodules: 'recursive' } }), [script]);
    expect(all.result).toMatchObject({ outcome: 'succeeded' });
    expect(all.log).toContain('inner\n');
  });

  it('given private ones, then the token opens those of the same owner, for trusted changes alone', async () => {
    const lib = await repository('demo/lib', { 'lib.txt': 'lib\n' });
    const other = await repository('other/lib', { 'lib.txt': 'other\n' });
    for (const name of ['demo/', 'other/']) forge.makePrivate(name, TOKEN);
    const own = await repository('demo/shop', {
      '.gitmodules': submodule('lib', '../lib.git'),
      lib: { submodule: lib.commit },
    });
    const foreign = await repository('demo/mall', {
      '.gitmodules': submodule('lib', '../../other/lib.git'),
      lib: { submodule: other.commit },
    });
    const source = { submodules: 'direct' as const };
    const trusted = await carryOut(leaseOf('demo/shop', own, { source }), ['cat lib/lib.txt', LOOK_EVERYWHERE]);
    expect(trusted.result).toMatchObject({ outcome: 'succeeded' });
    const refused = {
      ok: false,
      error: {
        code: 'source_unavailable',
        message: expect.stringMatching(/^submodule lib: http.*no credential of this job/u),
      },
    };
    const stranger = await carryOut(leaseOf('demo/shop', own, { source }, { trust: 'untrusted' }), ['echo never']);
    expect(stranger.fetched).toEqual(refused);
    expect((await carryOut(leaseOf('demo/mall', foreign, { source }), ['echo never'])).fetched).toEqual(refused);
    const shown = forge.heard.filter(({ line }) => line.includes('/other/'));
    expect(shown.map(({ authorization }) => authorization)).toEqual(shown.map(() => null));
  });

  it('given another tree than planned, then nothing that it names is asked for', async () => {
    const lib = await repository('demo/lib', { 'lib.txt': 'lib\n' });
    const tree = { '.gitmodules': submodule('lib', '../lib.git'), lib: { submodule: lib.commit } };
    const tested = { ...(await repository('demo/shop', tree)), tree: 'e'.repeat(40) };
    const { fetched } = await carryOut(leaseOf('demo/shop', tested, { source: { submodules: 'direct' } }), [
      'echo never',
    ]);
    expect(fetched).toMatchObject({ ok: false, error: { code: 'tree_mismatch' } });
    expect(forge.heard.some(({ line }) => line.includes('lib.git'))).toBe(false);
  });
});

describe('files of Git LFS', () => {
  const ATTRIBUTES = '*.bin filter=lfs diff=lfs merge=lfs -text\n';
  const CONTENT = Buffer.from('\0binary content\n'.repeat(1_000));

  it('given some wanted, then they lie in place of their pointers, in submodules too, and git calls nothing changed', async () => {
    const pointer = forge.keep(CONTENT);
    const lib = await repository('demo/lib', {
      '.gitattributes': ATTRIBUTES,
      'deep/lib.bin': forge.keep(Buffer.from('lib')),
    });
    const shop = await repository('demo/shop', {
      '.gitattributes': ATTRIBUTES,
      'a folder/shop.bin': { program: pointer },
      'plain.bin': 'no pointer\n',
      'pointer.txt': pointer,
      '.gitmodules': submodule('lib', '../lib.git'),
      lib: { submodule: lib.commit },
    });
    forge.makePrivate('demo/', TOKEN);
    const source = { submodules: 'direct' as const, lfs: true as const };
    const { result, log } = await carryOut(leaseOf('demo/shop', shop, { source }), [
      `test "$(wc -c < 'a folder/shop.bin')" = ${CONTENT.length} && test -x 'a folder/shop.bin'`,
      'test "$(cat lib/deep/lib.bin)" = lib && cat plain.bin && grep -q version pointer.txt',
      'test -z "$(git status --porcelain)"',
      LOOK_EVERYWHERE,
    ]);
    expect(log).toContain('no pointer\n');
    expect(result).toMatchObject({ outcome: 'succeeded', infrastructureError: null });
    const stored = forge.heard.filter(({ line }) => line.startsWith('GET /storage/'));
    expect(stored).toHaveLength(2);
  });

  it('given a cache, then an object is transferred once, the server is asked each time, and a damaged one is fetched anew', async () => {
    const shop = await repository('demo/shop', { '.gitattributes': ATTRIBUTES, 'shop.bin': forge.keep(CONTENT) });
    const lease = leaseOf('demo/shop', shop, { source: { lfs: true } });
    const dir = join(root, 'cache');
    const lfsCache = new LfsCache(dir, 1_000_000);
    const script = [`test "$(wc -c < shop.bin)" = ${CONTENT.length}`];
    const storage = (): number => forge.heard.filter(({ line }) => line.startsWith('GET /storage/')).length;
    for (const expected of [1, 1]) {
      expect((await carryOut(lease, script, { lfsCache })).result.outcome).toBe('succeeded');
      expect(storage()).toBe(expected);
    }
    const [name = ''] = await readdir(dir);
    await writeFile(join(dir, name), Buffer.alloc(CONTENT.length));
    expect((await carryOut(lease, script, { lfsCache })).result.outcome).toBe('succeeded');
    expect(storage()).toBe(2);
    forge.objects.clear();
    const { fetched } = await carryOut(lease, script, { lfsCache });
    expect(fetched).toMatchObject({ error: { message: expect.stringContaining('no such object') } });
    await new LfsCache(dir, 10).sweep(Date.now());
    expect(await readdir(dir)).toEqual([]);
  });
});
