import { describe, expect, it } from '@jest/globals';
import type { DomainEvent } from '@delta-ci/contracts';
import fc from 'fast-check';
import { lived, passTime } from '../run/lived-run.fixture.ts';
import { RUN_COMMAND_TYPES } from '../run/run-command.ts';
import { redecideRun, type DecidedEvent } from './redecide-run.ts';

/** Whatever the deciders recorded, they decide again; and what they would not have recorded is found. */
describe('deciding a recorded run again', () => {
  it('law: leads to the very same events and the same run', () => {
    fc.assert(
      fc.property(lived, fc.boolean(), (world, over) => {
        if (over) passTime(world);
        const { departure, run } = redecideRun(world.recorded);
        expect(departure).toBeNull();
        expect(run).toEqual(world.run);
      }),
      { numRuns: 300 },
    );
  });

  it('makes every kind of decision on the way', () => {
    const made = new Set<string>();
    for (const world of fc.sample(lived, { numRuns: 300, seed: 7 })) {
      passTime(world);
      for (const type of Object.keys(redecideRun(world.recorded).decisions)) made.add(type);
    }
    // A run that has a plan did not fail planning; that decision has a test of its own below.
    expect([...made].sort()).toEqual(RUN_COMMAND_TYPES.filter((type) => type !== 'record-planning-failure').sort());
  });

  it('law: an event that is missing, or one too many, is named', () => {
    fc.assert(
      fc.property(lived, fc.nat(), fc.boolean(), (world, pick, twice) => {
        passTime(world);
        const consequences = world.recorded.flatMap(({ event }, at) => (isConsequence(event) ? [at] : []));
        fc.pre(consequences.length > 0);
        const at = consequences[pick % consequences.length] ?? 0;
        const wrong = world.recorded.flatMap((event, index) => (index !== at ? [event] : twice ? [event, event] : []));
        expect(() => redecided(wrong)).not.toThrow();
        expect(redecided(wrong)).not.toBeNull();
      }),
      { numRuns: 200 },
    );
  });

  const changes: [string, (event: DomainEvent) => DomainEvent | null, string][] = [
    [
      'the class of a failure',
      (event) =>
        event.type === 'attempt.finished' && event.data.failureClass === 'user'
          ? { ...event, data: { ...event.data, failureClass: 'flaky' } }
          : null,
      'data.failureClass',
    ],
    [
      'the outcome of a run',
      (event) =>
        event.type === 'run.finished' && event.data.outcome === 'failed'
          ? { ...event, data: { ...event.data, outcome: 'succeeded' } }
          : null,
      'data.outcome',
    ],
    [
      'the reason of a retry',
      (event) =>
        event.type === 'attempt.queued' && event.data.retryOf !== null
          ? { ...event, data: { ...event.data, retryOf: { ...event.data.retryOf, because: 'timeout' } } }
          : null,
      'data.retryOf.because',
    ],
    [
      'a deadline',
      (event) => (event.type === 'lease.activated' ? { ...event, data: { ...event.data, jobDeadlineAtMs: 1 } } : null),
      'data.jobDeadlineAtMs',
    ],
  ];
  it.each(changes)(
    'given %s that is not what was decided, then that field is the first that differs',
    (_, change, field) => {
      const found = fc.sample(lived, { numRuns: 300, seed: 11 }).flatMap((world) => {
        passTime(world);
        const at = world.recorded.findIndex(({ event }) => {
          const changed = change(event);
          return changed !== null && JSON.stringify(changed) !== JSON.stringify(event);
        });
        return at < 0
          ? []
          : [{ at, departure: redecided(world.recorded.map((step, index) => altered(step, index === at))) }];
      });
      expect(found.length).toBeGreaterThan(0);
      for (const { at, departure } of found) expect(departure).toMatchObject({ at, difference: { field } });

      function altered(step: DecidedEvent, here: boolean): DecidedEvent {
        return here ? { ...step, event: change(step.event) ?? step.event } : step;
      }
    },
  );

  it('given events of one decision at two times, then the time is named', () => {
    const [world] = fc.sample(lived, { numRuns: 1, seed: 3 });
    const late = world?.recorded.map((step, index) => (index === 1 ? { ...step, atMs: step.atMs + 1 } : step)) ?? [];
    expect(redecided(late)).toMatchObject({ at: 1, command: 'create-run', difference: { field: 'atMs' } });
  });
});

const redecided = (recorded: readonly DecidedEvent[]) => redecideRun(recorded).departure;

/** Events that no command begins with: they follow from others. */
const isConsequence = ({ type }: DomainEvent): boolean =>
  ['run.planning-started', 'job.readied', 'attempt.queued', 'job.finished', 'run.reported'].includes(type);
