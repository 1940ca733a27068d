import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { amount, type Bench, type Measure } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { median } from '../report/percentile.ts';
import type { PlanOrder, PlanTimes } from '../world/plan-thread.ts';

const PACKAGES = 1_000;
const FILES = 50_000;
const COMMITS = 60;
const ROUNDS = 3;

export const plan: Measure = {
  name: 'plan',
  what: 'one change of a workspace of 1,000 packages planned, the first time and after a commit; the same with 50,000 files',
  run: async (bench) => [
    ...(await figuresOf(bench, '1000', { packages: PACKAGES, files: 0 })),
    ...(await figuresOf(bench, '50k', { packages: PACKAGES, files: FILES })),
  ],
};

async function figuresOf(bench: Bench, name: string, order: Omit<PlanOrder, 'commits'>): Promise<Figure[]> {
  const commits = amount(bench, COMMITS);
  const rounds: PlanTimes[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    bench.say(`${order.packages} packages, ${name}: round ${round} of ${ROUNDS}`);
    rounds.push(await timesOf(bench, { ...order, commits }));
  }
  const files = rounds[0]?.files.toLocaleString('en-US') ?? '';
  const warm = rounds.flatMap((round) => round.warm);
  return [
    {
      name: `plan.cold-${name}`,
      value: median(rounds.map(({ cold }) => cold)),
      unit: 'ms',
      note: `both sides, ${files} files, in a thread that planned nothing before; p50 of ${ROUNDS}`,
    },
    { name: `plan.warm-${name}`, value: median(warm), unit: 'ms', note: `p50 of ${warm.length} commits after it` },
  ];
}

async function timesOf({ scene }: Bench, order: PlanOrder): Promise<PlanTimes> {
  return scene.part(async (part) => {
    const thread = await part.open(
      () => new Worker(new URL('../world/plan-thread.ts', import.meta.url), { workerData: order }),
      async (opened) => opened.terminate(),
    );
    const [times] = (await once(thread, 'message')) as [PlanTimes];
    return times;
  });
}
