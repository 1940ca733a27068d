import { spawnSync } from 'node:child_process';
import { SERVICE_NAMES } from '../../../tools/mesh/service-table.ts';
import type { ServiceProcess } from '../../../tools/mesh/service-process.ts';
import { eventually } from '../../support/infra/index.ts';
import { QUICK } from '../../support/mesh/index.ts';
import { StubbornRunner } from '../hands/stubborn-runner.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

/**
 * Leases that outlast an orchestrator that is killed before it has served for long: otherwise every kill costs every
 * running job an attempt, and on a slow machine more of them than its budget has.
 */
const LASTING_LEASES = {
  ...QUICK,
  DELTA_LEASE_TTL_MS: '20000',
  DELTA_LEASE_ACCEPTANCE_MS: '8000',
  DELTA_DISPATCH_VISIBILITY_MS: '21000',
};

export const ORCHESTRATOR_SCENARIOS: readonly Scenario[] = [
  {
    name: 'orchestrator-killed',
    hurts: 'the orchestrator, killed with -9 every two seconds under load',
    shows: 'what was committed stands, and the rest is sent again under the same id',
    mesh: { env: LASTING_LEASES },
    slackMs: 30_000,
    act: async (stage) => {
      const killing = stage.killAgainAndAgain('orchestrator', 5, 2_000);
      await stage.changes('under-kills', 6);
      const kills = await killing;
      await stage.settle();
      return { kills };
    },
  },
  {
    name: 'jobs-through-kills',
    hurts:
      'the orchestrator, killed with -9 every two seconds while ten runners take two hundred jobs as fast as they get them',
    shows: 'each attempt is given to one runner and ends once, however often its grant or its end was not answered',
    mesh: { env: LASTING_LEASES },
    slackMs: 30_000,
    act: async (stage) => {
      // By a runner with a sandbox: those who do nothing would take it as well, and leave no artifact.
      await stage.change('before-many');
      await stage.settle();
      const { runId } = await stage.changeOfMany('many', JOBS, LABEL);
      let over = false;
      const working = Promise.all((await stubbornRunners(stage)).map(async (runner) => runner.work(() => over)));
      const kills = await stage.killAgainAndAgain('orchestrator', 4, 2_000);
      await stage.settle().finally(() => {
        over = true;
      });
      const completions = (await working).reduce((sum, accepted) => sum + accepted, 0);
      const { jobs } = await stage.system.api.run(runId);
      if (jobs.length !== JOBS) throw new Error(`${jobs.length} jobs were planned of ${JOBS}`);
      return { kills, 'completions accepted': completions };
    },
  },
  {
    name: 'crash-points',
    hurts: 'the orchestrator, dead at each point between two things that belong together',
    shows: 'wherever it dies, the run goes on from what is committed',
    slackMs: 30_000,
    act: async (stage) => {
      const provoked: Record<string, number> = {};
      for (const point of crashPointsOf(stage.service('orchestrator'))) provoked[point] = await dieAt(stage, point);
      await stage.settle();
      return provoked;
    },
  },
  {
    name: 'two-orchestrators',
    hurts: 'the rule of one: two orchestrators at work on one log, each killed once beside the other',
    shows: 'they share the work, relay one after the other, and what one leaves behind the other takes up',
    slackMs: 30_000,
    act: async (stage) => {
      const first = stage.service('orchestrator');
      const second = await stage.second('orchestrator');
      await stage.changes('by-two', 2);
      const kills = {
        'first killed': await killedOnce(stage, first),
        'second killed': await killedOnce(stage, second),
      };
      await stage.changes('by-two-again', 2);
      await stage.settle();
      return kills;
    },
  },
  {
    name: 'rolling-restart',
    hurts:
      'every service in turn, told to end and started again under load; one build alone, so it stands for an upgrade',
    shows: 'work in hand is finished or handed back, and nothing waits for a service that is gone',
    slackMs: 30_000,
    act: async (stage) => {
      const loading = stage.changes('while-rolling', 6);
      let restarts = 0;
      for (const name of SERVICE_NAMES) {
        await stage.service(name).stop();
        await stage.service(name).start();
        restarts += 1;
      }
      await loading;
      await stage.settle();
      return { restarts };
    },
  },
];

const JOBS = 200;
const RUNNERS = 10;
/** Only those who do nothing offer it, so runners with sandboxes leave these jobs alone. */
const LABEL = 'does-nothing';

async function stubbornRunners({ system: { mesh, effects } }: Stage): Promise<StubbornRunner[]> {
  const { gatewayUrl, registrationToken } = mesh;
  const names = Array.from({ length: RUNNERS }, (_, index) => `stubborn-${index}`);
  return Promise.all(
    names.map(async (name) =>
      StubbornRunner.register({ gatewayUrl, registrationToken, name, labels: [LABEL] }, effects),
    ),
  );
}

/** Every point the program has: asked for one it has not, it refuses to start and names them. */
function crashPointsOf({ spec: { entry, env } }: ServiceProcess): string[] {
  const asked = spawnSync(process.execPath, [entry], {
    env: { ...env, DELTA_CRASH_AT: 'nowhere' },
    encoding: 'utf8',
  });
  const named = /DELTA_CRASH_AT is "nowhere", expected one of ([a-z, -]+), or/u.exec(asked.stderr)?.[1];
  if (named === undefined) throw new Error(`an unknown crash point was not refused by name: ${asked.stderr}`);
  return named.split(', ');
}

/** Starts the orchestrator anew with an order to die, gives it work, and waits for the order to be carried out. */
async function dieAt(stage: Stage, point: string): Promise<number> {
  const service = stage.service('orchestrator');
  await service.stop();
  service.spec.env['DELTA_CRASH_AT'] = point;
  const started = service.start();
  const { pid } = service;
  await started.catch(() => undefined);
  // Whoever takes its place has no such order.
  delete service.spec.env['DELTA_CRASH_AT'];
  await Promise.all([
    stage.change(point),
    eventually(`the orchestrator dies ${point}`, () => service.pid !== pid, { deadline_ms: 60_000 }),
  ]);
  await service.ready();
  return 1;
}

async function killedOnce(stage: Stage, service: ServiceProcess): Promise<number> {
  const { held, change } = await stage.runningChange(`beside-${service.pid ?? 0}`);
  await service.crash('SIGKILL');
  held.release();
  await stage.system.runWhen('is finished', change.runId, ({ state }) => state === 'finished');
  await service.ready();
  return 1;
}
