import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { LeaseOffer, PlannedJob } from '@delta-ci/contracts';
import { Git } from '@delta-ci/git';
import {
  DUMMY_VARIABLE,
  DummyExecutor,
  ProcessExecutor,
  type DummyBehaviour,
  type SandboxExecutor,
} from '@delta-ci/sandbox';
import { createLogger, createRedactor } from '@delta-ci/service';
import { DeveloperClone, git } from '../../../test/support/git-server/bare-repository.ts';
import { serveGit } from '../../../test/support/git-server/git-http-server.ts';
import { eventually } from '../../../test/support/infra/index.ts';
import { aPlannedJob } from '../../../test/support/made-up/planned-job.ts';
import { carryOutAttempt } from './attempt.ts';
import { GatewayClient } from './gateway-client.ts';
import type { EgressTerms } from './job-network.ts';
import { jobDirectoryIn } from './job-directory.ts';
import { Leavings } from './leavings.ts';
import { RunnerToken } from './runner-token.ts';
import { SmallGateway } from './small-gateway.fixture.ts';

const TTL_MS = 60_000;
const RUNNER = `rnr_${'1'.repeat(32)}`;
const TOKEN = { runnerId: RUNNER, token: 'fake-runner-token', tokenExpiresAtMs: Number.MAX_SAFE_INTEGER };

let place: string;
let source: { cloneUrl: string; ref: string; commit: string; tree: string; token: string | null };
let gateway: SmallGateway;
let workDir: string;
let stopping: AbortController;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'delta-attempt-'));
  const barePath = join(place, 'widgets.git');
  const developer = await DeveloperClone.create(barePath, barePath);
  const { after } = await developer.push('main', 'widgets', { 'widget.txt': 'turns\n' });
  const tree = await git(developer.directory, 'rev-parse', 'HEAD^{tree}');
  await developer.remove();
  source = { cloneUrl: `file://${barePath}`, ref: 'refs/heads/main', commit: after, tree, token: null };
});
afterAll(async () => rm(place, { recursive: true, force: true }));

beforeEach(async () => {
  gateway = await SmallGateway.open(TTL_MS);
  workDir = await mkdtemp(join(place, 'work-'));
  stopping = new AbortController();
});
afterEach(async () => gateway.close());

/** A step goes on when this file is there, so that a spec decides when. */
const goFile = (): string => join(workDir, '..', `${workDir.split('/').at(-1)}.go`);
const untilTold = (): string => `while [ ! -e '${goFile()}' ]; do sleep 0.02; done`;

function offer(run: string, over: Partial<LeaseOffer> = {}, job: Partial<PlannedJob> = {}): LeaseOffer {
  return {
    leaseId: '5'.repeat(64),
    runId: `run_${'2'.repeat(32)}`,
    jobKey: 'unit',
    attempt: 1,
    fence: 1,
    ttlMs: TTL_MS,
    heartbeatMs: 20,
    acceptanceMs: TTL_MS,
    maxRuntimeMs: 60_000,
    trust: 'trusted',
    job: aPlannedJob('unit', { steps: [{ name: 'test', run, workdir: '.' }], ...job }),
    source,
    secrets: {},
    traceparent: null,
    ...over,
  };
}

const asMyself = (): SandboxExecutor => new ProcessExecutor({ stateDir: join(workDir, 'sandboxes'), killGraceMs: 500 });

async function carryOut(
  lease: LeaseOffer,
  executor: SandboxExecutor = asMyself(),
  egress: EgressTerms['mode'] = 'none',
): Promise<void> {
  const ports = {
    renew: async () => Promise.reject(new Error('not renewed in these specs')),
    onRenewed: () => undefined,
    dateMs: Date.now,
    elapsedMs: () => performance.now(),
  };
  const logger = createLogger({
    service: 'runner',
    instance: 'spec',
    level: 'fatal',
    pretty: false,
    redactor: createRedactor(),
  });
  return carryOutAttempt(lease, {
    executor,
    git: new Git({ environment: process.env }),
    client: new GatewayClient(gateway.url),
    token: new RunnerToken(TOKEN, ports),
    logger,
    leavings: new Leavings(jobDirectoryIn(workDir), logger),
    sources: { protocols: ['file', 'http'], hosts: [], lfsCache: null, packCache: null },
    toolchainDirs: [],
    egress: { mode: egress, allow: ['*'], ranges: [], upstream: null, resolve: async () => [] },
    nowMs: Date.now,
    stopping: stopping.signal,
  });
}

