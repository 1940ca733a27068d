import { describe, expect, it } from '@jest/globals';
import type { DomainEvent } from '@delta-ci/contracts';
import { BrokenInvariant } from '../broken-invariant.ts';
import { workOf, type RunAggregate } from '../run/aggregate.ts';
import { evolveRun } from '../run/evolve.ts';
import { attemptsOf, type Attempt, type JobProgress } from '../run/job-progress.ts';
import { jobAt } from '../run/job-table.ts';
import {
  acknowledgeCancel,
  acknowledgeLease,
  cancelRun,
  CHANGE,
  completeAttempt,
  createRun,
  FAILURE,
  grantLease,
  job,
  leaseHash,
  NEWER_RUN,
  PLAN,
  POLICY,
  recordPlan,
  REPOSITORY,
  reportProgress,
  REQUIREMENTS,
  RUN,
  runner,
  STOPPED,
  SUCCESS,
  T0,
} from '../run/a-run.fixture.ts';
import { folded, story } from '../run/given.fixture.ts';
import { ATTEMPT_MACHINE } from './attempt-machine.ts';
import { JOB_MACHINE } from './job-machine.ts';
import { LEASE_MACHINE } from './lease-machine.ts';
import { isAllowed, isTerminal, nextState, statesOf, type Machine } from './machine.ts';
import { RUN_MACHINE } from './run-machine.ts';

/**
 * The machines, cell by cell: rows are states, columns triggers, `.` is refused. Written out a second time on purpose:
 * a step that appears in or vanishes from a table has to be wanted twice.
 */
interface Grid {
  readonly columns: readonly string[];
  readonly rows: Readonly<Record<string, string>>;
}

const RUN_GRID: Grid = {
  columns: [
    'run.created',
    'run.planning-started',
    'run.planned',
    'run.planning-failed',
    'run.started',
    'run.superseded',
    'run.cancel-requested',
    'run.finished',
  ],
  rows: {
    '-': 'created . . . . . . .',
    created: '. planning . . . created canceling finished',
    planning: '. . queued planning . planning canceling finished',
    queued: '. . . . running queued canceling finished',
    running: '. . . . . running canceling finished',
    canceling: '. . . . . canceling . finished',
    finished: '. . . . . . . .',
  },
};

const JOB_GRID: Grid = {
  columns: ['run.planned', 'job.readied', 'attempt.queued', 'job.finished'],
  rows: {
    '-': 'blocked . . .',
    blocked: '. ready . finished',
    ready: '. . active finished',
    active: '. . active finished',
    finished: '. . . .',
  },
};

const ATTEMPT_GRID: Grid = {
  columns: [
    'attempt.queued',
    'lease.granted',
    'lease.activated',
    'attempt.started',
    'attempt.uploading',
    'attempt.cancel-requested',
    'attempt.finished',
  ],
  rows: {
    '-': 'queued . . . . . .',
    queued: '. leased . . . . finished',
    leased: '. . starting . . canceling finished',
    starting: '. . . running uploading canceling finished',
    running: '. . . . uploading canceling finished',
    uploading: '. . . . . canceling finished',
    canceling: '. . canceling . . . finished',
    finished: '. . . . . . .',
  },
};

const LEASE_GRID: Grid = {
  columns: [
    'lease.granted',
    'lease.activated',
    'attempt.finished (completed)',
    'attempt.finished (canceled)',
    'lease.expired',
    'lease.revoked',
  ],
  rows: {
    '-': 'granted . . . . .',
    granted: '. active completed canceled expired revoked',
    active: '. . completed canceled expired revoked',
    completed: '. . . . . .',
    canceled: '. . . . . .',
    expired: '. . . . . .',
    revoked: '. . . . . .',
  },
};

function cellsOf(grid: Grid): [state: string, trigger: string, next: string | null][] {
  return Object.entries(grid.rows).flatMap(([state, row]) =>
    row
      .split(' ')
      .map((next, at): [string, string, string | null] => [
        state,
        grid.columns[at] ?? 'a column too many',
        next === '.' ? null : next,
      ]),
  );
}

