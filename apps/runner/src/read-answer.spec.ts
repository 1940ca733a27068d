import { describe, expect, it } from '@jest/globals';
import { HeartbeatAnswer, LeaseOffer } from '@delta-ci/contracts';
import { aPlannedJob } from '../../../test/support/made-up/planned-job.ts';
import { readAnswer } from './read-answer.ts';

const BEAT = { extend: true, ttlMs: 1, cancelRequested: false, cancelDeadlineAtMs: null };

const OFFER: LeaseOffer = {
  leaseId: '5'.repeat(64),
  runId: `run_${'2'.repeat(32)}`,
  jobKey: 'unit',
  attempt: 1,
  fence: 1,
  ttlMs: 1,
  heartbeatMs: 1,
  acceptanceMs: 1,
  maxRuntimeMs: 1,
  trust: 'trusted',
  job: aPlannedJob('unit'),
  source: { cloneUrl: 'u', ref: 'r', commit: 'a'.repeat(40), tree: 'b'.repeat(40), token: null },
  secrets: { API_TOKEN: 'fake' },
  traceparent: null,
};

describe('an answer', () => {
  it('given what is documented, then it is what was sent', () => {
    expect(readAnswer(HeartbeatAnswer, BEAT)).toEqual(BEAT);
  });

  it('given fields of a newer gateway, deep down as well, then they are left out', () => {
    const newer = {
      ...OFFER,
      colour: 'red',
      job: { ...OFFER.job, steps: OFFER.job.steps.map((step) => ({ ...step, colour: { of: 'tomorrow' } })) },
      source: { ...OFFER.source, colour: 1 },
    };
    expect(readAnswer(LeaseOffer, newer)).toEqual(OFFER);
  });

  it('given something else than is documented, then it is not read, whatever stands beside it', () => {
    expect(() => readAnswer(HeartbeatAnswer, { ...BEAT, ttlMs: 'soon', colour: 'red' })).toThrow('ttlMs');
    expect(() => readAnswer(HeartbeatAnswer, null)).toThrow('expected object');
  });
});