/** Asks for a host through the outlet of whatever it opens, before there is any step. */
function askingFor(host: string): SandboxExecutor {
  const dummy = new DummyExecutor();
  return {
    tier: 'dummy',
    probe: async () => dummy.probe(),
    open: async (spec) => {
      const { network } = spec;
      if (typeof network === 'string') throw new Error('there is no outlet');
      const server = createServer((connection) => network.accept(connection)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const asked = connect((server.address() as AddressInfo).port, '127.0.0.1');
      asked.write(`CONNECT ${host} HTTP/1.1\r\n\r\n`);
      expect(await text(asked)).toContain('403');
      server.close();
      return dummy.open(spec);
    },
  };
}

/** Tells when nothing of the job is alive, and when what it left is about to be removed. */
function telling(told: { ended?: () => void; removing?: () => void }): SandboxExecutor {
  const inner = asMyself();
  return {
    tier: 'process',
    probe: async () => inner.probe(),
    open: async (spec) => {
      const opened = await inner.open(spec);
      if (!opened.ok) return opened;
      const { sandbox } = opened;
      const [end, close] = [sandbox.end.bind(sandbox), sandbox.close.bind(sandbox)];
      sandbox.end = async () => end().finally(told.ended);
      sandbox.close = async () => {
        told.removing?.();
        return close();
      };
      return opened;
    },
  };
}

describe('one leased attempt', () => {
  it('given a job that succeeds, then tree, log and report arrive, and nothing is left behind', async () => {
    await carryOut(offer('cat widget.txt'));
    expect(gateway.words).toEqual(['ack', 'complete']);
    expect(gateway.reported('complete')).toMatchObject({
      outcome: 'succeeded',
      exitCode: 0,
      steps: [{ name: 'test', exitCode: 0 }],
      logBytes: Buffer.byteLength(gateway.log),
    });
    expect(gateway.log).toContain('turns\n');
    expect((await readdir(workDir)).filter((name) => name !== 'sandboxes')).toEqual([]);
  });

  it('given what a job left, then it is reported when nothing of it is alive, and removed after that', async () => {
    const seen: string[][] = [];
    const note = (what: string) => () => void seen.push([what, ...gateway.words]);
    const executor = telling({ ended: note('ended'), removing: note('removing') });
    await carryOut(offer('cat widget.txt > kept'), executor);
    expect([seen[0], ...seen.filter(([what]) => what === 'removing')]).toEqual([
      ['ended', 'ack'],
      ['removing', 'ack', 'complete'],
    ]);
    expect((await readdir(workDir)).filter((name) => name !== 'sandboxes')).toEqual([]);
  });

  it('given a job that would not die, then nothing is deleted below it, and the report is sent all the same', async () => {
    const undying: SandboxExecutor = {
      tier: 'process',
      probe: async () => asMyself().probe(),
      open: async (spec) => {
        const opened = await asMyself().open(spec);
        if (!opened.ok) return opened;
        const { sandbox } = opened;
        const alive = { leftovers: ['process 4711'] };
        sandbox.end = async () => Promise.resolve(alive);
        sandbox.close = async () => Promise.resolve(alive);
        return opened;
      },
    };
    await carryOut(offer('cat widget.txt > kept'), undying);
    expect(gateway.words).toEqual(['ack', 'complete']);
    const [job = ''] = (await readdir(workDir)).filter((name) => name.startsWith('job-'));
    expect(await readdir(join(workDir, job, 'workspace'))).toContain('kept');
  });

  it('given a job that is to run beside a service, then nothing of it runs, and the report says what is missing', async () => {
    const services = [{ name: 'db', image: 'postgres:17', ports: [5432], env: {}, health: null }];
    await carryOut(offer('touch ran', {}, { services }));
    expect(gateway.reported('complete')).toMatchObject({
      outcome: 'failed',
      steps: [],
      infrastructureError: {
        code: 'layer_missing',
        message: 'the job is to run beside db (postgres:17), and this runner starts no services',
      },
    });
  });

  it('given a job that asks for more than its list, then log and report say what it was refused', async () => {
    const egress = { allow: ['registry.example.org'] };
    await carryOut(offer('ignored', {}, { egress }), askingFor('evil.example.org:443'), 'proxy');
    expect(gateway.log).toContain("[delta] egress refused: evil.example.org:443, not on the job's allow-list\n");
    expect(gateway.reported('complete')).toMatchObject({
      outcome: 'succeeded',
      egress: [{ host: 'evil.example.org', port: 443, decision: 'refused', reason: 'not-listed', count: 1 }],
    });
  });

  it('given a tier that cannot keep a job to its list, then nothing of the job runs', async () => {
    await carryOut(offer('touch ran', {}, { egress: { allow: ['registry.example.org'] } }), asMyself(), 'proxy');
    expect(gateway.reported('complete')).toMatchObject({
      steps: [],
      infrastructureError: { code: 'layer_missing', message: expect.stringContaining('tier process cannot enforce') },
    });
  });

  it('given the token of the source in what a job prints, then the log and the report have it masked', async () => {
    const token = 'fake-source-token-0123';
    await carryOut(offer(`echo ${token}; exit 1`, { source: { ...source, token } }));
    expect(gateway.log).toContain('***');
    expect(gateway.log).not.toContain(token);
    expect(JSON.stringify(gateway.reported('complete'))).not.toContain(token);
  });

  it('given a source over HTTP, then one request brings it, and the job runs on it', async () => {
    const served = await serveGit(place);
    try {
      await carryOut(offer('cat widget.txt', { source: { ...source, cloneUrl: `${served.url}/widgets.git` } }));
      expect(served.requests).toEqual(['POST /widgets.git/git-upload-pack']);
    } finally {
      await served.close();
    }
    expect(gateway.reported('complete')).toMatchObject({ outcome: 'succeeded' });
    expect(gateway.log).toContain('turns\n');
  });

  it('given a commit that the remote has not, then no step runs and the report says so', async () => {
    await carryOut(offer('echo never', { source: { ...source, commit: 'd'.repeat(40) } }));
    expect(gateway.reported('complete')).toMatchObject({
      outcome: 'failed',
      steps: [],
      infrastructureError: { code: 'source_unavailable' },
    });
  });

  it('given a commit with another tree than planned, then no step runs and the report says so', async () => {
    const mark = join(place, 'was-run');
    await carryOut(offer(`touch '${mark}'`, { source: { ...source, tree: 'e'.repeat(40) } }));
    expect(gateway.reported('complete')).toMatchObject({
      outcome: 'failed',
      steps: [],
      infrastructureError: { code: 'tree_mismatch' },
    });
    expect(existsSync(mark)).toBe(false);
  });

  it.each<[string, DummyBehaviour, object]>([
    [
      'a step that the kernel killed for its memory',
      { exitCode: 137, endedBy: 'out_of_memory', output: 'much\n' },
      {
        outcome: 'failed',
        steps: [{ exitCode: 137, oomKilled: true, endedBy: 'out_of_memory' }],
        infrastructureError: null,
      },
    ],
    [
      'a sandbox that breaks',
      { fault: 'the engine went away' },
      { outcome: 'failed', infrastructureError: { code: 'sandbox_unavailable', message: 'the engine went away' } },
    ],
  ])('given %s, then the report says so', async (_name, behaviour, reported) => {
    const env = { [DUMMY_VARIABLE]: JSON.stringify(behaviour) };
    await carryOut(offer('ignored', {}, { env }), new DummyExecutor());
    expect(gateway.reported('complete')).toMatchObject(reported);
  });

  it('given a lease that is taken away, then the job is stopped and nothing more is said', async () => {
    const done = carryOut(offer(`echo started; ${untilTold()}`));
    await eventually('the job runs', () => gateway.log.includes('started'));
    gateway.stale = true;
    await done;
    expect(gateway.words).toEqual(['ack']);
  });

  it('given a lease that turns out stale with the last report, then the runner ends without complaint', async () => {
    const done = carryOut(offer(`echo started; ${untilTold()}`, { heartbeatMs: 50_000 }));
    await eventually('the job runs', () => gateway.log.includes('started'));
    gateway.stale = true;
    await writeFile(goFile(), '');
    await done;
    expect(gateway.words.filter((what) => what === 'complete').length).toBeLessThanOrEqual(1);
  });

  it('given a cancel request, then the job is stopped and the cancel acknowledged', async () => {
    const done = carryOut(offer(`echo started; ${untilTold()}`));
    await eventually('the job runs', () => gateway.log.includes('started'));
    gateway.cancelRequested = true;
    await done;
    expect(gateway.words).toEqual(['ack', 'cancel-ack']);
    expect(gateway.reported('cancel-ack')).toMatchObject({ outcome: 'canceled' });
    expect(gateway.log).toContain('the job was canceled');
  });

  it('given a gateway that is away for a while, then the job goes on and everything arrives', async () => {
    const { promise: over, resolve: ended } = Promise.withResolvers<void>();
    const done = carryOut(offer(`echo one; ${untilTold()}; echo two`), telling({ ended }));
    await eventually('the job runs', () => gateway.log.includes('one'));
    gateway.away = true;
    await writeFile(goFile(), '');
    const before = gateway.heard.length;
    await over;
    expect(gateway.heard.length).toBe(before);
    gateway.away = false;
    await done;
    expect(gateway.log).toMatch(/one\n[\s\S]*two\n/);
    expect(gateway.reported('complete')).toMatchObject({ outcome: 'succeeded' });
  });

  it('given a gateway that stays away, then the job is stopped when the lease is over, and the runner gives up', async () => {
    const done = carryOut(offer(`echo started; ${untilTold()}`));
    await eventually('the job runs', () => gateway.log.includes('started'));
    gateway.lastTtlMs = 300;
    await done;
    expect(gateway.words).toEqual(['ack']);
  });

  it('given a runner that has to end, then the job is handed back as the runner’s fault', async () => {
    const done = carryOut(offer(`echo started; ${untilTold()}`));
    await eventually('the job runs', () => gateway.log.includes('started'));
    stopping.abort();
    await done;
    expect(gateway.reported('complete')).toMatchObject({
      outcome: 'failed',
      infrastructureError: { code: 'runner_shutdown' },
    });
  });

  it('given a folder that is asked for, then all of it is one artifact', async () => {
    const artifacts = [{ type: 'folder' as const, path: 'out', retentionDays: 1 }];
    await carryOut(offer('mkdir -p out/deep; echo a > out/a; echo b > out/deep/b', {}, { artifacts }));
    expect(gateway.reported('complete')).toMatchObject({ artifacts: [{ name: 'out.tar', type: 'file' }] });
  });

  it('given an artifact that is refused, then it is left behind, the others are kept, and the job has its verdict', async () => {
    gateway.refusedArtifact = 'out/huge.txt';
    const artifacts = [{ type: 'file' as const, path: 'out/*.txt', retentionDays: 1 }];
    await carryOut(offer('mkdir out; echo small > out/a.txt; echo big > out/huge.txt', {}, { artifacts }));
    expect(gateway.reported('complete')).toMatchObject({ outcome: 'succeeded', artifacts: [{ name: 'out/a.txt' }] });
    expect(gateway.log).toContain('artifact out/huge.txt was left behind');
  });

  const FAKE_SECRET = 'not-a-secret-of-anybody';

  it('given a step that shows its secrets in pieces and in disguise, then nothing that is said has them', async () => {
    const show = [
      'test "${#FAKE_SECRET}" -eq 23',
      'echo "as it is: $FAKE_SECRET"',
      'echo "in base64: $(printf "user:%s" "$FAKE_SECRET" | base64)"',
      'printf "cut: not-a-sec"; sleep 0.2; printf "ret-of-any\\033[1mbody\\n"',
      'echo "of no lasting harm: not-a-secret"',
    ].join('; ');
    await carryOut(offer(show, { secrets: { FAKE_SECRET } }));
    expect(gateway.reported('complete')).toMatchObject({ outcome: 'succeeded', logBytes: gateway.log.length });
    const said = gateway.heard.map(({ body }) => body.toString()).join('\n');
    expect(said).not.toContain(FAKE_SECRET);
    expect(said).not.toContain('bm90LWEtc2VjcmV0');
    expect(gateway.log).toContain('as it is: ***\n');
    expect(gateway.log).toMatch(/in base64: dXNlcjpu?\*\*\*\n/);
    expect(gateway.log).toContain('cut: ***\n');
    expect(gateway.log).toContain('of no lasting harm: not-a-secret\n');
  });

  it('given a secret in the name or the content of an artifact, then it is left behind', async () => {
    const artifacts = [{ type: 'file' as const, path: 'out/*', retentionDays: 1 }];
    const script = 'mkdir out; echo "$FAKE_SECRET" > out/told; echo a > "out/$FAKE_SECRET"; echo a > out/kept';
    await carryOut(offer(script, { secrets: { FAKE_SECRET } }, { artifacts }));
    expect(gateway.reported('complete')).toMatchObject({ outcome: 'succeeded', artifacts: [{ name: 'out/kept' }] });
    expect(gateway.log).toContain('artifact out/told was left behind: a secret of the job is in it');
    expect(gateway.log).toContain('artifact out/*** was left behind: a secret of the job is in its name');
  });

  it.each([
    ['are too short to be', { FAKE_SECRET: 'xyz' }, 'FAKE_SECRET'],
    [
      'are too much together to be',
      Object.fromEntries(['A', 'B', 'C'].map((name) => [name, name.repeat(30_000)])),
      '32768',
    ],
  ])(
    'given secrets that %s kept out of the log, then the job is refused, and no value is told',
    async (_, secrets, why) => {
      await carryOut(offer('echo ran', { secrets }));
      expect(gateway.reported('complete')).toMatchObject({
        outcome: 'failed',
        infrastructureError: { code: 'secret_unavailable', message: expect.stringContaining(why) },
      });
      expect(gateway.log).not.toContain('ran');
      const said = gateway.heard.map(({ body }) => body.toString()).join('\n');
      for (const value of Object.values(secrets)) expect(said).not.toContain(value);
    },
  );
});