function describeTable<S extends string, T extends string>(machine: Machine<S, T>, grid: Grid): void {
  describe(`the ${machine.name} machine's table`, () => {
    it('has the states and triggers of the grid', () => {
      expect(['-', ...statesOf(machine)]).toEqual(Object.keys(grid.rows));
      expect(machine.triggers).toEqual(grid.columns);
    });

    it.each(cellsOf(grid))('%s on %s: %s', (from, on, next) => {
      const trigger = machine.triggers.find((known) => known === on);
      const state = from === '-' ? null : statesOf(machine).find((known) => known === from);
      if (trigger === undefined || state === undefined) throw new Error('not of this machine');
      expect(isAllowed(machine, state, trigger)).toBe(next !== null);
      expect(orBroken(() => nextState(machine, state, trigger))).toBe(next ?? 'BrokenInvariant');
    });

    it('leads out of every state but the terminal ones, and reaches every state', () => {
      const reached = new Set<S>([machine.birth.to]);
      for (const state of reached)
        for (const next of Object.values(machine.transitions[state]) as S[]) reached.add(next);
      expect([...reached].sort()).toEqual(statesOf(machine).sort());
      const ends = Object.entries(grid.rows).filter(([, row]) => /^[. ]+$/.test(row));
      expect(statesOf(machine).filter((state) => isTerminal(machine, state))).toEqual(ends.map(([state]) => state));
    });
  });
}

describeTable(RUN_MACHINE, RUN_GRID);
describeTable(JOB_MACHINE, JOB_GRID);
describeTable(ATTEMPT_MACHINE, ATTEMPT_GRID);
describeTable(LEASE_MACHINE, LEASE_GRID);

const PLANNED = [createRun(), recordPlan([job('unit')])];
const HELD = [...PLANNED, grantLease('unit')];
const WORKING = [...HELD, acknowledgeLease('unit')];
const ATTEMPT = { jobKey: 'unit', attempt: 1 };
const FINISHED: DomainEvent = {
  type: 'attempt.finished',
  data: { ...ATTEMPT, outcome: 'failed', failureClass: 'user', reason: '', report: null },
};

/** One event of each trigger, about the job `unit` and its first attempt. */
const EVENTS: Readonly<Record<string, DomainEvent>> = {
  'run.created': { type: 'run.created', data: createRun().data },
  'run.planning-started': { type: 'run.planning-started', data: { deadlineAtMs: T0 + 1 } },
  'run.planned': {
    type: 'run.planned',
    data: { planDigest: PLAN, policy: POLICY, jobs: [], summary: '', deadlineAtMs: T0 + 9, inputsDigest: null },
  },
  'run.planning-failed': { type: 'run.planning-failed', data: { code: 'x', message: 'x', inputsDigest: null } },
  'run.started': { type: 'run.started', data: {} },
  'run.superseded': { type: 'run.superseded', data: { by: NEWER_RUN } },
  'run.cancel-requested': { type: 'run.cancel-requested', data: { reason: '', deadlineAtMs: T0 + 1 } },
  'run.finished': { type: 'run.finished', data: { outcome: 'failed', reason: '' } },
  'job.readied': { type: 'job.readied', data: { jobKey: 'unit' } },
  'job.finished': { type: 'job.finished', data: { jobKey: 'unit', outcome: 'failed', reason: '' } },
  'attempt.started': { type: 'attempt.started', data: ATTEMPT },
  'attempt.uploading': { type: 'attempt.uploading', data: ATTEMPT },
  'attempt.cancel-requested': { type: 'attempt.cancel-requested', data: { ...ATTEMPT, reason: '', deadlineAtMs: T0 } },
  'attempt.finished': FINISHED,
  'attempt.finished (completed)': { ...FINISHED, data: { ...FINISHED.data, report: SUCCESS } },
  'attempt.finished (canceled)': { ...FINISHED, data: { ...FINISHED.data, outcome: 'canceled', report: STOPPED } },
  'lease.granted': {
    type: 'lease.granted',
    data: { ...ATTEMPT, fence: 1, leaseHash: leaseHash('unit'), runnerId: runner('unit'), expiresAtMs: T0 },
  },
  'lease.activated': { type: 'lease.activated', data: { ...ATTEMPT, fence: 1, jobDeadlineAtMs: T0 } },
  'lease.expired': { type: 'lease.expired', data: { ...ATTEMPT, fence: 1, silentSinceMs: T0 } },
  'lease.revoked': { type: 'lease.revoked', data: { ...ATTEMPT, fence: 1, reason: '' } },
};

