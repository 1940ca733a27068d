import { STREAMS } from '@delta-ci/contracts';
import { actAs } from '../engine/engine.ts';
import type { Host } from '../engine/host.ts';
import type { Random } from '../engine/random.ts';
import { forgetOneLease } from './forgetful-runner.ts';
import { TIMINGS } from './settings.ts';
import { CALM_FORGE } from './simulated-forge.ts';
import type { World } from './world.ts';

/** Puts it right again. @param lastedMs how long it was wrong */
type Heal = (lastedMs: number) => void;

export interface Fault {
  readonly name: string;
  readonly lastsMs: { readonly from: number; readonly to: number };
  /** Null: there is nothing now that could go wrong in this way. */
  readonly begin: (world: World, random: Random) => Heal | null;
}

const nothing: Heal = () => undefined;
const AT_ONCE = { from: 5_000, to: 5_000 };

const crash = (service: string): Fault => ({
  name: `crash ${service}`,
  lastsMs: AT_ONCE,
  begin: (world, random) => {
    const { host } = random.pick(world.stationsOf(service));
    if (!host.isAlive) return null;
    if (service === 'orchestrator') world.sometimes.happened('an orchestrator crashed');
    host.die();
    return nothing;
  },
});

const stopInOrder: Fault = {
  name: 'stop an orchestrator in order',
  lastsMs: { from: 25_000, to: 25_000 },
  begin: (world, random) => {
    const station = random.pick(world.stationsOf('orchestrator'));
    if (!station.isServing) return null;
    world.sometimes.happened('an orchestrator ended in order');
    world.engine.after(0, station.host, 'SIGTERM', () => station.service.stop('SIGTERM'));
    return nothing;
  },
};

const freeze = (service: string): Fault => ({
  name: `freeze ${service}`,
  lastsMs: { from: 1_000, to: 60_000 },
  begin: (world, random) => {
    const { host } = random.pick(world.stationsOf(service));
    if (!host.isRunning) return null;
    host.freeze();
    return () => {
      if (service === 'reporter' && host.isFrozen) world.sometimes.happened('a reporter froze and came back');
      world.engine.thaw(host);
    };
  },
});

/** What a machine had still to say reaches us minutes later: that its job is done, or its last words again. */
function speakLater(world: World, random: Random, host: Host): void {
  const said = world.http.lastWordsOf(host);
  if (said === null || random.chance(0.15)) return;
  const waitMs = random.between(500, 200_000);
  const what = random.pick(['complete', 'complete', 'cancel-ack', 'ack', 'as it was']);
  world.engine.after(waitMs, null, `a runner speaks late: ${what}`, () => world.speakAs(said, what));
}

/** Whoever leads the relay sleeps until another has its office, and comes back in the middle of its work. */
const freezeLeader: Fault = {
  name: 'freeze the leader of the relay',
  lastsMs: { from: 4_500, to: 15_000 },
  begin: (world) => {
    const holder = world.database.holderOf('delta-office-relay')?.name ?? '';
    const leader = world.stationsOf('orchestrator').find(({ name }) => holder.startsWith(`${name}/`));
    if (leader === undefined || !leader.host.isRunning) return null;
    const { host } = leader;
    host.freeze();
    return () => world.engine.thaw(host);
  },
};

const killRunner: Fault = {
  name: 'kill a runner',
  lastsMs: AT_ONCE,
  begin: (world, random) => {
    const host = anyRunner(world, random);
    if (host === null) return null;
    speakLater(world, random, host);
    world.runners.kill(host);
    return nothing;
  },
};

const freezeRunner: Fault = {
  name: 'freeze a runner',
  lastsMs: { from: 2_000, to: 260_000 },
  begin: (world, random) => {
    const host = anyRunner(world, random);
    if (host === null || !host.isRunning) return null;
    speakLater(world, random, host);
    host.freeze();
    return (lastedMs) => {
      const longer = host.isFrozen && lastedMs > TIMINGS.leaseTtlMs;
      if (longer) world.sometimes.happened('a runner froze for longer than its lease and came back');
      world.engine.thaw(host);
    };
  },
};

const forgetLease: Fault = {
  name: 'a runner forgets its lease',
  lastsMs: { from: 90_000, to: 200_000 },
  begin: ({ engine, judge }) => {
    const host = engine.boot(`forgetful-${engine.steps}`);
    const forgetting = actAs(host, () => forgetOneLease(host, (what, status) => judge.answeredForEnded(what, status)));
    // Whatever goes wrong on its way ends it: it is nobody's runner.
    void forgetting.catch(() => undefined).finally(() => host.die());
    return () => host.die();
  },
};

function anyRunner({ runners }: World, random: Random): Host | null {
  return runners.alive.length === 0 ? null : random.pick(runners.alive);
}

const restartDatabase: Fault = {
  name: 'restart the database',
  lastsMs: { from: 200, to: 12_000 },
  begin: ({ database, sometimes }) => {
    if (!database.isUp) return null;
    sometimes.happened('the database restarted');
    database.stop();
    return () => database.start();
  },
};

