import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestMesh, type TestMesh } from '../support/mesh/index.ts';
import { recordHistory } from './history.ts';
import { RECORDED_REPOSITORY, STORIES } from './stories.ts';

const DELTA = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'apps', 'cli', 'dist', 'main.js');
/** Names the release whose history is to be written; see the page beside this file. */
const RECORDED_AS = process.env['DELTA_RECORD_HISTORY'] ?? '';

/** Runs of every kind, on the whole mesh, and what `delta replay` says of them. */
describe('real runs', () => {
  let system: TestMesh;
  const runIds: string[] = [];

  beforeAll(async () => {
    system = await startTestMesh({ repositories: [RECORDED_REPOSITORY] });
  }, 120_000);

  afterAll(async () => {
    if (RECORDED_AS !== '') await recordHistory(RECORDED_AS, system);
    await system.finish();
  }, 120_000);

  it.each(Object.entries(STORIES))(
    'given that %s, when it is over, then every decision, its plan included, is made again without a difference',
    async (_, story) => {
      const told = await story(system);
      runIds.push(...told);
      for (const runId of told) {
        const { code, answer } = await replayed(system, runId);
        expect(answer).toMatchObject({ runId, differences: [], planning: { verdict: 'same' } });
        expect(code).toBe(0);
      }
    },
    120_000,
  );

  it('given all of them, when the log is folded again, then it leads to the tables and to every checkpoint', async () => {
    const { code, answer } = await replayed(system, '--verify');
    expect(answer).toMatchObject({ equal: true, checkpoints: { differing: [] } });
    expect(code).toBe(0);
  });

  it('given the position at which an attempt was queued, when it is asked for, then the attempt waits there, and says for what', async () => {
    const [queued] = await system.ask<{ position: string; correlation: string; job_key: string }>(
      `SELECT position, correlation, data ->> 'jobKey' AS job_key FROM event_json WHERE type = 'attempt.queued' ORDER BY position LIMIT 1`,
    );
    if (queued === undefined) throw new Error('nothing was ever queued');
    const { position, correlation, job_key } = queued;
    const { answer } = await said(system, ['at', position]);
    expect(answer).toMatchObject({
      position: Number(position),
      runs: [{ runId: correlation }],
      queue: [{ runId: correlation, jobKey: job_key }],
      leases: [],
    });
    const why = await said(system, ['at', position, '--job', `${correlation}/${job_key}`]);
    expect(why.answer).toMatchObject({
      state: 'active',
      why: { sentence: expect.stringContaining(job_key) as unknown },
    });
  });

  it('given a table that was meddled with, when the log is folded again, then the row is named', async () => {
    const [runId = ''] = runIds;
    await system.ask(`UPDATE run SET reason = 'because I say so' WHERE run_id = $1`, [runId]);
    const { code, answer } = await replayed(system, '--verify', system.mesh.orchestratorDatabaseUrl);
    await system.ask(`UPDATE run SET reason = $2 WHERE run_id = $1`, [runId, await reasonOf(system, runId)]);
    expect(answer).toMatchObject({ equal: false, named: { tables: [{ table: 'run', differing: [runId] }] } });
    expect(code).toBe(1);
  });
});

/** What the run's last word says. */
async function reasonOf(system: TestMesh, runId: string): Promise<string> {
  const [row] = await system.ask<{ reason: string }>(
    `SELECT data ->> 'reason' AS reason FROM event_json WHERE correlation = $1 AND type = 'run.finished'`,
    [runId],
  );
  return row?.reason ?? '';
}

async function replayed(
  system: TestMesh,
  what: string,
  databaseUrl = readFileSync(join(system.mesh.directory, 'reader-url'), 'utf8'),
): Promise<Said> {
  const places = ['--database-url', databaseUrl, '--artifacts', join(system.mesh.directory, 'artifacts')];
  return said(system, ['replay', what, ...places]);
}

interface Said {
  readonly code: number;
  readonly answer: unknown;
}

/** The program itself, as a person would call it. */
async function said({ mesh }: TestMesh, args: readonly string[]): Promise<Said> {
  const env = { ...process.env, DELTA_GATEWAY_URL: mesh.gatewayUrl, DELTA_TOKEN: mesh.adminToken };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [DELTA, ...args, '--json'], { env }, (error, stdout, stderr) => {
      if (stdout === '') reject(new Error(`delta ${args.join(' ')} said nothing: ${stderr}`, { cause: error }));
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, answer: JSON.parse(stdout) });
    });
  });
}
