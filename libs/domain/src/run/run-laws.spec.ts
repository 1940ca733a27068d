import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cancelRun, enforceDeadlines, supersedeRun } from './a-run.fixture.ts';
import { initialRun, type RunAggregate } from './aggregate.ts';
import { decideRun } from './decide.ts';
import { evolveRun } from './evolve.ts';
import { Ledger } from './invariants.fixture.ts';
import { actions, lived, passTime } from './lived-run.fixture.ts';

/** Laws that hold for every sequence of commands, however senseless, with time that only moves forward. */

const RUNS = { numRuns: 300 };

describe('whatever is sent to a run', () => {
  it('keeps the invariants at every step', () => {
    fc.assert(
      fc.property(lived, (world) => {
        expect(world.verdict).toEqual([]);
      }),
      RUNS,
    );
  });

  it('is folded to the same state at once, step by step and through JSON', () => {
    fc.assert(
      fc.property(lived, fc.nat(), (world, cut) => {
        const at = cut % (world.events.length + 1);
        const first = world.events.slice(0, at).reduce(evolveRun, initialRun);
        const restored = JSON.parse(JSON.stringify(first)) as RunAggregate;
        expect(world.events.slice(at).reduce(evolveRun, restored)).toEqual(world.run);
      }),
      RUNS,
    );
  });

  it('ends when time passes and deadlines are enforced, though no runner says another word', () => {
    fc.assert(
      fc.property(lived, (world) => {
        passTime(world);
        expect(world.run.state).toBe('finished');
        expect(world.ledger.finished).toBe(true);
        expect(world.verdict).toEqual([]);
      }),
      RUNS,
    );
  });

  it('ends when leases run out as well, and all jobs of a canceled run end by the cancel deadline', () => {
    fc.assert(
      fc.property(lived, (world) => {
        const leases = [...world.leases];
        for (const { jobKey, attempt } of leases) {
          world.send({
            type: 'expire-lease',
            jobKey,
            attempt,
            fence: attempt,
            wasActive: true,
            silentSinceMs: world.nowMs,
          });
        }
        world.send(cancelRun);
        world.nowMs += 5_000;
        world.send(enforceDeadlines);
        expect(world.run.state).toBe('finished');
        expect(world.verdict).toEqual([]);
      }),
      RUNS,
    );
  });

  it('stays finished', () => {
    fc.assert(
      fc.property(lived, actions, (world, acts) => {
        passTime(world);
        const before = world.run;
        const length = world.events.length;
        for (const act of acts) act(world);
        expect(world.verdict).toEqual([]);
        expect(world.run).toMatchObject({ state: 'finished', outcome: 'outcome' in before ? before.outcome : '' });
        const added = world.events.slice(length).map(({ type }) => type);
        expect(added.filter((type) => !Ledger.ANNOTATIONS.includes(type))).toEqual([]);
      }),
      RUNS,
    );
  });

  it('is decided without touching the state it is decided on', () => {
    fc.assert(
      fc.property(lived, (world) => {
        const text = JSON.stringify(world.run);
        for (const command of [cancelRun, enforceDeadlines, supersedeRun]) {
          decideRun(command, world.run, { nowMs: world.nowMs + 100_000_000 });
        }
        expect(JSON.stringify(world.run)).toBe(text);
      }),
      RUNS,
    );
  });
});

describe('the worlds these laws are tried on', () => {
  it('reach what the laws are about', () => {
    const seen = new Map<string, number>();
    const note = (name: string): void => void seen.set(name, (seen.get(name) ?? 0) + 1);
    for (const world of fc.sample(lived, { numRuns: 600, seed: 7 })) {
      for (const event of world.events) {
        note(event.type);
        if (event.type === 'attempt.finished') note(`attempt ${event.data.outcome}`);
        if (event.type === 'job.finished') note(`job ${event.data.outcome}`);
        if (event.type === 'run.finished') note(`run ${event.data.outcome}`);
        if (event.type === 'attempt.queued' && event.data.retryOf !== null) note(`retry ${event.data.retryOf.because}`);
        if (event.type === 'lease.stale-report-refused') note(`stale ${event.data.reason}`);
      }
    }
    const wanted = [
      ...['succeeded', 'failed', 'canceled', 'timed_out', 'lost'].map((outcome) => `attempt ${outcome}`),
      ...['succeeded', 'failed', 'canceled', 'timed_out', 'skipped'].map((outcome) => `job ${outcome}`),
      ...['succeeded', 'failed', 'canceled', 'timed_out'].map((outcome) => `run ${outcome}`),
      ...['retryable-failure', 'lost', 'timeout'].map((because) => `retry ${because}`),
      ...['expired', 'revoked', 'unknown', 'superseded'].map((reason) => `stale ${reason}`),
      'run.superseded',
      'run.reported',
      'artifact.recorded',
      'cache.saved',
      'lease.secrets-handed-out',
      'debug.opened',
      'failure.explained',
      'attempt.uploading',
    ];
    expect(wanted.filter((name) => (seen.get(name) ?? 0) < 3)).toEqual([]);
  });
});
