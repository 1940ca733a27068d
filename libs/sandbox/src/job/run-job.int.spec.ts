import { existsSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_JOB_POLICY, decidingStep, type PlannedJob } from '@delta-ci/contracts';
import { DeveloperClone, git } from '../../../../test/support/git-server/bare-repository.ts';
import { bubblewrapPath } from '../../../../test/support/infra/index.ts';
import { aPlannedJob } from '../../../../test/support/made-up/planned-job.ts';
import { BubblewrapExecutor } from '../bubblewrap/bubblewrap-executor.ts';
import { ProcessExecutor } from '../process-executor.ts';
import { processesWithVariable } from '../process-table.ts';
import { refusal } from '../refusal.ts';
import type { Sandbox, SandboxExecutor } from '../sandbox-executor.ts';
import { archiveOf, imageOf, programsLayer, writeLayout } from '../testing/made-image.fixture.ts';
import { COMMIT_TREE, DOWNLOADED_PACK, type JobSource } from './checkout.ts';
import { runJob, standBy, type JobOrder, type JobSinks } from './run-job.ts';
import type { JobResult } from './reported-step.ts';

let place: string;
let source: JobSource;
let executor: BubblewrapExecutor;
let workspaceDir: string;
let collected: Map<string, string>;
let log: string;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'delta-job-'));
  const gitDir = join(place, 'source.git');
  const developer = await DeveloperClone.create(gitDir, gitDir);
  const { after } = await developer.push('main', 'widgets', { 'widget.txt': 'turns\n' });
  source = { gitDir, commit: after, tree: await git(developer.directory, 'rev-parse', 'HEAD^{tree}') };
  await developer.remove();
  executor = new BubblewrapExecutor({ ...settings(), bwrap: await bubblewrapPath() });
});
afterAll(async () => rm(place, { recursive: true, force: true }));

beforeEach(async () => {
  workspaceDir = await mkdtemp(join(place, 'workspace-'));
  collected = new Map();
  log = '';
});

const fail = () => Promise.reject(new Error('nobody asks for this'));

const settings = () => ({
  stateDir: join(place, 'sandboxes'),
  killGraceMs: 500,
  programDirs: (process.env['PATH'] ?? '').split(delimiter),
});

function order(scripts: readonly string[], over: Partial<JobOrder> = {}, job: Partial<PlannedJob> = {}): JobOrder {
  return {
    job: aPlannedJob('unit', {
      steps: scripts.map((run, index) => ({ name: `step ${index + 1}`, run, workdir: '.' })),
      ...job,
    }),
    trust: 'trusted',
    source,
    workspaceDir,
    network: 'none',
    toolchainDirs: [],
    env: {},
    secrets: {},
    signal: new AbortController().signal,
    ...over,
  };
}

/** The same commit as a pack alone, as a remote sends it. */
async function packed(change: (pack: Buffer) => unknown = () => undefined): Promise<JobSource> {
  const directory = await mkdtemp(join(place, 'packed-'));
  const list = await git(source.gitDir, 'rev-list', '--objects', '--no-object-names', source.commit);
  const options = { cwd: source.gitDir, input: `${list}\n` };
  const pack = execFileSync('git', ['pack-objects', '--stdout', '--quiet'], options);
  change(pack);
  await writeFile(join(directory, DOWNLOADED_PACK), pack);
  await chmod(directory, 0o755);
  return { ...source, gitDir: directory };
}

async function carriedOut(
  wanted: JobOrder,
  onOutput: () => void = () => undefined,
  by: SandboxExecutor = executor,
  more: Pick<JobSinks, 'leaving'> = {},
): Promise<JobResult> {
  return runJob(by, wanted, {
    ...more,
    output: async (chunk) => {
      log += Buffer.from(chunk).toString();
      onOutput();
      return Promise.resolve();
    },
    step: () => undefined,
    artifact: async (_request, file) => {
      const parts: Buffer[] = [];
      for await (const part of file.content) parts.push(part);
      collected.set(file.path, Buffer.concat(parts).toString());
    },
    outputBytes: () => Buffer.byteLength(log),
  });
}

