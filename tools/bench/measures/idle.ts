import { setTimeout as pause } from 'node:timers/promises';
import { SERVICE_NAMES } from '../../mesh/service-table.ts';
import type { Measure } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { cpuShareDuring, memoryMbOfAll, sum } from '../world/processes.ts';
import { wholeMesh } from '../world/whole-mesh.ts';

/** What starting leaves behind is collected and compiled by then. */
const SETTLING_MS = 15_000;
const WATCHED_MS = 30_000;

export const idle: Measure = {
  name: 'idle',
  what: 'memory and processor of every service, its runners and servers while nothing happens',
  run: async ({ scene, say, share }) => {
    const { mesh, postgres, nats, push } = await wholeMesh(scene);
    const { deliver, settled } = await push(['true']);
    await settled(await deliver());
    say('coming to rest');
    await pause(SETTLING_MS * share);
    say('watching');
    const services = SERVICE_NAMES.map((name) => ({ name, pid: mesh.service(name).pid ?? 0 }));
    const all: { name: string; pid: number }[] = [
      ...services,
      { name: 'postgres', pid: postgres.pid() },
      { name: 'nats-server', pid: nats.pid() },
    ];
    const cpu = await cpuShareDuring(
      all.map(({ pid }) => pid),
      async () => pause(WATCHED_MS * share),
    );
    const memory = all.map(({ pid }) => memoryMbOfAll([pid]));
    const note = 'proportional set size; the runner-controller with the runners it keeps ready';
    return [
      { name: 'idle.memory', value: sum(memory), unit: 'MB', note },
      { name: 'idle.cpu', value: sum(cpu), unit: '% of a core' },
      ...all.flatMap(({ name }, at): Figure[] => [
        { name: `idle.${name}-memory`, value: memory[at] ?? Number.NaN, unit: 'MB' },
        { name: `idle.${name}-cpu`, value: cpu[at] ?? Number.NaN, unit: '% of a core' },
      ]),
    ];
  },
};
