import { beforeEach, describe, expect, it } from '@jest/globals';
import { UnansweredCalls } from './unanswered-calls.ts';

const run = { runId: `run_${'1'.repeat(32)}`, createdAtMs: 500, reported: false };
let nowMs: number;
let calls: UnansweredCalls;

beforeEach(() => {
  nowMs = 1_000;
  calls = new UnansweredCalls({ lateMs: 60, nowMs: () => nowMs });
  calls.beginTerm();
});

describe('calls without an answer', () => {
  it('given a run that was created in this term, then it is sure what the forge shows', () => {
    calls.inherit(499);
    expect(calls.of(run)).toEqual({ certainty: 'sure', waitMs: 0 });
  });

  it('given a run from before, then the calls of the reporter before are waited for, and then it is looked once', () => {
    calls.inherit(500);
    expect(calls.of(run)).toEqual({ certainty: 'waiting', waitMs: 60 });
    nowMs += 60;
    expect(calls.of(run)).toEqual({ certainty: 'due', waitMs: 0 });
    calls.confirmed(run.runId, false);
    expect(calls.of(run)).toEqual({ certainty: 'sure', waitMs: 0 });
    calls.beginTerm();
    expect(calls.of(run)).toEqual({ certainty: 'waiting', waitMs: 60 });
  });

  it('given that nobody knows yet which runs are from before, then every run may be; a reported one is settled', () => {
    expect(calls.of(run).certainty).toBe('waiting');
    expect(calls.of({ ...run, reported: true }).certainty).toBe('sure');
  });

  it('given a call without an answer, then each further one is waited for anew, also after the run was reported', () => {
    calls.inherit(0);
    calls.unanswered(run.runId);
    nowMs += 40;
    calls.unanswered(run.runId);
    expect(calls.of({ ...run, reported: true })).toEqual({ certainty: 'waiting', waitMs: 60 });
  });

  it('given a check that stands there twice, then what is there is looked at each time', () => {
    calls.inherit(0);
    calls.confirmed(run.runId, true);
    expect(calls.of(run).certainty).toBe('due');
  });
});