function queuedEvent(attempt: number): DomainEvent {
  return {
    type: 'attempt.queued',
    data: {
      jobKey: 'unit',
      attempt,
      pool: 'default',
      priority: 0,
      requirements: REQUIREMENTS,
      queueDeadlineAtMs: T0 + 9,
      retryOf: null,
    },
  };
}

function eventOf(trigger: string, attempt: number): DomainEvent {
  const event = trigger === 'attempt.queued' ? queuedEvent(attempt) : EVENTS[trigger];
  if (event === undefined) throw new Error(`no event for ${trigger}`);
  return event;
}

function expectFold(
  before: DomainEvent[],
  event: DomainEvent,
  next: string | null,
  read: (run: RunAggregate) => string,
): void {
  const run = folded(before);
  expect(orBroken(() => read(evolveRun(run, event)))).toBe(next ?? 'BrokenInvariant');
}

/** What `attempt` answers, or the name of the invariant error it throws. */
function orBroken(attempt: () => string): string {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof BrokenInvariant) return error.name;
    throw error;
  }
}

function unit(run: RunAggregate): JobProgress {
  const work = workOf(run);
  if (work === null) throw new Error('no plan');
  return jobAt(work.jobs, 0);
}

function firstAttempt(run: RunAggregate): Attempt {
  const attempt = attemptsOf(unit(run))[0];
  if (attempt === undefined) throw new Error('no attempt');
  return attempt;
}

describe('folding a run follows its table', () => {
  const before: Readonly<Record<string, DomainEvent[]>> = {
    '-': [],
    created: [
      { type: 'run.created', data: { ...createRun().data, repository: REPOSITORY, change: CHANGE, runId: RUN } },
    ],
    planning: story(createRun()),
    queued: [...story(createRun()), { ...eventOf('run.planned', 1) }],
    running: [...story(createRun()), eventOf('run.planned', 1), eventOf('run.started', 1)],
    canceling: [...story(createRun()), eventOf('run.planned', 1), eventOf('run.cancel-requested', 1)],
    finished: story(createRun(), cancelRun),
  };
  it.each(cellsOf(RUN_GRID))('%s on %s: %s', (state, trigger, next) => {
    expectFold(before[state] ?? [], eventOf(trigger, 1), next, (run) => run.state);
  });
});

describe('folding a job follows its table', () => {
  const blocked = [...story(createRun()), { type: 'run.planned' as const, data: plannedUnit() }];
  const before: Readonly<Record<string, DomainEvent[]>> = {
    '-': story(createRun()),
    blocked,
    ready: [...blocked, eventOf('job.readied', 1)],
    active: [...story(...PLANNED), FINISHED],
    finished: story(...WORKING, completeAttempt('unit')).slice(0, -1),
  };
  it.each(cellsOf(JOB_GRID).filter(([state]) => state !== '-'))('%s on %s: %s', (state, trigger, next) => {
    expectFold(before[state] ?? [], eventOf(trigger, state === 'active' ? 2 : 1), next, (run) => unit(run).state);
  });

  it('is born by the plan', () => expect(unit(folded(blocked)).state).toBe('blocked'));
});

function plannedUnit(): Extract<DomainEvent, { type: 'run.planned' }>['data'] {
  return {
    planDigest: PLAN,
    policy: POLICY,
    jobs: [job('unit')],
    summary: '',
    deadlineAtMs: T0 + 9,
    inputsDigest: null,
  };
}

