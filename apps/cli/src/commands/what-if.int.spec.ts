import { execFileSync } from 'node:child_process';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SHOP_REPOSITORY } from '../../../../tools/start/demo/shop-repository.ts';
import { expectGolden } from '../golden.fixture.ts';
import { delta } from '../program.ts';
import { recorded } from '../recorded-surroundings.fixture.ts';

type Files = Readonly<Record<string, string | null>>;

/** A bare repository: no working tree, nothing of ours, and the same ids every time. */
let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'delta-what-if-'));
  makeRepository('shop.git', HISTORY);
});
afterAll(async () => rm(directory, { recursive: true, force: true }));

interface Commit {
  readonly message: string;
  readonly files: Files;
}

function makeRepository(name: string, history: readonly Commit[]): void {
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', name], { cwd: directory });
  const cwd = join(directory, name);
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_GLOBAL: devNull, GIT_CONFIG_NOSYSTEM: '1' };
  execFileSync('git', ['fast-import', '--quiet'], { cwd, env, input: history.map(imported).join('') });
}

const HISTORY: readonly Commit[] = [
  { message: 'Only words', files: { 'README.md': 'A shop\n' } },
  { message: 'A shop', files: SHOP_REPOSITORY },
  { message: 'Money \u001b[31mis rounded', files: { 'packages/money/src/index.js': 'export const money = 1;\n' } },
  { message: 'A manifest that is broken', files: { 'packages/money/package.json': '{' } },
  {
    message: 'A manifest that is mended',
    files: { 'packages/money/package.json': SHOP_REPOSITORY['packages/money/package.json'] ?? '' },
  },
  { message: 'Words', files: { 'README.md': 'A shop for <script>\n' } },
];

function imported({ message, files }: Commit, at: number): string {
  const line = ([path, text]: [string, string | null]): string =>
    text === null ? `D ${path}\n` : `M 644 inline ${path}\ndata ${bytes(text)}\n${text}\n`;
  const head = `commit refs/heads/main\ncommitter Test <test@example.test> ${1_700_000_000 + at} +0000\n`;
  return `${head}data ${bytes(message)}\n${message}\n${Object.entries(files).map(line).join('')}`;
}

const bytes = (text: string): number => Buffer.byteLength(text);

async function called(...args: string[]): Promise<{ exitCode: number; out: string; err: string }> {
  const environment = { PATH: process.env['PATH'], DELTA_CACHE_HOME: join(directory, 'cache') };
  const { surroundings, out, err } = recorded(directory, environment, 100);
  return { exitCode: await delta(['what-if', ...args], surroundings), out: out(), err: err() };
}

/** Digests change whenever plans hold more than before. */
const withoutDigests = (text: string): string => text.replaceAll(/sha256:[0-9a-f]{64}/gu, 'sha256:…');

async function put(name: string, text: string): Promise<string> {
  await writeFile(join(directory, name), text);
  return name;
}

