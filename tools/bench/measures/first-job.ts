import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunPage, RunView } from '@delta-ci/contracts';
import { eventually } from '../../../test/support/infra/eventually.ts';
import type { Measure } from '../measure.ts';
import { adminTokenFile } from '../../mesh/service-table.ts';
import { ROOT } from '../world/control-plane.ts';
import { findRunningMesh } from '../../start/single-instance.ts';

const START_LIMIT_MS = 120_000;

export const firstJob: Measure = {
  name: 'first-job',
  what: 'from `npm start`, packages present, to the first job of its demonstration under way',
  run: async ({ scene, say }) => {
    const stateDir = join(await scene.directory('start'), 'state');
    say('what npm start runs');
    const startedAt = performance.now();
    const start = ['tools/bootstrap/main.mjs', 'start', '--', 'node', 'tools/start/main.ts'];
    const options = ['--headless', '--port', '0', '--state-dir', stateDir];
    const started = await scene.open(
      () => spawn(process.execPath, [...start, ...options], { cwd: ROOT, stdio: 'ignore' }),
      async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, 'exit');
        child.kill('SIGTERM');
        await gone;
      },
    );
    const failed = once(started, 'exit').then(([code]) => {
      throw new Error(`npm start ended with ${String(code)}`);
    });
    const underWay = eventually('a job is under way', async () => jobUnderWay(stateDir), {
      deadline_ms: START_LIMIT_MS,
    });
    await Promise.race([underWay, failed]);
    const value = (performance.now() - startedAt) / 1_000;
    return [
      {
        name: 'first-job.started',
        value,
        unit: 's',
        note: 'with an empty state directory, without the start of npm itself',
      },
    ];
  },
};

async function jobUnderWay(stateDir: string): Promise<boolean> {
  const mesh = findRunningMesh(stateDir);
  if (mesh === null) return false;
  const authorization = `Bearer ${readFileSync(adminTokenFile(stateDir), 'utf8').trim()}`;
  const get = async (path: string): Promise<unknown> =>
    (await fetch(`${mesh.gatewayUrl}/api/v1${path}`, { headers: { authorization } })).json();
  const { runs } = (await get('/runs')) as RunPage;
  const [run] = runs;
  if (run === undefined) return false;
  const { jobs } = (await get(`/runs/${run.runId}`)) as RunView;
  return jobs.some(({ attempts }) => attempts.some(({ state }) => state !== 'queued'));
}