describe('a job in its sandbox', () => {
  it('given steps, then they run in order on the planned tree, and the workspace is empty afterwards', async () => {
    const result = await carriedOut(order(['cat widget.txt > copy.txt', 'cat copy.txt']));
    expect(result).toMatchObject({ outcome: 'succeeded', exitCode: 0, infrastructureError: null });
    expect(result.steps.map(({ name, exitCode }) => [name, exitCode])).toEqual([
      ['step 1', 0],
      ['step 2', 0],
    ]);
    const range = result.steps[1]?.logRange ?? { from: 0, to: 0 };
    expect(log.slice(range.from, range.to)).toBe('turns\n');
    expect(await readdir(workspaceDir)).toEqual([]);
  });

  it('given where its repository comes from, then git says so inside, and to nobody who does not say', async () => {
    const ask = 'git remote get-url origin || echo nowhere';
    await carriedOut(order([ask], { source: { ...source, origin: 'https://forge.example/demo/widgets.git' } }));
    expect(log).toContain('\nhttps://forge.example/demo/widgets.git\n');
    log = '';
    await carriedOut(order([ask]));
    expect(log).toContain('\nnowhere\n');
  });

  it('given a step that fails, then no later step runs and its exit code is the job’s', async () => {
    const result = await carriedOut(order(['exit 7', 'echo never']));
    expect(result).toMatchObject({ outcome: 'failed', exitCode: 7, infrastructureError: null });
    expect(result.steps.length).toBe(1);
    expect(log).not.toContain('never\n');
  });

  /** The first step prepares; those after it are independent. */
  const prepared = (...scripts: readonly string[]) =>
    order(
      [],
      {},
      {
        steps: scripts.map((run, at) => ({
          name: `step ${at}`,
          run,
          workdir: '.',
          ...(at === 0 ? {} : { independent: true as const }),
        })),
      },
    );

  it('given a step that prints nothing for longer than its job allows, then it is stopped for that', async () => {
    const policy = { ...DEFAULT_JOB_POLICY, idleTimeoutMs: 1_000 };
    const result = await carriedOut(order(['echo before; sleep 1000'], {}, { policy }));
    expect(result).toMatchObject({ outcome: 'timed_out', steps: [{ timedOut: true, endedBy: 'idle_timeout' }] });
    expect(log).toContain('printed nothing for too long');
  });

  it('given independent steps of which some fail, then all run, and the first that failed decides', async () => {
    const result = await carriedOut(prepared('echo ready', 'exit 3', 'exit 4', 'echo third'));
    expect(result).toMatchObject({ outcome: 'failed', exitCode: 3 });
    expect(result.steps.map(({ exitCode }) => exitCode)).toEqual([0, 3, 4, 0]);
    expect(decidingStep(result.steps)?.name).toBe('step 1');
  });

  it('given independent steps after one that fails and is not, then none of them runs', async () => {
    const result = await carriedOut(prepared('exit 5', 'echo never'));
    expect(result.steps.map(({ exitCode }) => exitCode)).toEqual([5]);
  });

  it('given a commit whose tree is not the planned one, then nothing is written and no step runs', async () => {
    const result = await carriedOut(order(['echo never'], { source: { ...source, tree: 'e'.repeat(40) } }));
    expect(result).toMatchObject({ outcome: 'failed', steps: [], infrastructureError: { code: 'tree_mismatch' } });
    expect(log).toContain(`planned was ${'e'.repeat(40)}`);
    expect(log).not.toContain('never\n');
  });

  it('given a pack that nobody has looked at, then it is indexed inside, and steps run on the tree it holds', async () => {
    const result = await carriedOut(order(['cat widget.txt', 'git log --oneline | wc -l'], { source: await packed() }));
    expect(result).toMatchObject({ outcome: 'succeeded', infrastructureError: null });
    expect(log).toContain('turns\n');
  });

  it.each([
    ['a pack', packed],
    ['a repository', async () => Promise.resolve(source)],
  ] as const)('given %s and a place that was made ready, then all is as in one that was not', async (_, from) => {
    const given = await from();
    const look =
      'cat widget.txt; git status --short; git fsck --connectivity-only; find .git | sort; wc -c < .git/config';
    await standBy(executor, { workspaceDir, gitDir: given.gitDir, toolchainDirs: [] });
    const ready = await carriedOut(order([look], { source: given }));
    expect(await readdir(workspaceDir)).toEqual([]);
    const [told] = [log, (log = '')];
    expect([ready, await carriedOut(order([look], { source: given }))]).toMatchObject([
      { outcome: 'succeeded' },
      { outcome: 'succeeded' },
    ]);
    expect(told).toBe(log);
    expect(log).toContain('turns\n');
  });

  it('given a commit that was looked at already, then git is not asked again, and another tree is as little written', async () => {
    const seen = await packed();
    await writeFile(join(seen.gitDir, COMMIT_TREE), `${source.tree}\n`);
    expect(await carriedOut(order(['cat widget.txt'], { source: seen }))).toMatchObject({ outcome: 'succeeded' });
    await writeFile(join(seen.gitDir, COMMIT_TREE), `${'e'.repeat(40)}\n`);
    const result = await carriedOut(order(['echo never'], { source: seen }));
    expect(result).toMatchObject({ outcome: 'failed', steps: [], infrastructureError: { code: 'tree_mismatch' } });
    expect(log).not.toContain('never\n');
  });

  it('given a pack that is damaged, then no step runs', async () => {
    const damaged = await packed((pack) => pack.fill(0xff, 12, 40));
    const result = await carriedOut(order(['echo never'], { source: damaged }));
    expect(result).toMatchObject({ outcome: 'failed', steps: [], infrastructureError: { code: 'workspace_failed' } });
    expect(log).not.toContain('never\n');
  });

  it('given a source that does not come, then the reason is the job’s and no step runs', async () => {
    const error = { code: 'source_unavailable' as const, message: 'the remote hung up' };
    const result = await carriedOut(order(['echo never'], { sourceReady: Promise.resolve(error) }));
    expect(result).toMatchObject({ outcome: 'failed', steps: [], infrastructureError: error });
    expect(log).toBe('');
  });

  it('given a job that uses up its time, then it is stopped and says so', async () => {
    const policy = { ...DEFAULT_JOB_POLICY, timeoutMs: 1_000 };
    const result = await carriedOut(order(['sleep 600'], {}, { policy }));
    expect(result).toMatchObject({ outcome: 'timed_out', steps: [{ timedOut: true, endedBy: 'timeout' }] });
    expect(log).toContain('used up its time');
  });

  it('given a job that is canceled, then it is stopped, and what it made so far is collected', async () => {
    const canceling = new AbortController();
    const artifacts = [{ type: 'file' as const, path: '*.log', retentionDays: 1 }];
    const script = 'echo so far > partial.log; echo started; sleep 600';
    const result = await carriedOut(order([script], { signal: canceling.signal }, { artifacts }), () => {
      if (/^started$/m.test(log)) canceling.abort();
    });
    expect(result.outcome).toBe('canceled');
    expect([...collected]).toEqual([['partial.log', 'so far\n']]);
  });

  it('given a step that ends in the middle of a line, then what is said of its end is a line for itself, which no job can be taken for', async () => {
    const forged = '[delta] stopped: the job has used up its time, 999 s (timeout_seconds)';
    const policy = { ...DEFAULT_JOB_POLICY, idleTimeoutMs: 1_000 };
    const result = await carriedOut(order([`echo '${forged}'; printf 'working on it'; sleep 60`], {}, { policy }));
    expect(result.steps[0]?.endedBy).toBe('idle_timeout');
    const [{ from, to } = { from: 0, to: 0 }] = result.steps.map(({ logRange }) => logRange);
    // Whoever explains the step finds both among its lines, and the runner's is the last.
    const ours = '[delta] stopped: the step printed nothing for too long, 1 s (idle_timeout_seconds)';
    expect(log.slice(from, to)).toBe(`${forged}\nworking on it\n${ours}\n`);
  });

  it('given artifacts, then files come, links do not, and what was left behind is said', async () => {
    const paths = ['out/*', 'nothing/*.bin'];
    const artifacts = paths.map((path) => ({ type: 'file' as const, path, retentionDays: 1 }));
    const script = 'mkdir out; echo mine > out/a.txt; ln -s /etc/passwd out/b.txt';
    const result = await carriedOut(order([script], {}, { artifacts }));
    expect([...collected]).toEqual([['out/a.txt', 'mine\n']]);
    expect(result.remarks.join()).toContain('out/b.txt');
    expect(log).toContain('[delta] artifact out/b.txt was left behind: symlink');
    expect(log).toContain('[delta] artifact nothing/*.bin: no file of the workspace matches');
    expect(log).not.toContain('artifact out/*:');
  });

  it('given secrets and an environment, then steps have both, and nothing of this process’s own', async () => {
    const script = 'test "${#FAKE_SECRET}" -eq 12 && test "$MODE" = fast && env | cut -d= -f1 | sort';
    const wanted = order([script], { secrets: { FAKE_SECRET: 'not-a-secret' } }, { env: { MODE: 'fast' } });
    process.env['DELTA_FAKE_OF_THE_RUNNER'] = 'not-for-jobs';
    const result = await carriedOut(wanted);
    delete process.env['DELTA_FAKE_OF_THE_RUNNER'];
    expect(result.outcome).toBe('succeeded');
    expect(log).not.toContain('DELTA_FAKE_OF_THE_RUNNER');
    expect(log).not.toContain('not-a-secret');
  });

  it('given a host directory outside, then the job does not see it', async () => {
    const outside = join(place, 'outside');
    await mkdir(outside, { recursive: true });
    const result = await carriedOut(order([`test ! -e '${outside}'`]));
    expect(result.outcome).toBe('succeeded');
    expect(existsSync(outside)).toBe(true);
  });

  it('given an image, then its steps see it, and the host checks out for it; what it led to is told', async () => {
    const image = imageOf([await programsLayer(), await archiveOf([{ name: 'etc/mark', content: 'of the image' }])]);
    await writeLayout(join(place, 'layout'), { 'tools:1': image });
    const offering = new BubblewrapExecutor({
      ...settings(),
      bwrap: await bubblewrapPath(),
      images: {
        storeDir: join(place, 'store'),
        storeBytesMax: 1024 ** 3,
        archives: [join(place, 'layout')],
        rootfs: {},
        registry: { registries: [], isPublicAddress: () => false },
        credentials: new Map(),
      },
    });
    const wanted = order(['cat /etc/mark widget.txt', '! command -v git'], {}, { image: 'tools:1' });
    const result = await carriedOut(wanted, () => undefined, offering);
    expect(result).toMatchObject({ outcome: 'succeeded', image: { reference: 'tools:1', digest: image.digest } });
    expect(log).toContain(`[delta] image tools:1 is ${image.digest}`);
    expect(log).toContain('of the imageturns');
    expect(
      await readdir(join(place, 'store', 'trees')).then(async ([tree = '']) =>
        readdir(join(place, 'store', 'trees', tree, 'users')),
      ),
    ).toEqual([]);
  });

  it('given a workspace in which not all of a repository could be laid out, then the checkout does as well', async () => {
    await mkdir(join(workspaceDir, '.git/objects/info'), { recursive: true });
    expect(await carriedOut(order(['cat widget.txt']))).toMatchObject({ outcome: 'succeeded' });
  });

  it('given somebody who removes what it left, then all of it lies there until then, and nothing of it is alive', async () => {
    let remove: () => Promise<readonly string[]> = () => Promise.reject(new Error('nothing was left'));
    const daemon = 'echo mine > file; setsid sleep 1000 > /dev/null 2>&1 & wait $! & echo done';
    const result = await carriedOut(order([daemon]), undefined, executor, { leaving: (given) => (remove = given) });
    expect(result.outcome).toBe('succeeded');
    expect((await readdir(workspaceDir)).toSorted()).toEqual(['.git', 'file', 'widget.txt']);
    expect(processesWithVariable('DELTA_SANDBOX', (await readdir(join(place, 'sandboxes')))[0] ?? '')).toEqual([]);
    expect(await remove()).toEqual([]);
    expect([...(await readdir(workspaceDir)), ...(await readdir(join(place, 'sandboxes')))]).toEqual([]);
  });

  it('given a job that would not die, then whoever removes hears what is still there, and the log says it', async () => {
    const stubborn: SandboxExecutor = {
      tier: 'sandbox',
      probe: async () => executor.probe(),
      open: async (spec) => {
        const opened = await executor.open(spec);
        if (!opened.ok) return opened;
        const { sandbox } = opened;
        const alive = { leftovers: ['process 4711'] };
        const close = async () => sandbox.close().then(() => alive);
        const run: Sandbox['run'] = async (step, sink) => sandbox.run(step, sink);
        const bindSeenAs: Sandbox['bindSeenAs'] = (hostPath) => sandbox.bindSeenAs(hostPath);
        return {
          ok: true,
          sandbox: { ...sandbox, run, bindSeenAs, collectFiles: fail, end: async () => Promise.resolve(alive), close },
        };
      },
    };
    let remove: () => Promise<readonly string[]> = () => Promise.resolve([]);
    await carriedOut(order(['true']), undefined, stubborn, { leaving: (given) => (remove = given) });
    expect(await remove()).toEqual(['process 4711']);
    expect(log).toContain('[delta] could not be removed: process 4711\n');
  });

  it('given an image that is not offered, then nothing of the job runs in anything else', async () => {
    const result = await carriedOut(order(['echo never'], {}, { image: 'tools:1' }));
    expect(result).toMatchObject({ outcome: 'failed', steps: [], infrastructureError: { code: 'not_offered' } });
    expect(log).toBe('');
    const plain = await carriedOut(
      order(['echo never'], {}, { image: 'tools:1' }),
      () => undefined,
      new ProcessExecutor(settings()),
    );
    expect(plain.infrastructureError?.message).toContain('tier process shows jobs the host as it is');
  });

  it.each([
    ['image_not_allowed', 'not_offered'],
    ['image_refused', 'not_offered'],
    ['image_damaged', 'sandbox_unavailable'],
    ['image_unavailable', 'sandbox_unavailable'],
  ] as const)(
    'given an image that cannot be had (%s), then it is told whether another attempt may have it (%s)',
    async (code, told) => {
      const without = Object.assign(Object.create(executor) as SandboxExecutor, {
        obtainRoot: async () => Promise.resolve({ ok: false, refusal: refusal(code, 'as it is') }),
      });
      const result = await carriedOut(order(['echo never'], {}, { image: 'tools:1' }), undefined, without);
      expect(result.infrastructureError).toEqual({ code: told, message: 'as it is' });
    },
  );
});