describe('folding an attempt follows its table', () => {
  const before: Readonly<Record<string, DomainEvent[]>> = {
    '-': [...story(createRun()), { type: 'run.planned', data: plannedUnit() }, eventOf('job.readied', 1)],
    queued: story(...PLANNED),
    leased: story(...HELD),
    starting: story(...WORKING),
    running: story(...WORKING, reportProgress('unit', 'running')),
    uploading: story(...WORKING, reportProgress('unit', 'uploading')),
    canceling: story(...HELD, cancelRun),
    finished: [...story(...PLANNED), FINISHED],
  };
  it.each(cellsOf(ATTEMPT_GRID).filter(([state, on]) => state === '-' || on !== 'attempt.queued'))(
    '%s on %s: %s',
    (state, trigger, next) => {
      const ends = trigger === 'attempt.finished' && !['-', 'queued', 'finished'].includes(state);
      const events = before[state] ?? [];
      const prepared = ends ? [...events, eventOf('lease.expired', 1)] : events;
      expectFold(prepared, eventOf(trigger, 1), next, (run) => firstAttempt(run).state);
    },
  );

  it.each(['queued', 'leased', 'starting', 'running', 'uploading', 'canceling'])(
    'a %s attempt is not followed by another',
    (state) => expectFold(before[state] ?? [], queuedEvent(2), null, (run) => run.state),
  );

  it('does not finish without a report while its lease lives', () => {
    expectFold(story(...WORKING), FINISHED, null, (run) => run.state);
    expectFold(
      [...story(...WORKING), eventOf('lease.expired', 1)],
      FINISHED,
      'finished',
      (run) => firstAttempt(run).state,
    );
  });
});

describe('folding a lease follows its table', () => {
  const lease = (run: RunAggregate): string => {
    const attempt = firstAttempt(run);
    return attempt.state === 'queued' ? 'none' : (attempt.lease?.state ?? 'none');
  };
  const before: Readonly<Record<string, DomainEvent[]>> = {
    '-': story(...PLANNED),
    granted: story(...HELD),
    active: story(...WORKING),
    completed: story(...WORKING, completeAttempt('unit', FAILURE)),
    canceled: story(...WORKING, cancelRun, acknowledgeCancel('unit')),
    expired: [...story(...WORKING), eventOf('lease.expired', 1)],
    revoked: [...story(...WORKING), eventOf('lease.revoked', 1)],
  };
  it.each(cellsOf(LEASE_GRID))('%s on %s: %s', (state, trigger, next) => {
    const asked = trigger === 'attempt.finished (canceled)' && (state === 'granted' || state === 'active');
    const prepared = [...(before[state] ?? []), ...(asked ? [eventOf('attempt.cancel-requested', 1)] : [])];
    expectFold(prepared, eventOf(trigger, 1), next, lease);
  });
});

describe('folding', () => {
  const foreign: DomainEvent[] = [
    { type: 'runner.retired', data: { runnerId: runner('unit'), reason: '', exitCode: 0 } },
    { type: 'operator.acted', data: { action: 'x', subject: 'x', detail: '' } },
  ];
  it.each(foreign)('knows $type to be no event of a run', (event) => {
    expect(() => evolveRun(folded(story(createRun())), event)).toThrow(BrokenInvariant);
  });

  it('leaves the state it started from as it was', () => {
    const events = story(...WORKING, completeAttempt('unit'));
    let run = folded([]);
    for (const event of events) {
      const text = JSON.stringify(run);
      const next = evolveRun(run, event);
      expect(JSON.stringify(run)).toBe(text);
      run = next;
    }
    expect(run.state).toBe('finished');
  });

  it('works on a state that went through JSON', () => {
    const events = story(...WORKING, completeAttempt('unit'));
    const through = events.reduce<RunAggregate>(
      (run, event) => evolveRun(JSON.parse(JSON.stringify(run)) as RunAggregate, event),
      folded([]),
    );
    expect(through).toEqual(folded(events));
  });
});
