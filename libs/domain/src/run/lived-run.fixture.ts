import type {
  Actor,
  CompletionReport,
  DomainEvent,
  JobPolicy,
  LeaseHash,
  PlannedJobState,
  RunPolicy,
} from '@delta-ci/contracts';
import fc from 'fast-check';
import type { DecidedEvent } from '../replay/redecide-run.ts';
import { initialRun, workOf, type RunAggregate } from './aggregate.ts';
import {
  ARTIFACT,
  CACHE,
  cancelRun,
  createDebugRun,
  createRun,
  enforceDeadlines,
  explain,
  FAILURE,
  HAND_OUT,
  job,
  NO_SOURCE,
  publish,
  recordPlan,
  STOPPED,
  SUCCESS,
  supersedeRun,
  T0,
  TOO_LONG,
} from './a-run.fixture.ts';
import { nextDeadlineMs } from './deadlines.ts';
import { stepRun } from './decide.ts';
import { evolveRun } from './evolve.ts';
import { indexBreaches, Ledger } from './invariants.fixture.ts';
import { attemptsOf } from './job-progress.ts';
import { jobAt } from './job-table.ts';
import type { RunCommand } from './run-command.ts';

/** Runs that have been sent any sequence of commands, however senseless, with time that only moves forward. */

interface Lease {
  readonly jobKey: string;
  readonly attempt: number;
  readonly leaseHash: LeaseHash;
  readonly runnerId: string;
}

/** A run and the outside world as far as it sends commands: what it was once granted, it may use for ever. */
export class World {
  run: RunAggregate = initialRun;
  nowMs = T0;
  readonly events: DomainEvent[] = [];
  /** The same with time and actor, as a log has them. */
  readonly recorded: DecidedEvent[] = [];
  readonly leases: Lease[] = [];
  readonly ledger = new Ledger();
  readonly breaches: string[] = [];

  send(command: RunCommand): void {
    const { decision, state } = stepRun(command, this.run, { nowMs: this.nowMs });
    for (const event of decision.events) {
      this.run = evolveRun(this.run, event);
      this.events.push(event);
      this.recorded.push({ event, atMs: this.nowMs, actor: actorOf(command) });
      this.ledger.take(event);
      if (event.type === 'lease.granted') this.leases.push(event.data);
    }
    const refused = decision.kind === 'refused';
    if (refused && decision.events.some(({ type }) => type !== 'lease.stale-report-refused')) {
      this.breaches.push(`refusing ${command.type} changed something`);
    }
    if (JSON.stringify(state) !== JSON.stringify(this.run))
      this.breaches.push('the step is not the fold of its events');
    if (command.type === 'enforce-deadlines' && (nextDeadlineMs(this.run) ?? Infinity) <= this.nowMs) {
      this.breaches.push('something due was left');
    }
    this.breaches.push(...indexBreaches(this.run));
  }

  /** All that was found wrong. */
  get verdict(): string[] {
    return [...this.breaches, ...this.ledger.breaches];
  }
}

function actorOf({ type }: RunCommand): Actor {
  return type === 'enforce-deadlines' ? { kind: 'timer', name: type } : { kind: 'service', name: 'somebody' };
}

type Action = (world: World) => void;

const REPORTS: readonly CompletionReport[] = [SUCCESS, FAILURE, NO_SOURCE, TOO_LONG, STOPPED];
const RUNNERS = ['1', '2', '3'].map((digit) => `rnr_${digit.repeat(32)}`);