const breakConnections: Fault = {
  name: 'break connections of the database',
  lastsMs: { from: 5_000, to: 60_000 },
  begin: ({ database: { weather } }, random) => {
    weather.breakBefore = random.pick([0, 0.005, 0.02]);
    weather.breakAfterCommit = random.pick([0.05, 0.2, 0.4]);
    return () => Object.assign(weather, { breakBefore: 0, breakAfterCommit: 0 });
  },
};

const slowDatabase: Fault = {
  name: 'slow database',
  lastsMs: { from: 5_000, to: 40_000 },
  begin: ({ database: { weather } }, random) => {
    weather.latencyMaxMs = random.between(50, 1_500);
    return () => Object.assign(weather, { latencyMaxMs: 3 });
  },
};

const cutOff: Fault = {
  name: 'cut a host off from the database',
  lastsMs: { from: 1_000, to: 60_000 },
  begin: ({ database, sometimes, stations }, random) => {
    const { host } = random.pick(stations.filter(({ name }) => !name.startsWith('planner')));
    if (!host.isAlive) return null;
    sometimes.happened('a host was cut off from the database');
    database.cutOff(host);
    return () => database.reconnect(host);
  },
};

const badWeather: Fault = {
  name: 'bad weather',
  lastsMs: { from: 5_000, to: 90_000 },
  begin: ({ weather, usualWeather }, random) => {
    weather.lose = random.pick([0, 0.02, 0.08, 0.2]);
    weather.repeat = random.pick([0, 0.05, 0.3]);
    weather.delay = random.pick([0, 0.05, 0.3]);
    weather.delayMaxMs = random.pick([500, 5_000, 40_000]);
    return () => Object.assign(weather, usualWeather);
  },
};

/** As if whoever queued an attempt died before it said so to the pool: only the tables know of it. */
export const loseDispatches: Fault = {
  name: 'what goes to the pools gets lost',
  lastsMs: { from: 10_000, to: 40_000 },
  begin: ({ weather }) => {
    weather.losesDispatches = true;
    return () => Object.assign(weather, { losesDispatches: false });
  },
};

const busAway: Fault = {
  name: 'the bus is away',
  lastsMs: { from: 500, to: 20_000 },
  begin: ({ busServer, sometimes }) => {
    if (!busServer.reachable) return null;
    sometimes.happened('the bus was away');
    busServer.setReachable(false);
    return () => busServer.setReachable(true);
  },
};

const loseStore: Fault = {
  name: 'the bus loses its store',
  lastsMs: AT_ONCE,
  begin: ({ busServer, sometimes, judge }) => {
    sometimes.happened('the store of the bus was lost');
    busServer.loseStore();
    judge.bus.look();
    return nothing;
  },
};

const truncate: Fault = {
  name: 'streams lose their tails',
  lastsMs: AT_ONCE,
  begin: ({ busServer, judge }, random) => {
    const stream = random.pick([STREAMS.events, STREAMS.events, STREAMS.reports, STREAMS.dispatch]);
    const last = busServer.streams.get(stream)?.lastSequence ?? 0;
    if (last === 0) return null;
    busServer.truncate(stream, Math.max(0, last - random.between(1, 20)));
    judge.bus.look();
    return nothing;
  },
};

const artifactStore: Fault = {
  name: 'the artifact store fails',
  lastsMs: { from: 2_000, to: 40_000 },
  begin: ({ artifacts, sometimes }, random) => {
    sometimes.happened('the artifact store failed');
    artifacts.failing = random.chance(0.6);
    artifacts.slowestMs = 3_000;
    return () => Object.assign(artifacts, { failing: false, slowestMs: 10 });
  },
};

const forge: Fault = {
  name: 'the forge fails',
  lastsMs: { from: 5_000, to: 90_000 },
  begin: ({ forge: { weather }, sometimes }, random) => {
    sometimes.happened('the forge failed');
    weather.error = random.pick([0, 0.1, 0.5, 1]);
    weather.rateLimit = random.pick([0, 0, 0.2]);
    weather.slowestMs = random.pick([3_000, 8_000, 14_000]);
    weather.redeliver = 0.4;
    return () => Object.assign(weather, CALM_FORGE);
  },
};

const forgeAtEnds: Fault = {
  name: 'the forge fails where something ends',
  lastsMs: { from: 40_000, to: 120_000 },
  begin: ({ forge: { weather }, sometimes }, random) => {
    sometimes.happened('the forge failed where something ended');
    weather.endsFirst = random.chance(0.6);
    if (weather.endsFirst) weather.slowestMs = 12_000;
    else weather.endsFail = random.pick([0.5, 0.8]);
    return () => Object.assign(weather, CALM_FORGE);
  },
};

export const FAULTS: readonly Fault[] = [
  crash('orchestrator'),
  crash('orchestrator'),
  crash('gateway'),
  crash('planner'),
  crash('reporter'),
  crash('controller'),
  stopInOrder,
  freeze('orchestrator'),
  freezeLeader,
  freezeLeader,
  freeze('gateway'),
  freeze('reporter'),
  killRunner,
  killRunner,
  freezeRunner,
  freezeRunner,
  forgetLease,
  restartDatabase,
  breakConnections,
  slowDatabase,
  cutOff,
  badWeather,
  badWeather,
  loseDispatches,
  busAway,
  loseStore,
  truncate,
  artifactStore,
  forge,
  forge,
  forgeAtEnds,
  forgeAtEnds,
];
