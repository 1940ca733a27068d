import { describe, expect, it } from '@jest/globals';
import {
  acknowledgeCancel,
  acknowledgeLease,
  cancelRun,
  completeAttempt,
  createRun,
  endUnbegunAttempt,
  enforceDeadlines,
  expireLease,
  explain,
  FAILURE,
  grantLease,
  handOutSecrets,
  job,
  openDebug,
  POLICY,
  publish,
  recordArtifact,
  recordCache,
  recordPlan,
  reportProgress,
  runner,
  supersedeRun,
  T0,
} from './a-run.fixture.ts';
import { decideRun } from './decide.ts';
import { folded, story, type Step } from './given.fixture.ts';
import { RUN_COMMAND_TYPES, type RunCommand, type RunCommandType } from './run-command.ts';

/**
 * Every command in every state of a run with one job `a`: `yes` leads to events, `-` is accepted and leads to none,
 * anything else is the code it is refused with. The policy supersedes; times are those of the story, so nothing is due.
 */
const ROWS = {
  absent: [],
  planning: [createRun({ cancelSuperseded: true })],
  queued: ['planning', recordPlan([job('a')], { cancelSuperseded: true })],
  leased: ['queued', grantLease('a')],
  starting: ['leased', acknowledgeLease('a')],
  canceling: ['starting', cancelRun],
  failed: ['starting', completeAttempt('a', FAILURE)],
  canceled: ['planning', cancelRun],
} as const satisfies Record<string, readonly (string | Step)[]>;
type Row = keyof typeof ROWS;

const COMMANDS: Readonly<Record<RunCommandType, RunCommand>> = {
  'create-run': createRun(),
  'record-plan': recordPlan([job('a')]),
  'record-planning-failure': { type: 'record-planning-failure', code: 'x', message: 'x', inputsDigest: null },
  'grant-lease': grantLease('a'),
  'hand-out-secrets': handOutSecrets('a'),
  'end-unbegun-attempt': endUnbegunAttempt('a'),
  'acknowledge-lease': acknowledgeLease('a'),
  'report-progress': reportProgress('a', 'running'),
  'open-debug': openDebug('a'),
  'record-artifact': recordArtifact('a'),
  'record-cache': recordCache('a'),
  'complete-attempt': completeAttempt('a'),
  'acknowledge-cancel': acknowledgeCancel('a'),
  'expire-lease': expireLease('a'),
  'lose-runner': { type: 'lose-runner', runnerId: runner('a'), reason: 'gone' },
  'cancel-run': cancelRun,
  'supersede-run': supersedeRun,
  'enforce-deadlines': enforceDeadlines,
  'record-explanation': explain('a'),
  'record-publication': publish(null),
};

const STALE = 'stale_lease';
const WRONG = 'invalid_transition';
const NONE = 'not_found';

/** In the order of ROWS. */
const EXPECTED: Readonly<Record<RunCommandType, readonly string[]>> = {
  'create-run': ['yes', ...Array.from({ length: 7 }, () => 'conflicting_repeat')],
  'record-plan': [NONE, 'yes', '-', '-', '-', '-', '-', WRONG],
  'record-planning-failure': [NONE, 'yes', WRONG, WRONG, WRONG, WRONG, WRONG, WRONG],
  'grant-lease': [NONE, WRONG, 'yes', '-', '-', WRONG, WRONG, WRONG],
  'hand-out-secrets': [STALE, STALE, STALE, 'yes', WRONG, WRONG, STALE, STALE],
  'end-unbegun-attempt': [STALE, STALE, STALE, 'yes', WRONG, WRONG, '-', STALE],
  'acknowledge-lease': [STALE, STALE, STALE, 'yes', '-', '-', STALE, STALE],
  'report-progress': [STALE, STALE, STALE, WRONG, 'yes', '-', STALE, STALE],
  'open-debug': [STALE, STALE, STALE, 'forbidden', 'forbidden', 'forbidden', STALE, STALE],
  'record-artifact': [STALE, STALE, STALE, WRONG, 'yes', 'yes', STALE, STALE],
  'record-cache': [STALE, STALE, STALE, WRONG, 'yes', 'yes', STALE, STALE],
  'complete-attempt': [STALE, STALE, STALE, WRONG, 'yes', 'yes', '-', STALE],
  'acknowledge-cancel': [STALE, STALE, STALE, 'cancel_not_requested', 'cancel_not_requested', 'yes', STALE, STALE],
  'expire-lease': [NONE, '-', '-', 'yes', 'yes', 'yes', '-', '-'],
  'lose-runner': [NONE, '-', '-', 'yes', 'yes', 'yes', '-', '-'],
  'cancel-run': [NONE, 'yes', 'yes', 'yes', 'yes', '-', 'not_cancelable', 'not_cancelable'],
  'supersede-run': [NONE, 'yes', 'yes', 'yes', 'yes', 'yes', '-', '-'],
  'enforce-deadlines': [NONE, '-', '-', '-', '-', '-', '-', '-'],
  'record-explanation': [NONE, NONE, WRONG, WRONG, WRONG, WRONG, 'yes', NONE],
  'record-publication': [NONE, 'yes', 'yes', 'yes', 'yes', 'yes', 'yes', 'yes'],
};

function stepsOf(row: Row): Step[] {
  return ROWS[row].flatMap((step): Step[] => (typeof step === 'string' ? stepsOf(step) : [step]));
}

const CELLS = RUN_COMMAND_TYPES.flatMap((type) =>
  (Object.keys(ROWS) as Row[]).map((row, at) => [type, row, EXPECTED[type][at]] as const),
);

describe('every command in every state', () => {
  it('is in the table', () => {
    expect(Object.keys(COMMANDS).sort()).toEqual([...RUN_COMMAND_TYPES].sort());
  });

  it.each(CELLS)('%s, %s: %s', (type, row, expected) => {
    const decision = decideRun(COMMANDS[type], folded(story(...stepsOf(row))), { nowMs: T0 });
    const accepted = decision.events.length === 0 ? '-' : 'yes';
    expect(decision.kind === 'refused' ? decision.refusal.code : accepted).toBe(expected);
  });

  it('is decided the same when it is decided again', () => {
    for (const [type, row] of CELLS) {
      const run = folded(story(...stepsOf(row)));
      const context = { nowMs: POLICY.runTimeoutMs };
      expect(decideRun(COMMANDS[type], run, context)).toEqual(decideRun(COMMANDS[type], run, context));
    }
  });
});