/** Null most of the time. */
function seldom<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.oneof({ weight: 15, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
}

/** A report of a lease: mostly one that was granted, sometimes one of another runner, sometimes one of nobody. */
const reportAction: fc.Arbitrary<Action> = fc
  .record({
    pick: fc.nat(4),
    report: fc.constantFrom(...REPORTS),
    kind: fc.constantFrom(
      'secrets',
      'shell',
      'ack',
      'ack',
      'ack',
      'unbegun',
      'running',
      'uploading',
      'artifact',
      'cache',
      'complete',
      'complete',
      'stopped',
    ),
    runner: seldom(fc.constantFrom(...RUNNERS)),
  })
  .map(({ pick, report, kind, runner }) => (world) => {
    const lease = world.leases[world.leases.length - 1 - (pick % (world.leases.length + 1))];
    const { leaseHash, runnerId } = lease ?? { leaseHash: 'f'.repeat(64), runnerId: RUNNERS[0] ?? '' };
    const by = { leaseHash, runnerId: runner ?? runnerId };
    if (kind === 'ack') world.send({ type: 'acknowledge-lease', ...by });
    if (kind === 'unbegun') world.send({ type: 'end-unbegun-attempt', ...by, report });
    if (kind === 'running' || kind === 'uploading') world.send({ type: 'report-progress', ...by, phase: kind });
    if (kind === 'secrets') world.send({ type: 'hand-out-secrets', ...by, handOut: HAND_OUT });
    if (kind === 'shell') world.send({ type: 'open-debug', ...by, logOffset: 40 });
    if (kind === 'artifact') world.send({ type: 'record-artifact', ...by, artifact: ARTIFACT });
    if (kind === 'cache') world.send({ type: 'record-cache', ...by, cache: CACHE });
    if (kind === 'complete') world.send({ type: 'complete-attempt', ...by, report });
    if (kind === 'stopped') world.send({ type: 'acknowledge-cancel', ...by, report: STOPPED });
  });

/** A grant: mostly of a queued attempt to a runner that may be busy, sometimes of one that cannot be granted. */
const grantAction: fc.Arbitrary<Action> = fc
  .record({ pick: fc.nat(), runner: fc.constantFrom(...RUNNERS), off: seldom(fc.nat(3)) })
  .map(({ pick, runner, off }) => (world) => {
    const work = workOf(world.run);
    const live = work?.live.filter(({ runnerId }) => runnerId === null) ?? [];
    const place = live[pick % Math.max(1, live.length)]?.job ?? 0;
    const planned = work?.planned[place];
    if (work === null || planned === undefined) return;
    const attempt = attemptsOf(jobAt(work.jobs, place)).length + (off ?? 0);
    const leaseHash = (world.events.length * 0x9e37 + pick).toString(16).padStart(64, '0').slice(-64);
    world.send({
      type: 'grant-lease',
      jobKey: planned.key,
      attempt: Math.max(1, attempt),
      leaseHash,
      runnerId: runner,
    });
  });

const timeAction: fc.Arbitrary<Action> = fc
  .record({ forwardMs: fc.constantFrom(1, 100, 1_000, 10_000, 60_000), enforce: fc.boolean() })
  .map(({ forwardMs, enforce }) => (world) => {
    world.nowMs += forwardMs;
    if (enforce) world.send(enforceDeadlines);
  });

const expireAction: fc.Arbitrary<Action> = fc.nat().map((pick) => (world) => {
  const lease = world.leases[pick % Math.max(1, world.leases.length)];
  if (lease === undefined) return;
  const { jobKey, attempt } = lease;
  world.send({ type: 'expire-lease', jobKey, attempt, fence: attempt, wasActive: true, silentSinceMs: world.nowMs });
});

const rareAction: fc.Arbitrary<Action> = fc
  .record({
    command: fc.constantFrom<RunCommand>(
      cancelRun,
      supersedeRun,
      publish('failed'),
      publish('canceled'),
      publish(null),
      explain('j0'),
      explain('j1', 2),
      createRun(),
      recordPlan([job('other')]),
      { type: 'record-planning-failure', code: 'late', message: 'late', inputsDigest: null },
      { type: 'lose-runner', runnerId: RUNNERS[1] ?? '', reason: 'exited' },
    ),
  })
  .map(
    ({ command }) =>
      (world) =>
        world.send(command),
  );

export const actions = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: grantAction },
    { weight: 12, arbitrary: reportAction },
    { weight: 2, arbitrary: timeAction },
    { weight: 1, arbitrary: expireAction },
    { weight: 1, arbitrary: rareAction },
  ),
  { maxLength: 100, size: 'max' },
);

const ordinaryPolicy: fc.Arbitrary<Partial<JobPolicy>> = fc.record({
  required: fc.boolean(),
  allowFailure: fc.boolean(),
  retries: fc.nat(2),
  lostRetries: fc.nat(2),
  retryTimeouts: fc.boolean(),
  timeoutMs: fc.constantFrom(1_000, 30_000),
  priority: fc.integer({ min: -1, max: 1 }),
});

const SHADOW: Partial<JobPolicy> = {
  required: false,
  allowFailure: true,
  priority: -100,
  leftOut: { by: ['ownership'], as: 'shadow' },
};

const jobPolicy = fc.oneof(
  { weight: 3, arbitrary: ordinaryPolicy },
  { weight: 1, arbitrary: ordinaryPolicy.map((policy): Partial<JobPolicy> => ({ ...policy, ...SHADOW })) },
);

/** Up to eight jobs, each needing some of those before it. */
const plan: fc.Arbitrary<PlannedJobState[]> = fc
  .array(fc.record({ policy: jobPolicy, needs: fc.array(fc.nat(7), { maxLength: 3 }) }), { maxLength: 8 })
  .map((shapes) =>
    shapes.map(({ policy, needs }, place) =>
      job(`j${place}`, [...new Set(needs.filter((need) => need < place).map((need) => `j${need}`))], policy),
    ),
  );

const runPolicy: fc.Arbitrary<Partial<RunPolicy>> = fc.record({
  cancelSuperseded: fc.boolean(),
  failFast: fc.boolean(),
  maxConcurrency: fc.integer({ min: 1, max: 4 }),
  runTimeoutMs: fc.constantFrom(20_000, 10_000_000),
});

/** A world with a plan in it that has been through some actions. */
export const lived: fc.Arbitrary<World> = fc
  .record({ jobs: plan, policy: runPolicy, acts: actions, debug: seldom(fc.constant(createDebugRun)) })
  .map(({ jobs, policy, acts, debug }) => {
    const world = new World();
    world.send((debug ?? createRun)(policy));
    world.send(recordPlan(jobs, policy));
    for (const act of acts) act(world);
    return world;
  });

/** Nothing happens but time: from deadline to deadline until there is none. */
export function passTime(world: World): void {
  for (let rounds = 0; rounds < 1_000; rounds += 1) {
    const deadlineAtMs = nextDeadlineMs(world.run);
    if (deadlineAtMs === null) return;
    world.nowMs = Math.max(world.nowMs, deadlineAtMs);
    world.send(enforceDeadlines);
  }
}
