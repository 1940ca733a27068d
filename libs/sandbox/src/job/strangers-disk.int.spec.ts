import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { TrustLevel } from '@delta-ci/contracts';
import { DeveloperClone, git } from '../../../../test/support/git-server/bare-repository.ts';
import { bubblewrapPath } from '../../../../test/support/infra/index.ts';
import { aPlannedJob } from '../../../../test/support/made-up/planned-job.ts';
import { BubblewrapExecutor } from '../bubblewrap/bubblewrap-executor.ts';
import type { LayerState } from '../layers.ts';
import { DEFAULT_SANDBOX_LIMITS } from '../limits.ts';
import { isMountPoint } from '../mount-table.ts';
import type { LayerMinimum } from '../layer-minimum.ts';
import type { SandboxExecutor, SandboxNetwork } from '../sandbox-executor.ts';
import { CLOSED_OUTLET } from '../testing/hostile/behind-outlet.fixture.ts';
import type { JobSource } from './checkout.ts';
import { runJob, standBy, type JobPlace } from './run-job.ts';

const MiB = 1024 * 1024;

let place: string;
let source: JobSource;
let jobPlace: JobPlace;
let executor: BubblewrapExecutor;
/** What the tier says of this host: a disk of its own, or usage that is looked at. */
let offered: LayerState | undefined;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'delta-strangers-disk-'));
  const gitDir = join(place, 'source.git');
  const developer = await DeveloperClone.create(gitDir, gitDir);
  const { after } = await developer.push('main', 'widgets', { 'widget.txt': 'turns\n' });
  source = { gitDir, commit: after, tree: await git(developer.directory, 'rev-parse', 'HEAD^{tree}') };
  await developer.remove();
  executor = new BubblewrapExecutor({
    stateDir: join(place, 'sandboxes'),
    killGraceMs: 500,
    programDirs: (process.env['PATH'] ?? '').split(delimiter),
    bwrap: await bubblewrapPath(),
  });
  offered = stateOfDisk((await executor.probe()).layers);
});
afterAll(async () => rm(place, { recursive: true, force: true }));

beforeEach(async () => {
  jobPlace = { workspaceDir: await mkdtemp(join(place, 'workspace-')), gitDir: source.gitDir, toolchainDirs: [] };
});

const stateOfDisk = (layers: Awaited<ReturnType<SandboxExecutor['probe']>>['layers']): LayerState | undefined =>
  layers.find(({ layer }) => layer === 'disk-limit')?.state;

type Wanted = { readonly trust: TrustLevel; readonly network?: SandboxNetwork; readonly minimum?: LayerMinimum };

/** Carries out a job that may have 64 MiB, and says what its sandbox was said to enforce. */
async function carriedOut(script: string, { trust, network = 'none', minimum }: Wanted) {
  let state: LayerState | undefined;
  let [log, hadDisk] = ['', false];
  const watched: SandboxExecutor = {
    tier: executor.tier,
    probe: async () => executor.probe(),
    open: async (spec) => {
      const opened = await executor.open({ ...spec, ...(minimum === undefined ? {} : { minimum }) });
      if (opened.ok) state = stateOfDisk(opened.sandbox.layers);
      hadDisk = isMountPoint(jobPlace.workspaceDir);
      return opened;
    },
  };
  const job = aPlannedJob('unit', {
    steps: [{ name: 'fill', run: script, workdir: '.' }],
    limits: { ...DEFAULT_SANDBOX_LIMITS, diskBytes: 64 * MiB },
  });
  const signal = new AbortController().signal;
  const order = { job, trust, source, network, env: {}, secrets: {}, signal, ...jobPlace };
  const result = await runJob(watched, order, {
    output: async (chunk) => {
      log += Buffer.from(chunk).toString();
      return Promise.resolve();
    },
    step: () => undefined,
    artifact: () => Promise.reject(new Error('nobody asks for this')),
    outputBytes: () => Buffer.byteLength(log),
  });
  return { result, log, state, hadDisk };
}

describe('the disk of a stranger’s job', () => {
  it.each<[string, Wanted]>([
    ['as most are', { trust: 'untrusted' }],
    ['with an outlet', { trust: 'untrusted', network: CLOSED_OUTLET }],
    ['that insists on its disk', { trust: 'untrusted', minimum: { 'disk-limit': 'enforced' } }],
    ['of our own that insists on its disk', { trust: 'trusted', minimum: { 'disk-limit': 'enforced' } }],
  ])(
    'given a place that was made ready and a job %s, then its limit is that of a disk of its own',
    async (_, wanted) => {
      await standBy(executor, jobPlace);
      // Where usage is only looked at, a file of a moment may well exceed the limit: then it is not made.
      const { result, log, state, hadDisk } = await carriedOut(
        offered === 'enforced' ? 'fallocate -l 1G big' : 'test -f widget.txt',
        wanted,
      );
      const own = offered === 'enforced';
      const refused = wanted.minimum !== undefined && !own;
      const outcome = own || refused ? 'failed' : 'succeeded';
      const full = log.includes('No space left on device');
      expect({ state, hadDisk, outcome: result.outcome, full }).toEqual({
        state: refused ? undefined : offered,
        hadDisk: own,
        outcome,
        full: own,
      });
      await executor.standDown();
      expect(await readdir(jobPlace.workspaceDir)).toEqual([]);
      expect(await readdir(join(place, 'sandboxes'))).toEqual([]);
    },
  );
});
