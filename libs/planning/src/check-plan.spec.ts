import { describe, expect, it } from '@jest/globals';
import type { Plan, PlannedJob } from '@delta-ci/contracts';
import { checkPlan } from './check-plan.ts';
import { inputsFor, planned, type Files } from './planned-repository.fixture.ts';
import { SHOP } from './shop.fixture.ts';

const AFTER: Files = { ...SHOP, 'packages/money/src/index.js': 'other' };
const INPUTS = inputsFor(SHOP, AFTER);

/** A sound plan with its first job changed. */
function withJob(change: Partial<PlannedJob>): Plan {
  const plan = planned(SHOP, AFTER);
  return { ...plan, jobs: plan.jobs.map((job, at) => (at === 0 ? { ...job, ...change } : job)) };
}

function codes(plan: Plan, inputs = INPUTS): string[] {
  return [...new Set(checkPlan(plan, inputs).map(({ severity, code }) => `${severity} ${code}`))];
}

const SOUND = planned(SHOP, AFTER);
const [FIRST, SECOND] = SOUND.jobs;
if (FIRST === undefined || SECOND === undefined) throw new Error('the shop has two jobs to run');

const untrusted = (plan: Plan): Plan => ({ ...plan, trust: 'untrusted' });
const UNTRUSTED = { ...INPUTS, change: { ...INPUTS.change, trust: 'untrusted' as const } };

describe('the check of a plan', () => {
  it('given a sound plan, then there is nothing to note', () => {
    expect(codes(SOUND)).toEqual([]);
  });

  it.each<[code: string, plan: Plan]>([
    ['error repeated_key', { ...SOUND, jobs: [...SOUND.jobs, FIRST] }],
    ['error unknown_need', withJob({ needs: ['nobody'] })],
    ['error circular_needs', withJob({ needs: [FIRST.key] })],
    [
      'error circular_needs',
      {
        ...SOUND,
        jobs: [
          { ...FIRST, needs: [SECOND.key] },
          { ...SECOND, needs: [FIRST.key] },
        ],
      },
    ],
    ['error unaccounted_file', { ...SOUND, files: [] }],
    ['info nothing_to_run_in_unit', { ...SOUND, units: SOUND.units.map((unit) => ({ ...unit, affected: true })) }],
    ['error wrong_explanation', withJob({ explanation: { ...FIRST.explanation, decision: 'skip' } })],
    ['error weak_isolation', withJob({ requirements: { ...FIRST.requirements, isolation: 'process' } })],
    ['warning timeout_beyond_run', withJob({ policy: { ...FIRST.policy, timeoutMs: 24 * 3_600_000 } })],
    ['warning may_publish', withJob({ steps: [{ name: 'out', run: 'npm publish', workdir: '.' }] })],
  ])('given a plan that deserves "%s", then that is noted and nothing else', (code, plan) => {
    expect(codes(plan)).toEqual([code]);
  });

  it.each<[code: string, job: Partial<PlannedJob>]>([
    ['error secrets_for_untrusted', { secrets: ['TOKEN'] }],
    ['error cache_for_untrusted', { caches: [{ type: 'deps', key: 'k', paths: ['p'] }] }],
    ['error egress_for_untrusted', { egress: { allow: ['evil.example'] } }],
  ])('given an untrusted change and a job that deserves "%s", then that is noted', (code, job) => {
    expect(codes(untrusted(withJob(job)), UNTRUSTED)).toEqual([code]);
  });
});
