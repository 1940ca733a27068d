import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CompletionReport, LOG_BYTES_MAX } from '@delta-ci/contracts';
import { DUMMY_VARIABLE, DummyExecutor, type DummyBehaviour, type SandboxExecutor } from '@delta-ci/sandbox';
import { serveGit } from '../../../test/support/git-server/git-http-server.ts';
import { AttemptStage, WidgetSource } from './attempt-stage.fixture.ts';

let source: WidgetSource;
let stage: AttemptStage;
beforeAll(async () => {
  source = await WidgetSource.make();
});
afterAll(() => source.remove());
beforeEach(async () => {
  stage = await AttemptStage.open(source);
});
afterEach(() => stage.close());

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

describe('one leased attempt', () => {
  it('given a job that succeeds, then tree, log and report arrive, and nothing is left behind', async () => {
    await stage.carryOut(stage.offer('cat widget.txt'));
    expect(stage.gateway.words).toEqual(['ack', 'complete']);
    expect(stage.gateway.reported('complete')).toMatchObject({
      outcome: 'succeeded',
      exitCode: 0,
      steps: [{ name: 'test', exitCode: 0 }],
      logBytes: Buffer.byteLength(stage.gateway.log),
    });
    expect(stage.gateway.log).toContain('turns\n');
    expect((await readdir(stage.workDir)).filter((name) => name !== 'sandboxes')).toEqual([]);
  });

  it('given more output than a log may hold, then its end is kept, as the last step’s, and the count of what is left out is true', async () => {
    const MiB = 1024 * 1024;
    const loud = `yes 'a line of 32 bytes as a job has' | head -c ${80 * MiB}`;
    await stage.carryOut(stage.offer(`${loud}; echo; echo 'Error: the last line tells why'; exit 7`));
    const report = CompletionReport.parse(stage.gateway.reported('complete'));
    const { log } = stage.gateway;
    expect(report).toMatchObject({ outcome: 'failed', exitCode: 7, logTruncated: true, logBytes: log.length });
    expect(report.steps.at(-1)?.logRange.to).toBe(log.length);
    expect(log.length).toBeLessThanOrEqual(LOG_BYTES_MAX);
    expect(log.endsWith('\nError: the last line tells why\n')).toBe(true);
    const [, leftOut] = /^\[delta\] (\d+) bytes were left out$/m.exec(log) ?? [];
    const printed = 80 * MiB + '\nError: the last line tells why\n'.length;
    const ownLines = log.match(/^\[delta\] .*\n/gm)?.join('').length ?? 0;
    // One line feed is the marker's own: it stands in a line for itself.
    expect(Number(leftOut)).toBe(printed - (log.length - ownLines - 1));
  });

  it('given a job that is to run beside a service, then nothing of it runs, and the report says what is missing', async () => {
    const services = [{ name: 'db', image: 'postgres:17', ports: [5432], env: {}, health: null }];
    await stage.carryOut(stage.offer('touch ran', {}, { services }));
    expect(stage.gateway.reported('complete')).toMatchObject({
      outcome: 'failed',
      steps: [],
      infrastructureError: {
        code: 'not_offered',
        message: 'the job is to run beside db (postgres:17), and this runner starts no services',
      },
    });
  });

  it('given a job that asks for more than its list, then log and report say what it was refused', async () => {
    const egress = { allow: ['registry.example.org'] };
    await stage.carryOut(stage.offer('ignored', {}, { egress }), askingFor('evil.example.org:443'), 'proxy');
    expect(stage.gateway.log).toContain("[delta] egress refused: evil.example.org:443, not on the job's allow-list\n");
    expect(stage.gateway.reported('complete')).toMatchObject({
      outcome: 'succeeded',
      egress: [{ host: 'evil.example.org', port: 443, decision: 'refused', reason: 'not-listed', count: 1 }],
    });
  });

  it('given a tier that cannot keep a job to its list, then nothing of the job runs', async () => {
    await stage.carryOut(
      stage.offer('touch ran', {}, { egress: { allow: ['registry.example.org'] } }),
      stage.asMyself(),
      'proxy',
    );
    expect(stage.gateway.reported('complete')).toMatchObject({
      steps: [],
      infrastructureError: { code: 'layer_missing', message: expect.stringContaining('tier process cannot enforce') },
    });
  });

  it('given a source over HTTP, then one request brings it, and the job runs on it', async () => {
    const served = await serveGit(source.place);
    try {
      await stage.carryOut(
        stage.offer('cat widget.txt', { source: { ...source.access, cloneUrl: `${served.url}/widgets.git` } }),
      );
      expect(served.requests).toEqual(['POST /widgets.git/git-upload-pack']);
    } finally {
      await served.close();
    }
    expect(stage.gateway.reported('complete')).toMatchObject({ outcome: 'succeeded' });
    expect(stage.gateway.log).toContain('turns\n');
  });

  it('given a commit that the remote has not, then no step runs and the report says so', async () => {
    await stage.carryOut(stage.offer('echo never', { source: { ...source.access, commit: 'd'.repeat(40) } }));
    expect(stage.gateway.reported('complete')).toMatchObject({
      outcome: 'failed',
      steps: [],
      infrastructureError: { code: 'source_unavailable' },
    });
  });

  it('given a commit with another tree than planned, then no step runs and the report says so', async () => {
    const mark = join(source.place, 'was-run');
    await stage.carryOut(stage.offer(`touch '${mark}'`, { source: { ...source.access, tree: 'e'.repeat(40) } }));
    expect(stage.gateway.reported('complete')).toMatchObject({
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
    await stage.carryOut(stage.offer('ignored', {}, { env }), new DummyExecutor());
    expect(stage.gateway.reported('complete')).toMatchObject(reported);
  });
});
