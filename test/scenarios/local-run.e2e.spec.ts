import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheResult, EgressDecision } from '@delta-ci/contracts';
import { bubblewrapPath } from '../support/infra/index.ts';

const DELTA = join(dirname(dirname(import.meta.dirname)), 'apps', 'cli', 'bin', 'delta.mjs');
const LIMIT_MS = 120_000;
/** Of this host, and no address that programs reach past every proxy. */
const ELSEWHERE = '127.0.0.2';

interface FinishedJob {
  readonly job: string;
  readonly outcome: string;
  readonly reason: string;
  readonly caches: readonly CacheResult[];
  readonly egress: readonly EgressDecision[] | null;
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface EndedRun extends Ended {
  readonly jobs: readonly FinishedJob[];
  /** What jobs printed. */
  readonly output: string;
}

describe('a local run', () => {
  let web: Server;
  let directory = '';
  const repository = (): string => join(directory, 'shop');
  const port = (): number => (web.address() as AddressInfo).port;

  beforeAll(async () => {
    web = createServer((_, answer) => answer.end('a package'));
    web.listen(0, ELSEWHERE);
    await once(web, 'listening');
  });
  afterAll(async () => {
    web.close();
    await once(web, 'close');
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-local-run-'));
    await mkdir(repository());
    git('init', '--quiet', '--initial-branch=main');
  });
  afterEach(async () => rm(directory, { recursive: true, force: true }));

  function git(...args: readonly string[]): void {
    const who = ['-c', 'user.name=Test', '-c', 'user.email=test@example.test'];
    execFileSync('git', [...who, ...args], { cwd: repository() });
  }

  /** Commits a `delta.yaml`; JSON is YAML. */
  async function jobs(given: Record<string, object>, allow: readonly string[] = []): Promise<void> {
    await writeFile(join(repository(), 'delta.yaml'), JSON.stringify({ version: 1, jobs: given, egress: { allow } }));
    git('add', '--all');
    git('commit', '--quiet', '--message', 'Jobs');
  }

  async function delta(args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const env = {
      PATH: process.env['PATH'],
      HOME: directory,
      DELTA_CACHE_HOME: join(directory, 'cache'),
      DELTA_BWRAP: await bubblewrapPath(),
      // Older ones, which a host may have, know no proxy.
      DELTA_TOOLCHAIN_DIRS: dirname(dirname(process.execPath)),
      ...more,
    };
    const child = spawn(process.execPath, [DELTA, ...args], { cwd: repository(), env });
    const said = { out: '', err: '' };
    child.stdout.on('data', (chunk: Buffer) => void (said.out += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => void (said.err += chunk.toString('utf8')));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...said };
  }

  async function run(args: readonly string[] = [], more: NodeJS.ProcessEnv = {}): Promise<EndedRun> {
    const ended = await delta(['run', '--all', '--json', ...args], more);
    const lines = ended.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; text?: string; jobs?: FinishedJob[] });
    const output = lines.flatMap(({ type, text }) => (type === 'output' ? [text] : [])).join('\n');
    return { ...ended, jobs: lines.find(({ type }) => type === 'finished')?.jobs ?? [], output };
  }

