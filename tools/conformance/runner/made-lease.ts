import { randomBytes } from 'node:crypto';
import {
  DEFAULT_JOB_POLICY,
  type JobPolicy,
  type JobStep,
  type LeaseOffer,
  type PlannedJob,
} from '@delta-ci/contracts';
import { aPlannedJob } from '../../../test/support/made-up/planned-job.ts';
import type { MadeLease } from './lease-book.ts';
import type { ServedSource } from './served-source.ts';

/** Enough for a slow machine to be late in, and short enough to wait for. */
export const HEARTBEAT_MS = 500;
const TTL_MS = 12_000;

export interface Wishes {
  readonly job?: Partial<PlannedJob>;
  readonly policy?: Partial<JobPolicy>;
  readonly offer?: Partial<LeaseOffer>;
  readonly grantsFrom?: number;
}

/** A lease of a job of these steps, in times that are short enough to wait for. */
export function madeLease(
  source: ServedSource,
  steps: readonly (string | Partial<JobStep>)[],
  { job = {}, policy = {}, offer = {}, grantsFrom }: Wishes = {},
): MadeLease {
  const made: JobStep[] = steps.map((step, at) => ({
    name: `step ${at + 1}`,
    workdir: '.',
    run: '',
    ...(typeof step === 'string' ? { run: step } : step),
  }));
  return {
    grantsFrom: grantsFrom ?? null,
    offer: {
      leaseId: randomBytes(32).toString('hex'),
      runId: `run_${randomBytes(16).toString('hex')}`,
      jobKey: 'unit',
      attempt: 2,
      fence: 2,
      ttlMs: TTL_MS,
      heartbeatMs: HEARTBEAT_MS,
      acceptanceMs: TTL_MS,
      maxRuntimeMs: 120_000,
      trust: 'trusted',
      job: aPlannedJob('unit', { steps: made, policy: { ...DEFAULT_JOB_POLICY, ...policy }, ...job }),
      source: source.access('public'),
      secrets: {},
      traceparent: null,
      ...offer,
    },
  };
}

/**
 * A command that prints a word which the command line itself does not hold: a runner may print the script of a step.
 * @param word of letters and dashes, two at least
 */
export const say = (word: string): string => `printf '%s%s\\n' '${word.slice(0, 1)}' '${word.slice(1)}'`;