describe('what if a history had been planned', () => {
  it('then everybody can read what would have run, and what cannot be planned is told by name', async () => {
    const { exitCode, out } = await called('--repo', 'shop.git');
    expect(exitCode).toBe(0);
    expectGolden('what-if', withoutDigests(out));
  });

  it('given another policy, then both are told side by side', async () => {
    const policy = await put(
      'delta.yaml',
      'version: 1\njobs:\n  all:\n    paths: ["packages/**"]\n    steps: [make]\n',
    );
    const { exitCode, out } = await called('--repo', 'shop.git', '--last', '4', '--policy', policy);
    expect(exitCode).toBe(0);
    expectGolden('what-if-policy', withoutDigests(out));
  });

  it('given a page to write, then nothing of the repository is markup in it and nothing is asked of anybody', async () => {
    const rules = await put('rules.json', '{ "pool": "large" }');
    const { out } = await called('--repo', 'shop.git', '--html', 'page.html', '--policy', rules, '--json');
    expect(out).toContain('"differingCommits": 0');
    const page = await readFile(join(directory, 'page.html'), 'utf8');
    expect(page).not.toMatch(/<script|<link|<img|https?:|url\(/u);
    expect(page).not.toContain('\u001b');
    expect(page).toContain('<svg role="img"');
    expectGolden('what-if-page', withoutDigests(page));
    expect((await called('--repo', 'shop.git', '--html', 'page.html')).err).toContain('it exists already');
  });

  it('when it is asked twice, then the digests are the same, and so is the document but for how long it took', async () => {
    const [first, second] = [
      await called('--repo', 'shop.git', '--json'),
      await called('--repo', 'shop.git', '--json'),
    ];
    expect(second.out).toBe(first.out);
    expect(JSON.parse(first.out)).toMatchObject({
      last: 100,
      selection: { commits: 6, planned: 4, failed: 2, estimatedMsTotal: 12 * 60_000 },
      failures: [
        { code: 'nothing_to_run', commits: [expect.any(String)] },
        { code: 'manifest_unreadable', commits: [expect.any(String)] },
      ],
    });
  });

  it('given plans that were kept, then the answer is the same, and damaged ones are made again', async () => {
    const fresh = await called('--repo', 'shop.git', '--no-cache');
    expect(fresh.err).toBe('');
    expect(await called('--repo', 'shop.git', '--cache', 'kept')).toEqual(fresh);
    const again = await called('--repo', 'shop.git', '--cache', 'kept');
    expect(again.out).toBe(fresh.out);
    expect(again.err).toMatch(/^6 plans were kept in .*kept and not made again/u);
    for (const name of await readdir(join(directory, 'kept'))) await appendFile(join(directory, 'kept', name), '?');
    const damaged = await called('--repo', 'shop.git', '--cache', 'kept');
    expect(damaged.out).toBe(fresh.out);
    expect(damaged.err).toMatch(/^6 plans kept in .*kept could not be read and were made again\n$/u);
  });

  it('given plans that were kept and another policy, then both are told as without them', async () => {
    const rules = await put('other-rules.json', '{ "os": "darwin" }');
    const fresh = await called('--repo', 'shop.git', '--policy', rules, '--no-cache', '--json');
    const kept = ['--repo', 'shop.git', '--cache', 'both', '--json'];
    await called(...kept);
    for (const time of ['first', 'second']) {
      const { out } = await called(...kept, '--policy', rules);
      expect([time, out]).toEqual([time, fresh.out]);
    }
  });

  it('given a directory that cannot be had, then everything is planned, and why is said once', async () => {
    await put('no-directory', '');
    const { exitCode, err } = await called('--repo', 'shop.git', '--cache', 'no-directory');
    expect([exitCode, err.trim().split('\n')]).toEqual([0, [expect.stringContaining('plans are not kept in')]]);
  });

  it('given durations, then minutes are estimated from them', async () => {
    const file = await put('durations.json', '{ "test-packages-cart": 120000, "test-packages-money": 60000 }');
    const { out } = await called('--repo', 'shop.git', '--last', '1', '--durations', file);
    expect(out).toContain('about 5 min of 5 min, estimated from the durations of 2 jobs that were given');
  });

  it('given --why, then everything in every plan is asked about, and what a broken manifest leads to is no failure', async () => {
    const { exitCode, out } = await called('--repo', 'shop.git', '--why', '--json');
    const { answers, digest } = JSON.parse(out) as { answers: unknown; digest: unknown };
    expect(exitCode).toBe(0);
    expect(answers).toEqual({
      questions: 44,
      asked: { 'jobs that run': 8, 'jobs that do not': 4, units: 16, 'changed files': 16 },
      byFullName: 0,
      unanswered: 0,
      without: [],
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/u),
    });
    expect(digest).toBe((JSON.parse((await called('--repo', 'shop.git', '--json')).out) as { digest: unknown }).digest);
    const { out: text } = await called('--repo', 'shop.git', '--why');
    expect(text).toContain('asked why       about 8 jobs that run, 4 jobs that do not, 16 units, 16 changed files\n');
    expect(text).toMatch(/^answered        44 of 44\ndigest of answers sha256:/mu);
  });

  it('given --why and a plan that must not run, then that is a failure, and without --why an answer like any other', async () => {
    const steps = 'version: 1\njobs:\n  all:\n    steps: [make]\n';
    const services = '    services: { db: { image: "postgres:17", ports: [5432] } }\n';
    makeRepository('served.git', [
      { message: 'Jobs', files: { 'delta.yaml': steps } },
      { message: 'Services', files: { 'delta.yaml': `${steps}${services}` } },
    ]);
    const { exitCode, out } = await called('--repo', 'served.git', '--why', '--json');
    expect(JSON.parse(out)).toMatchObject({ failures: [{ code: 'plan_rejected' }], answers: { unanswered: 0 } });
    expect([exitCode, (await called('--repo', 'served.git')).exitCode]).toEqual([1, 0]);
  });

  it.each([
    [['--repo=-x'], 'looks_like_an_option'],
    [['--ref=--all'], 'looks_like_an_option'],
    [['--html=-'], 'looks_like_an_option'],
    [['--cache=-'], 'looks_like_an_option'],
    [['--repo', 'shop.git', '--ref', 'nowhere'], 'ref_not_found'],
    [['--repo', 'shop.git', '--ref', 'main..main'], 'invalid_ref'],
    [['--repo', 'nowhere'], 'invalid_directory'],
    [['--repo', 'shop.git', '--policy', 'nowhere.yaml'], 'file_not_found'],
    [['--last', '0'], 'invalid_usage'],
  ])('given %j, then it is refused as %s', async (args, code) => {
    const { exitCode, out } = await called(...args, '--json');
    expect(exitCode).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ error: { code } });
  });

  it.each([
    ['{ "pol": "large" }', /none of pool, os/u],
    ['{ "os": "beos" }', /"os" that cannot be/u],
    ['version: 1\njobs: 7\n', /policy:2:\d+ /u],
  ])('given the policy %j, then it is refused with its place', async (text, message) => {
    const { exitCode, err } = await called('--repo', 'shop.git', '--policy', await put('policy', text));
    expect(exitCode).toBe(2);
    expect(err).toMatch(message);
  });

  it('when it is interrupted, then it ends at once', async () => {
    const environment = { PATH: process.env['PATH'], DELTA_CACHE_HOME: join(directory, 'cache') };
    const { surroundings, interrupt } = recorded(directory, environment);
    interrupt();
    expect(await delta(['what-if', '--repo', 'shop.git'], surroundings)).toBe(130);
  });
});
