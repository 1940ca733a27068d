import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Plan } from '@delta-ci/contracts';
import { makeProcessDirectory } from '@delta-ci/git';
import { whereAnEngineAnswers } from '../../../test/support/infra/container-engine.ts';
import { bubblewrapPath } from '../../../test/support/infra/index.ts';
import { BREAKING_CHANGE, SHOP_REPOSITORY, SOUND_CHANGE } from '../../../tools/start/demo/shop-repository.ts';
import { expectGolden } from './golden.fixture.ts';
import { delta } from './program.ts';
import { recorded } from './recorded-surroundings.fixture.ts';

type Files = Readonly<Record<string, unknown>>;
type Line = Readonly<Record<string, unknown>> & { readonly type: string };

let directory = '';
let environment: Record<string, string | undefined> = {};
const repository = (): string => join(directory, 'shop');

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'delta-cli-'));
  environment = { PATH: process.env['PATH'], DELTA_CACHE_HOME: join(directory, 'cache'), HOME: directory };
});
afterEach(async () => rm(directory, { recursive: true, force: true }));

const exec = promisify(execFile);

async function git(...args: string[]): Promise<string> {
  const who = ['-c', 'user.name=Test', '-c', 'user.email=test@example.test'];
  return (await exec('git', [...who, ...args], { cwd: repository() })).stdout;
}

async function put(files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(repository(), path)), { recursive: true });
    await writeFile(join(repository(), path), String(text));
  }
}

async function commit(files: Files): Promise<void> {
  await put(files);
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'A change');
}

async function begin(files: Files): Promise<void> {
  await mkdir(repository());
  await git('init', '--quiet', '--initial-branch=main');
  await commit(files);
}

async function called(...args: string[]): Promise<{ exitCode: number; out: string; err: string }> {
  const { surroundings, out, err } = recorded(repository(), environment);
  return { exitCode: await delta(args, surroundings), out: out(), err: err() };
}

const linesOf = (out: string): Line[] =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

async function inTheSandbox(): Promise<void> {
  environment['DELTA_BWRAP'] = await bubblewrapPath();
}

describe('a workspace with a sound change that is not committed', () => {
  beforeEach(async () => {
    await begin(SHOP_REPOSITORY);
    await put(SOUND_CHANGE.files);
  });

  it('when it is run, then what the change reaches succeeds in the sandbox and nothing is left', async () => {
    await inTheSandbox();
    const { exitCode, out } = await called('run', '--json');
    const lines = linesOf(out);
    expect(exitCode).toBe(0);
    expect(lines.at(-1)).toMatchObject({
      type: 'finished',
      outcome: 'succeeded',
      jobs: [
        { job: 'test-packages-cart', outcome: 'succeeded', exitCode: 0, failure: null },
        { job: 'test-packages-money', outcome: 'succeeded', exitCode: 0, failure: null },
      ],
      skipped: [{ job: 'test-packages-greeting' }],
    });
    expect(lines.some(({ type, text }) => type === 'output' && String(text).includes('subtracts cents'))).toBe(true);
    expect(await readdir(join(directory, 'cache', 'local', 'runs'))).toEqual([]);
    expect((await git('status', '--porcelain')).split('\n').filter(Boolean)).toHaveLength(2);
  });

  it('given what a killed run left, when it is run, then that is gone as well', async () => {
    await inTheSandbox();
    const runs = join(directory, 'cache', 'local', 'runs');
    const dead = spawn('/bin/sh', ['-c', ':']);
    await once(dead, 'exit');
    await mkdir(runs, { recursive: true });
    const left = basename(await makeProcessDirectory(runs, 'run')).replace(`-${process.pid}-`, `-${dead.pid}-`);
    await rm(runs, { recursive: true });
    await mkdir(join(runs, left, 'job-1', 'workspace'), { recursive: true });
    expect((await called('run')).exitCode).toBe(0);
    expect(await readdir(runs)).toEqual([]);
  });

  it('given programs that it brings along on PATH, when it is planned, then none of them is started', async () => {
    const began = join(directory, 'began');
    await put({ 'bin/git': `#!/bin/sh\ntouch ${began}\nPATH=/usr/bin:/bin exec git "$@"\n` });
    await chmod(join(repository(), 'bin/git'), 0o755);
    environment['PATH'] = [join(repository(), 'bin'), 'bin', process.env['PATH']].join(':');
    expect((await called('plan')).exitCode).toBe(0);
    await expect(access(began)).rejects.toThrow('ENOENT');
  });

  it('when it is planned, then the plan is of the shape that travels, and the same each time', async () => {
    const first = await called('plan', '--json');
    const second = await called('plan', '--json');
    expect(first.exitCode).toBe(0);
    expect(second.out).toBe(first.out);
    const { plan } = JSON.parse(first.out) as { plan: unknown };
    expect(Plan.parse(plan).jobs.map(({ key }) => key)).toEqual(['test-packages-cart', 'test-packages-money']);
  });

  it('when somebody asks why, then the chain is told', async () => {
    const why = await called('why', 'test-packages-cart');
    expect(why.out).toMatch(/^test-packages-cart \(job\): runs\n/u);
    expect(why.out).toContain('packages/cart -> packages/money (production)');
    const whyNot = await called('why-not', 'packages/greeting');
    expect(whyNot.out).toMatch(/^packages\/greeting \(unit\): not affected\n/u);
  });

  it('when a name is mistyped, then the nearest is offered', async () => {
    const { exitCode, err } = await called('why', 'test-packges-cart');
    expect(exitCode).toBe(2);
    expectGolden('error-unknown-subject', err);
  });

  it('when a skipped job is asked for, then it says why and how to run it', async () => {
    const { exitCode, err } = await called('run', '--job', 'test-packages-greeting');
    expect(exitCode).toBe(2);
    expect(err).toContain('next: to run it all the same: delta run --all --job test-packages-greeting');
  });

  it('when no sandbox can be opened, then nothing runs in its place', async () => {
    environment['DELTA_BWRAP'] = join(directory, 'no-such-program');
    environment['DELTA_CONTAINER_ENGINE'] = join(directory, 'no-such-socket');
    const { exitCode, err } = await called('run');
    expect(exitCode).toBe(3);
    expect(err).toContain(`tier container: no container engine answers at ${directory}/no-such-socket`);
    expect(err).toContain('next: see `delta doctor`');
  });

  it('when it was interrupted, then it ends with 130', async () => {
    const { surroundings, interrupt } = recorded(repository(), environment);
    interrupt();
    expect(await delta(['run'], surroundings)).toBe(130);
  });
});

