import { amount, type Bench, type Measure } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { percentile } from '../report/percentile.ts';
import { controlPlane, type ControlPlane } from '../world/control-plane.ts';
import { HttpClient } from '../world/http-client.ts';
import { lifecycles, RUNS } from '../world/lifecycles.ts';
import { rawHttp } from '../world/raw-http.ts';
import { httpWorkers } from '../world/workers.ts';

const JOBS = 5_000;
const RUNNERS = [10, 100] as const;
/** Lease, acknowledge, complete. */
const REQUESTS_PER_JOB = 3;

export const jobsHttp: Measure = {
  name: 'jobs-http',
  what: 'jobs per second through the whole runner protocol; raw: three requests to a bare HTTP server',
  run: async (bench) => {
    const plane = await controlPlane(bench.scene);
    const client = await bench.scene.open(
      () => new HttpClient(plane.mesh.gatewayUrl),
      (opened) => opened.close(),
    );
    await lifecycles(plane, await httpWorkers(client, plane.mesh.registrationToken, 10), 200, bench.scene.over);
    const figures: Figure[] = [];
    for (const runners of RUNNERS) figures.push(...(await withRunners(bench, plane, client, runners)));
    return figures;
  },
};

async function withRunners(bench: Bench, plane: ControlPlane, client: HttpClient, runners: number): Promise<Figure[]> {
  const jobs = amount(bench, JOBS);
  bench.say(`${jobs} jobs, ${runners} runners`);
  const requests = await rawHttp(bench.scene, { requests: jobs * REQUESTS_PER_JOB, inFlight: runners });
  const workers = await httpWorkers(client, plane.mesh.registrationToken, runners);
  const drained = await lifecycles(plane, workers, jobs, bench.scene.over);
  const raw = { what: 'three requests to a bare server', value: requests / REQUESTS_PER_JOB };
  const note = `${jobs} jobs of ${RUNS} runs, ${runners} runners`;
  return [
    { name: `jobs-http.at-${runners}`, value: drained.perSecond, unit: '/s', raw, note },
    { name: `jobs-http.p50-at-${runners}`, value: percentile(drained.lifecycleMs, 0.5), unit: 'ms' },
    { name: `jobs-http.p99-at-${runners}`, value: percentile(drained.lifecycleMs, 0.99), unit: 'ms' },
  ];
}
