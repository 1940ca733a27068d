import { amount, type Bench, type Measure } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { percentile } from '../report/percentile.ts';
import { controlPlane, type ControlPlane } from '../world/control-plane.ts';
import { lifecycles, RUNS } from '../world/lifecycles.ts';
import { rawDispatch } from '../world/raw-dispatch.ts';
import { busWorkers } from '../world/workers.ts';

const JOBS = 5_000;
const RUNNERS = [10, 100] as const;

export const jobsBus: Measure = {
  name: 'jobs-bus',
  what: 'jobs per second through the bus: queued, leased, acknowledged, completed; raw: queue and five rows in the same steps',
  run: async (bench) => {
    const plane = await controlPlane(bench.scene);
    await lifecycles(plane, await busWorkers(plane.commands, 10), 200, bench.scene.over);
    const figures: Figure[] = [];
    for (const runners of RUNNERS) figures.push(...(await withRunners(bench, plane, runners)));
    return figures;
  },
};

async function withRunners(bench: Bench, plane: ControlPlane, runners: number): Promise<Figure[]> {
  const jobs = amount(bench, JOBS);
  bench.say(`${jobs} jobs, ${runners} runners`);
  const servers = { natsUrl: plane.mesh.natsUrl, databaseUrl: plane.mesh.adminDatabaseUrl };
  const floor = await rawDispatch(bench.scene, servers, { jobs, inFlight: runners });
  const workers = await busWorkers(plane.commands, runners);
  const drained = await lifecycles(plane, workers, jobs, bench.scene.over);
  const raw = { what: 'dispatching and recording in the same steps', value: floor.jobsPerSecond };
  const note = `${jobs} jobs of ${RUNS} runs, ${runners} runners`;
  return [
    { name: `jobs-bus.at-${runners}`, value: drained.perSecond, unit: '/s', raw, note },
    { name: `jobs-bus.p50-at-${runners}`, value: percentile(drained.lifecycleMs, 0.5), unit: 'ms' },
    { name: `jobs-bus.p99-at-${runners}`, value: percentile(drained.lifecycleMs, 0.99), unit: 'ms' },
    {
      name: `jobs-bus.jetstream-publish-at-${runners}`,
      value: floor.publishedPerSecond,
      unit: '/s',
      note: 'raw, 100 under way',
    },
  ];
}