await whereAnEngineAnswers('a workspace on a host without bubblewrap', (socket) => {
  it('when it is run, then its jobs succeed in containers, which is said, and nothing is left', async () => {
    environment['DELTA_BWRAP'] = join(directory, 'no-such-program');
    environment['DELTA_CONTAINER_ENGINE'] = socket;
    await begin(SHOP_REPOSITORY);
    await put(SOUND_CHANGE.files);
    const { exitCode, out, err } = await called('run');
    expect(err).toMatch(/^No bubblewrap here \(.*\): each step runs in a container of Docker\.\n$/);
    expect(out).toContain('succeeded: 2 of 2 jobs succeeded');
    expect(exitCode).toBe(0);
    expect(await readdir(join(directory, 'cache', 'local', 'sandboxes'))).toEqual([]);
  });

  it('given a plan that names hosts, when it is run, then its jobs are refused by name, unless they may have all of the network', async () => {
    environment['DELTA_BWRAP'] = join(directory, 'no-such-program');
    environment['DELTA_CONTAINER_ENGINE'] = socket;
    const config = { version: 1, egress: { allow: ['registry.example.test'] }, jobs: { unit: { steps: ['true'] } } };
    await begin({ 'delta.yaml': JSON.stringify(config) });
    const { exitCode, out, err } = await called('run');
    expect([exitCode, err]).toEqual([3, expect.stringMatching(/so these are refused \(--network host .*\): unit\n/u)]);
    expect(out).toContain('tier container cannot enforce a list of hosts that a job may reach');
    expect((await called('run', '--network', 'host')).exitCode).toBe(0);
  });
});

describe('a workspace with a change that breaks a test of another package', () => {
  it('when it is run, then the failed job is explained and the exit code is 1', async () => {
    await inTheSandbox();
    await begin(SHOP_REPOSITORY);
    await commit(SOUND_CHANGE.files);
    await commit(BREAKING_CHANGE.files);
    const { exitCode, out } = await called('run', '--json', '--keep-going');
    expect(exitCode).toBe(1);
    const { jobs } = linesOf(out).at(-1) as Line & { jobs: readonly Record<string, unknown>[] };
    const [cart, money] = jobs;
    expect(cart).toMatchObject({ job: 'test-packages-cart', outcome: 'failed', notJudged: null });
    expect(cart?.['failure']).toMatchObject({ class: 'user', location: { path: 'packages/cart/test/cart.test.js' } });
    expect(money).toMatchObject({ job: 'test-packages-money', outcome: 'succeeded' });
  });
});

