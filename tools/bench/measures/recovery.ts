import { join } from 'node:path';
import pg from 'pg';
import { eventually } from '../../../test/support/infra/eventually.ts';
import { processesThatMention } from '../../../test/support/mesh/processes.ts';
import type { Mesh } from '../../mesh/mesh.ts';
import { SERVICE_NAMES } from '../../mesh/service-table.ts';
import type { Measure } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { median } from '../report/percentile.ts';
import { api } from '../world/control-plane.ts';
import { timesOf } from '../world/log-times.ts';
import { wholeMesh, type WholeMesh } from '../world/whole-mesh.ts';

/** A lease of five seconds instead of two minutes: what is measured is what comes on top of it. */
const LEASE_TTL_MS = 5_000;
const TIMINGS = {
  DELTA_LEASE_TTL_MS: String(LEASE_TTL_MS),
  DELTA_HEARTBEAT_MS: '1000',
  DELTA_HEARTBEAT_JITTER_MS: '1000',
  DELTA_DISPATCH_VISIBILITY_MS: '7000',
};
/** By which a lost runner has to be noticed after its lease ran out. */
const NOTICED_WITHIN_MS = 10_000;
const UNDISTURBED = 3;

export const recovery: Measure = {
  name: 'recovery',
  what: 'something is killed and a change is pushed at that moment: how long until it is finished and shown; raw: undisturbed',
  run: async (bench) => {
    const whole = await wholeMesh(bench.scene, TIMINGS);
    await takeChange(whole, async () => undefined);
    const usual: number[] = [];
    for (let change = 0; change < UNDISTURBED; change += 1) usual.push(await takeChange(whole, async () => undefined));
    const raw = { what: 'a change that nothing disturbs', value: median(usual) / 1_000 };
    const figures: Figure[] = [];
    for (const [name, kill] of kills(whole)) {
      bench.say(`${name} is killed`);
      const value = (await takeChange(whole, kill)) / 1_000;
      figures.push({ name: `recovery.${name}`, value, unit: 's', raw });
    }
    bench.say('a runner is killed');
    return [...figures, await lostRunner(whole)];
  },
};

/** Services come back by their supervisor; a server is started again at once, as an init system would. */
function kills({ mesh, postgres, nats }: WholeMesh): [string, () => Promise<void>][] {
  const services = SERVICE_NAMES.map((name): [string, () => Promise<void>] => [
    name,
    async () => mesh.service(name).crash('SIGKILL'),
  ]);
  const restarted = async (server: WholeMesh['postgres']): Promise<void> => {
    await server.kill();
    await server.start();
  };
  return [...services, ['postgres', async () => restarted(postgres)], ['nats-server', async () => restarted(nats)]];
}

/** @returns milliseconds from the kill until the change pushed at that moment is finished, shown, and everybody is back */
async function takeChange({ mesh, push }: WholeMesh, kill: () => Promise<void>): Promise<number> {
  const { deliver, settled } = await push(['true']);
  const startedAt = performance.now();
  await kill();
  await settled(await deliver());
  await everybodyReady(mesh);
  return performance.now() - startedAt;
}

async function everybodyReady(mesh: Mesh): Promise<void> {
  await eventually('every service is ready', () => SERVICE_NAMES.every((name) => mesh.service(name).state === 'ready'));
}

/** From the kill of a runner at work to the end of its attempt in the log. */
async function lostRunner({ mesh, push, run }: WholeMesh): Promise<Figure> {
  const { deliver } = await push(['sleep 300']);
  const runId = await deliver();
  const runnerId = await eventually('the job runs', async () => {
    const attempt = (await run(runId)).jobs[0]?.attempts.at(-1);
    return attempt?.state === 'running' && attempt.runnerId;
  });
  const killedAt = Date.now();
  process.kill(await processOf(mesh, runnerId), 'SIGKILL');
  const endedAt = await eventually(
    'the attempt has ended',
    async () => (await timesOf(mesh.adminDatabaseUrl, runId, ['attempt.finished']))['attempt.finished'],
    { deadline_ms: 60_000 },
  );
  await api(mesh, `/runs/${runId}/cancel`, { method: 'POST', body: JSON.stringify({ reason: 'measured' }) });
  const raw = { what: 'its lease and ten seconds', value: (LEASE_TTL_MS + NOTICED_WITHIN_MS) / 1_000 };
  const note = `a lease of ${LEASE_TTL_MS / 1_000} s`;
  return { name: 'recovery.runner-noticed', value: (endedAt - killedAt) / 1_000, unit: 's', raw, note };
}

async function processOf({ adminDatabaseUrl }: Mesh, runnerId: string): Promise<number> {
  const client = new pg.Client({ connectionString: adminDatabaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>('SELECT name FROM runner WHERE runner_id = $1', [runnerId]);
    const entry = join('apps', 'runner', 'dist', 'main.js');
    const found = processesThatMention(`DELTA_RUNNER_NAME=${rows[0]?.name ?? 'nobody'}`);
    const [runner] = found.filter(({ commandLine }) => commandLine.includes(entry));
    if (runner === undefined) throw new Error(`no process of runner ${runnerId}`);
    return runner.pid;
  } finally {
    await client.end();
  }
}
