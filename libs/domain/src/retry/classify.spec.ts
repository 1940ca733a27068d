import { describe, expect, it } from '@jest/globals';
import { InfrastructureError, type CompletionReport } from '@delta-ci/contracts';
import { FAILURE, NO_SOURCE, STEP, STOPPED, SUCCESS, TOO_LONG } from '../run/a-run.fixture.ts';
import { classifyFailure, reportsSuccess } from './classify.ts';

function failedStep(step: Partial<CompletionReport['steps'][number]>): CompletionReport {
  return { ...FAILURE, exitCode: step.exitCode ?? null, steps: [STEP, { ...STEP, exitCode: null, ...step }] };
}

describe('the class of a failure', () => {
  it.each<[string, CompletionReport, string, string]>([
    ['a compile error, a failing test, a lint finding', FAILURE, 'user', 'exit-code'],
    ['an exit code without steps', { ...FAILURE, steps: [] }, 'user', 'exit-code'],
    ['sources that cannot be fetched', NO_SOURCE, 'infrastructure', 'infrastructure-error'],
    ['a runner that stopped unasked', STOPPED, 'infrastructure', 'stopped-unasked'],
    ['a timeout', TOO_LONG, 'unknown', 'timed-out'],
    ['a step out of time', failedStep({ signal: 'SIGKILL', timedOut: true }), 'unknown', 'timed-out'],
    ['a step over its memory', failedStep({ signal: 'SIGKILL', oomKilled: true }), 'user', 'over-memory-limit'],
    [
      'a step that fell silent',
      failedStep({ signal: 'SIGKILL', timedOut: true, endedBy: 'idle_timeout' }),
      'unknown',
      'silent-too-long',
    ],
    [
      'a step whose child was killed for its memory',
      failedStep({ exitCode: 0, oomKilled: true, endedBy: 'out_of_memory' }),
      'user',
      'over-memory-limit',
    ],
    [
      'a step that was killed for its disk',
      failedStep({ signal: 'SIGKILL', endedBy: 'disk_full' }),
      'user',
      'over-disk-limit',
    ],
    ['a step that found its disk full', failedStep({ exitCode: 1, endedBy: 'disk_full' }), 'user', 'over-disk-limit'],
    ['a command that is not found', failedStep({ exitCode: 127 }), 'tooling', 'command-not-runnable'],
    ['a file that cannot be executed', failedStep({ exitCode: 126 }), 'tooling', 'command-not-runnable'],
    ['a kill from outside', failedStep({ signal: 'SIGKILL' }), 'infrastructure', 'killed-from-outside'],
    ['a crash', failedStep({ signal: 'SIGSEGV' }), 'user', 'crashed'],
    ['a kill inside the job', failedStep({ exitCode: 137 }), 'user', 'exit-code'],
    ['nothing known', { ...FAILURE, exitCode: null, steps: [] }, 'unknown', 'nothing-known'],
  ])('%s', (_, report, failureClass, rule) => {
    expect(classifyFailure(report)).toMatchObject({ class: failureClass, rule });
  });

  it('is one of tooling where the job asks for what it is not offered: another attempt would meet the same', () => {
    const report = { ...FAILURE, infrastructureError: { code: 'not_offered' as const, message: '' } };
    expect(classifyFailure(report)).toMatchObject({ class: 'tooling', rule: 'not-offered' });
  });

  it.each(InfrastructureError.shape.code.options.filter((code) => code !== 'not_offered'))(
    '%s is the infrastructure’s, whatever else the report says',
    (code) => {
      const report = { ...TOO_LONG, infrastructureError: { code, message: '' } };
      expect(classifyFailure(report).class).toBe('infrastructure');
    },
  );
});

describe('a success', () => {
  it('is one without a contradiction', () => {
    expect(reportsSuccess(SUCCESS)).toBe(true);
    expect(reportsSuccess({ ...SUCCESS, exitCode: null, steps: [] })).toBe(true);
    expect(reportsSuccess(FAILURE)).toBe(false);
  });
});