describe('jobs that need what a machine does not give by itself', () => {
  const JOBS = {
    publish: {
      secrets: ['NPM_TOKEN'],
      steps: ['echo "it is $NPM_TOKEN"', 'printf %s "$NPM_TOKEN" | base64', 'test -n "$NPM_TOKEN"'],
    },
    gpu: { runs_on: ['gpu'], steps: ['true'] },
    other: { steps: ['test -z "$NPM_TOKEN" && echo "it is other: $CI $DELTA_RUN_ID $DELTA_JOB $DELTA_ATTEMPT"'] },
  };
  const said = (out: string, job: string): string[] =>
    linesOf(out).flatMap((line) => (line.type === 'output' && line['job'] === job ? [String(line['text'])] : []));

  beforeEach(async () => {
    await inTheSandbox();
    await begin({ 'delta.yaml': JSON.stringify({ version: 1, jobs: JOBS }), '.gitignore': 'ignored.env\n' });
    environment['NPM_TOKEN'] = 'swordfish-42';
  });

  it('given nothing, then they are not run, the others are, and it ends with 3', async () => {
    const { exitCode, out } = await called('run', '--json');
    expect(exitCode).toBe(3);
    expect(linesOf(out).at(-1)).toMatchObject({
      outcome: 'not judged',
      jobs: [
        {
          job: 'publish',
          notJudged: { code: 'secret_unavailable', message: expect.stringContaining('--secret NPM_TOKEN') },
        },
        { job: 'gpu', notJudged: { code: 'layer_missing', message: expect.stringContaining('--has gpu') } },
        { job: 'other', outcome: 'succeeded' },
      ],
    });
    expect(said(out, 'publish')).toEqual([]);
    expect(said(out, 'other')).toContainEqual(expect.stringMatching(/^it is other: true run_[0-9a-f]{32} other 1$/));
  });

  it('given what they need, then they have it and no other job has, and nothing of a secret is shown', async () => {
    const { exitCode, out } = await called('run', '--json', '--secret', 'NPM_TOKEN', '--has', 'gpu');
    expect(exitCode).toBe(0);
    expect(said(out, 'publish')).toContain('it is ***');
    expect(said(out, 'other')).toContainEqual(expect.stringMatching(/^it is other: /));
    expect(out).not.toContain('swordfish-42');
    expect(out).not.toContain(Buffer.from('swordfish-42').toString('base64'));
  });

  it('given a file, then it counts unless every job would find it in its workspace', async () => {
    await put({ 'ignored.env': 'NPM_TOKEN=swordfish-42' });
    for (const name of ['tested.env', '..tested.env']) {
      await put({ [name]: 'NPM_TOKEN=swordfish-42' });
      const tested = await called('run', '--secrets-file', name);
      expect([tested.exitCode, tested.err]).toEqual([2, expect.stringContaining('part of what is tested')]);
      await rm(join(repository(), name));
    }
    expect((await called('run', '--secrets-file', 'ignored.env', '--has', 'gpu')).exitCode).toBe(0);
  });

  it('given a name that the environment has not, then it says how to hand it in', async () => {
    const { exitCode, err } = await called('run', '--secret', 'NO_SUCH');
    expect([exitCode, err]).toEqual([2, expect.stringContaining('next: export NO_SUCH')]);
  });
});

describe('a Go repository', () => {
  const GO_MODULE = {
    'go.mod': 'module example.test/sum\n\ngo 1.21\n',
    'sum.go': 'package sum\n\nfunc Sum(a, b int) int { return a + b }\n',
    'sum_test.go':
      'package sum\n\nimport "testing"\n\nfunc TestSum(t *testing.T) {\n\tif Sum(1, 2) != 3 {\n\t\tt.Fatal("sum")\n\t}\n}\n',
  };

  it('when it is planned, then its tests are found', async () => {
    await begin(GO_MODULE);
    const { exitCode, out } = await called('plan', '--json');
    expect(exitCode).toBe(0);
    const { plan } = JSON.parse(out) as { plan: Plan };
    expect(plan.jobs.flatMap(({ steps }) => steps.map(({ run }) => run)).join('\n')).toContain('go test');
  });
});

describe('what cannot be run', () => {
  it('given no repository, then it says so and ends with 2', async () => {
    await mkdir(repository());
    const { exitCode, err } = await called('run');
    expect(exitCode).toBe(2);
    expect(err).toContain('no git repository at');
  });

  it('given no commit, then it says how to make one', async () => {
    await mkdir(repository());
    await git('init', '--quiet');
    const { exitCode, err } = await called('plan');
    expect(exitCode).toBe(2);
    expect(err).toContain('next: make a first one: git add --all && git commit');
  });

  it('given a base that does not exist, then it says what to give', async () => {
    await begin(SHOP_REPOSITORY);
    const { exitCode, err } = await called('plan', '--base', 'no-such-branch');
    expect(exitCode).toBe(2);
    expect(err).toContain('"no-such-branch" names no commit');
  });

  it('given an invalid delta.yaml, then the places are named, and lint points at them', async () => {
    await begin({ 'delta.yaml': 'version: 1\njobs:\n  test:\n    stesp: [make]\n    steps: [make]\n' });
    const run = await called('run');
    expect(run.exitCode).toBe(2);
    expect(run.err).toContain('delta.yaml:4:5:');
    expect(run.err).toContain('next: see the places with `delta lint`');
    const lint = await called('lint');
    expect(lint.exitCode).toBe(2);
    expect(lint.out).toContain('  4 |     stesp: [make]\n          ^\n');
    expect((await called('lint', '--json')).exitCode).toBe(2);
  });

  it('given a valid delta.yaml, then lint finds nothing', async () => {
    await begin({ 'delta.yaml': 'version: 1\njobs:\n  test:\n    steps: [make]\n' });
    expect(await called('lint')).toEqual({ exitCode: 0, out: 'delta.yaml: no problems\n', err: '' });
  });
});
