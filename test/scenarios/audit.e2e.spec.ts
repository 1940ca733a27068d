import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PlanStatement } from '@delta-ci/contracts';
import { rebuildProjections } from '@delta-ci/event-log';
import { eventually } from '../support/infra/index.ts';
import { QUICK, configWith, startTestMesh, type TestMesh } from '../support/mesh/index.ts';

const DEMO = 'demo/audited';
const ROOT = dirname(dirname(import.meta.dirname));
const DELTA = join(ROOT, 'apps', 'cli', 'bin', 'delta.mjs');

interface Ended {
  code: number;
  output: string;
}

/** A mesh that signs its log, and somebody at a terminal who does not believe it. */
describe('the audit of a mesh', () => {
  let system: TestMesh;
  let runId: string;
  let directory: string;

  beforeAll(async () => {
    system = await startTestMesh({
      repositories: [DEMO],
      env: { ...QUICK, DELTA_CHECKPOINT_INTERVAL_MS: '500', DELTA_CHECKPOINT_EVENTS: '5' },
    });
    directory = await mkdtemp(join(tmpdir(), 'delta-auditor-'));
    await system.push(DEMO, 'configure', { 'delta.yaml': configWith({ quick: { steps: ['true'] } }) });
    runId = (await system.change(DEMO, 'a change', { 'notes.txt': 'a change' })).runId;
    await system.settled(runId);
    await system.runWhen('is under a checkpoint', runId, ({ checkpoint }) => checkpoint !== null);
  }, 120_000);

  afterAll(async () => {
    await system.finish();
    await rm(directory, { recursive: true, force: true });
  }, 120_000);

  const delta = async (...args: readonly string[]): Promise<Ended> => {
    const { mesh } = system;
    const env = {
      PATH: process.env['PATH'] ?? '',
      DELTA_GATEWAY_URL: mesh.gatewayUrl,
      DELTA_TOKEN: mesh.adminToken,
      DELTA_CHECKPOINT_KEYS_DIR: join(mesh.directory, 'checkpoint-keys'),
    };
    return promisify(execFile)(process.execPath, [DELTA, ...args], { cwd: directory, env }).then(
      ({ stdout }) => ({ code: 0, output: stdout }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        output: error.stdout + error.stderr,
      }),
    );
  };

  it('given a run that ended, when the log is verified through the gateway, then it is as recorded', async () => {
    const { code, output } = await delta('audit', 'verify');
    expect([output, code]).toEqual([expect.stringMatching(/^as recorded \d+ records recomputed/), 0]);
    expect(output).toMatch(/[1-9]\d* checkpoints? fit; signed up to \d+/);
  });

  it('given a run that ended, when it is exported, then the file proves it without the mesh', async () => {
    expect((await delta('audit', 'export', '--run', runId, '--out', 'run.bundle')).code).toBe(0);
    const { code, output } = await delta('audit', 'check', 'run.bundle');
    expect([output, code]).toEqual([expect.stringContaining('delivery.accepted'), 0]);
    expect(output).toContain('run.finished');
    expect((await delta('runs', 'view', runId)).output).toMatch(/signed by the checkpoint at \d+ of 20/);
  });

  it('given a run that ended, when it is attested, then the file says what ran, offline and by hand', async () => {
    const key = join(system.mesh.directory, 'orchestrator', 'checkpoint-key.pem');
    const made = await delta('attest', runId, '--output', 'run.attestation.json', '--key', key);
    expect([made.output, made.code]).toEqual([expect.stringContaining('1 job that ran and 0 jobs that did not'), 0]);
    const { code, output } = await delta('attest', 'verify', 'run.attestation.json', '--json');
    const { statement } = JSON.parse(output) as { statement: PlanStatement };
    expect([code, statement.predicate.run.id]).toEqual([0, runId]);
    expect(statement.predicate.ran).toMatchObject([{ key: 'quick', outcome: 'succeeded', attempts: [{ attempt: 1 }] }]);
    await writeFile(join(directory, 'by-hand.sh'), await procedureIn('docs/attestation.md'));
    const [publicKey] = await readdir(join(system.mesh.directory, 'checkpoint-keys'));
    const byHand = await promisify(execFile)('sh', ['-e', 'by-hand.sh'], {
      cwd: directory,
      env: {
        PATH: process.env['PATH'] ?? '',
        FILE: 'run.attestation.json',
        KEY: join(system.mesh.directory, 'checkpoint-keys', publicKey ?? ''),
      },
    });
    expect(byHand.stdout).toContain('Signature Verified Successfully');
    expect(JSON.parse(await readFile(join(directory, 'statement.json'), 'utf8'))).toEqual(statement);
  });

  it('given checkpoints, when they are listed, then each is in the log and in the store', async () => {
    const places = await eventually('a checkpoint is in both places', async () => {
      const { output } = await delta('audit', 'checkpoints');
      return output.includes('log, store') && output;
    });
    expect(places).toMatch(/^POSITION +TIME +KEY +WHERE +HASH\n/);
  });

  it('given a signing key, when everything was logged, then no line of it is in any log', async () => {
    const key = await readFile(join(system.mesh.directory, 'orchestrator', 'checkpoint-key.pem'), 'utf8');
    const lines = key.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
    expect(lines).toHaveLength(1);
    const logs = join(system.mesh.directory, 'logs');
    for (const name of await readdir(logs)) {
      const text = await readFile(join(logs, name), 'utf8');
      for (const line of lines) expect([name, text.includes(line)]).toEqual([name, false]);
    }
  });

  it('given checkpoints, when the tables are folded from the log, then they are what the mesh has', async () => {
    expect((await rebuildProjections({ databaseUrl: system.mesh.adminDatabaseUrl })).equal).toBe(true);
  });
});

/** The one procedure of a page: what people would copy. */
async function procedureIn(page: string): Promise<string> {
  const text = await readFile(join(ROOT, page), 'utf8');
  return text.split('## By hand')[1]?.split('```sh\n')[1]?.split('```')[0] ?? '';
}