  describe('of a job whose plan names hosts', () => {
    const ask = (url: string): string =>
      `node -e "fetch('${url}').then((answer) => answer.text()).catch((error) => error.cause?.message ?? error.message).then(console.log)"`;
    const naming = async (...allow: readonly string[]): Promise<void> => {
      const steps = [ask(`http://${ELSEWHERE}:${port()}/`), ask('http://evil.example.test/')];
      await jobs({ unit: { steps } }, allow);
    };
    const packagesIn = ({ output }: EndedRun): number =>
      output.split('\n').filter((line) => line === 'a package').length;
    const decisionsOf = ({ jobs: [unit] }: EndedRun) =>
      unit?.egress?.map(({ host, decision, reason }) => [host, decision, reason]);
    /** What this machine lets jobs reach: by default no address, and nothing that is not public. */
    const bounds = () => ({ DELTA_EGRESS_ALLOW: `${ELSEWHERE}:${port()}`, DELTA_EGRESS_RANGES: ELSEWHERE });
    beforeEach(async () => naming(`${ELSEWHERE}:${port()}`));

    it(
      'reaches these and no others, and what was decided is told as a runner tells it',
      async () => {
        const ended = await run([], bounds());
        expect([ended.code, packagesIn(ended)]).toEqual([0, 1]);
        expect(decisionsOf(ended)).toEqual([
          [ELSEWHERE, 'allowed', null],
          ['evil.example.test', 'refused', 'not-listed'],
        ]);
        expect(ended.output).toContain("[delta] egress refused: evil.example.test:80, not on the job's allow-list");
        const { out } = await delta(['run', '--all'], bounds());
        expect(out).toContain('1 job may reach the hosts that the plan names and no others');
        expect(out).toMatch(/^unit +evil\.example\.test:80 +refused: not on the job's allow-list +1 /mu);
      },
      LIMIT_MS,
    );

    it(
      'reaches nothing that is not public, or beyond what this machine lets jobs reach',
      async () => {
        const inside = await run([], { ...bounds(), DELTA_EGRESS_RANGES: '' });
        expect(decisionsOf(inside)?.[0]).toEqual([ELSEWHERE, 'refused', 'private-address']);
        const beyond = await run([], { ...bounds(), DELTA_EGRESS_ALLOW: 'registry.example.test' });
        expect(decisionsOf(beyond)?.[0]).toEqual([ELSEWHERE, 'refused', 'beyond-policy']);
      },
      LIMIT_MS,
    );

    it(
      'has all of the network where the person says so, and one whose plan names none has none even then',
      async () => {
        const ended = await run(['--network', 'host']);
        expect([ended.code, packagesIn(ended), ended.jobs[0]?.egress]).toEqual([0, 1, null]);
        await naming();
        const apart = await run(['--network', 'host']);
        expect([apart.code, packagesIn(apart), apart.jobs[0]?.egress]).toEqual([0, 0, null]);
      },
      LIMIT_MS,
    );

    it(
      'does not run where it must not reach anything',
      async () => {
        const { code, jobs: all } = await run(['--no-network']);
        expect([code, all[0]?.reason]).toEqual([3, expect.stringContaining('--no-network forbids it')]);
      },
      LIMIT_MS,
    );

    it(
      'is not kept to them in tier process, which is said',
      async () => {
        const { code, out } = await delta(['run', '--all', '--unsandboxed']);
        expect([code, out]).toEqual([0, expect.stringContaining('no bounds in tier process: unit\n')]);
      },
      LIMIT_MS,
    );

    it(
      'is told of a bound that is none before anything runs',
      async () => {
        const { code, err, out } = await delta(['run', '--all'], { DELTA_EGRESS_RANGES: '10.0.0.0/99' });
        expect([code, err]).toEqual([2, expect.stringContaining('DELTA_EGRESS_RANGES')]);
        expect(out).not.toContain('starts');
      },
      LIMIT_MS,
    );
  });

  describe('of a job that has caches', () => {
    const KEPT = 'cat ~/.kept/from made/from 2> /dev/null || echo "nothing was there"';
    const LEAVES = 'mkdir -p ~/.kept made; echo home > ~/.kept/from; echo work > made/from';
    const caches = [{ type: 'deps', key: 'kept-{hash:delta.yaml}', paths: ['~/.kept', 'made'] }];
    const keeping = (...more: readonly string[]) => ({ keep: { caches, steps: [KEPT, LEAVES, ...more] } });
    const resultOf = ({ jobs: [job] }: EndedRun): CacheResult | undefined => job?.caches[0];
    const left = async (): Promise<string[]> => readdir(join(directory, 'cache', 'local', 'runs'));

    it(
      'leaves them for the next, which has them before its first step; either is told',
      async () => {
        await jobs(keeping());
        const first = await run();
        expect([first.code, first.output]).toEqual([
          0,
          expect.stringMatching(/nothing was there[^]*\[delta\] .*: saved/),
        ]);
        expect(resultOf(first)).toMatchObject({ hit: false, saved: { domain: 'trusted' } });
        const second = await run();
        expect([second.code, second.output]).toEqual([0, expect.stringMatching(/: restored[^]*home\nwork\n/)]);
        expect(resultOf(second)).toMatchObject({ hit: true, restored: { domain: 'trusted' } });
        const { out } = await delta(['run', '--all']);
        expect(out).toMatch(/^keep +hit +\S+ +/mu);
        expect(await left()).toEqual([]);
      },
      LIMIT_MS,
    );

    it(
      'reads what the main branch left, and leaves to its own branch what is its own',
      async () => {
        await jobs(keeping());
        await run();
        git('checkout', '--quiet', '-b', 'side');
        expect(resultOf(await run())).toMatchObject({ hit: true, restored: { domain: 'trusted' } });
        await jobs(keeping('echo of the side'));
        expect(resultOf(await run())).toMatchObject({ hit: false, saved: { domain: 'ref:refs/heads/side' } });
        git('checkout', '--quiet', 'main');
        git('merge', '--quiet', 'side');
        expect(resultOf(await run())).toMatchObject({ hit: false, saved: { domain: 'trusted' } });
      },
      LIMIT_MS,
    );

    it(
      'leaves nothing when it fails, and neither restores nor saves when nobody wants that',
      async () => {
        await jobs(keeping('exit 1'));
        expect(await run()).toMatchObject({ code: 1, jobs: [{ caches: [{ hit: false }] }] });
        expect(resultOf(await run())).toEqual({ key: expect.any(String), hit: false });
        await jobs(keeping());
        expect(await run(['--no-cache'])).toMatchObject({ code: 0, jobs: [{ caches: [] }] });
        expect(resultOf(await run())).toMatchObject({ hit: false, saved: {} });
      },
      LIMIT_MS,
    );

    it(
      'is run several times at once, by jobs that want the same, and each ends well',
      async () => {
        const { keep } = keeping();
        await jobs({ one: keep, two: keep, three: keep });
        const ended = await Promise.all([run(['--jobs', '3']), run(['--jobs', '3'])]);
        expect(ended.map(({ code }) => code)).toEqual([0, 0]);
        const results = ended.flatMap(({ jobs: all }) => all.flatMap((job) => job.caches));
        expect(results.flatMap(({ problems = [] }) => problems)).toEqual([]);
        expect(results.filter(({ saved }) => saved !== undefined)).toHaveLength(1);
        const again = await run(['--jobs', '3']);
        expect(again.jobs.map((job) => job.caches[0]?.hit)).toEqual([true, true, true]);
      },
      LIMIT_MS,
    );

    it(
      'does not fail where they cannot be kept',
      async () => {
        await jobs(keeping());
        await mkdir(join(directory, 'cache', 'local'), { recursive: true });
        await writeFile(join(directory, 'cache', 'local', 'caches'), 'no directory');
        const ended = await run();
        expect([ended.code, ended.output]).toEqual([0, expect.stringContaining('could not be restored: ')]);
        expect(resultOf(ended)).toMatchObject({ hit: false, problems: [{ code: 'store_unavailable' }] });
      },
      LIMIT_MS,
    );

    it(
      'leaves what a person can see, and remove',
      async () => {
        await jobs(keeping());
        const key = resultOf(await run())?.key ?? '';
        const listed = JSON.parse((await delta(['caches', 'list', '--local', '--json'])).out) as object;
        expect(listed).toMatchObject({
          caches: [{ key, domain: 'trusted', jobKey: 'keep', repository: repository() }],
        });
        expect((await delta(['caches', 'list', '--local', '--repository', '..'])).out).toContain('no caches of ');
        expect(await delta(['caches', 'remove', key, '--local', '--repository', '.'])).toMatchObject({
          code: 0,
          out: '1 cache removed, of trusted in tier sandbox; the next job that misses one makes it again\n',
        });
        expect(await delta(['caches', 'remove', key, '--local'])).toMatchObject({ code: 2 });
        expect(resultOf(await run())).toMatchObject({ hit: false, saved: {} });
        expect(await delta(['caches', 'remove', key])).toMatchObject({
          code: 2,
          err: expect.stringContaining('--repository'),
        });
      },
      LIMIT_MS,
    );
  });
});
