import { describe, expect, it } from '@jest/globals';
import type { Plan, RerunSource } from '@delta-ci/contracts';
import { inputsFor, keysOf, type Files } from './planned-repository.fixture.ts';
import { planChange } from './plan-change.ts';
import type { PlanningInputs, PlanningResult } from './model.ts';

const FILES: Files = {
  'delta.yaml': `version: 1
jobs:
  build: { steps: [make] }
  unit: { steps: [make test], needs: [build], secrets: [TOKEN], id_tokens: { CLOUD: { aud: a } } }
  lint: { steps: [make lint], needs: [build] }
`,
};
const DIGEST = `sha256:${'0'.repeat(64)}`;
const OF = `run_${'1'.repeat(32)}`;

function earlier(): Plan {
  const result = planChange(inputsFor(null, FILES));
  if (!result.ok) throw new Error(result.message);
  return result.plan;
}

function rerun(jobs: readonly string[] | null, given: Partial<PlanningInputs> = {}): PlanningResult {
  const source: RerunSource = {
    of: OF,
    only: jobs === null ? 'all' : 'failed',
    planDigest: DIGEST,
    jobs: jobs === null ? null : [...jobs],
  };
  return planChange(inputsFor(null, FILES, { rerun: { source, plan: earlier() }, ...given }));
}

function planOf(result: PlanningResult): Plan {
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
  return result.plan;
}

describe('a rerun', () => {
  it('given the failed jobs, then only they run, and what they needed and succeeded is not waited for', () => {
    const plan = planOf(rerun(['unit']));
    expect(plan.jobs.map(({ key, needs }) => [key, needs])).toEqual([['unit', []]]);
    expect(keysOf(plan.skipped)).toEqual(['build', 'lint']);
    expect(plan.source).toEqual({ kind: 'rerun', evidence: `the plan ${DIGEST} of ${OF}` });
    expect(plan.jobs[0]?.explanation.sentence).toBe(
      `unit runs again because it did not succeed in ${OF}. Then: unit runs because the branch is new.`,
    );
    expect(plan.skipped[0]?.explanation.sentence).toBe(`build is skipped: its result in ${OF} stands.`);
  });

  it('given a need that failed too, then it is still waited for', () => {
    expect(planOf(rerun(['build', 'unit'])).jobs.map(({ needs }) => needs)).toEqual([[], ['build']]);
  });

  it('given all jobs, then the plan has them all', () => {
    expect(keysOf(planOf(rerun(null)).jobs)).toEqual(['build', 'lint', 'unit']);
  });

  it.each(['trusted', 'untrusted'] as const)(
    'given a job of a %s change that somebody looks into, then it runs alone, once, leaves nothing and has no secrets',
    (trust) => {
      const debug = { attempt: 2, by: 'olga', reason: 'it fails at night', heldMs: 900_000 };
      const source: RerunSource = { of: OF, only: 'all', planDigest: DIGEST, jobs: ['unit'], debug };
      const change = { ...inputsFor(null, FILES).change, trust };
      const plan = planOf(planChange(inputsFor(null, FILES, { rerun: { source, plan: earlier() }, change })));
      const planned = earlier().jobs.find(({ key }) => key === 'unit');
      expect(plan.jobs).toMatchObject([
        {
          key: 'unit',
          needs: [],
          steps: planned?.steps,
          secrets: [],
          artifacts: [],
          caches: [],
          policy: { retries: 0, lostRetries: 0, timeoutMs: (planned?.policy.timeoutMs ?? 0) + 900_000 },
          debug: { heldMs: 900_000, withheld: trust === 'trusted' ? ['TOKEN', 'CLOUD'] : [] },
        },
      ]);
      expect(plan.jobs[0]).not.toHaveProperty('idTokens');
      expect(plan.summary).toContain(`Attempt 2 of unit of ${OF} is looked into; nothing of it counts.`);
    },
  );

  it.each([
    ['process', 'sandbox'],
    ['sandbox', 'sandbox'],
    ['container', 'container'],
    ['gvisor', 'gvisor'],
  ] as const)(
    'given a job on tier %s that somebody looks into, then its runner has at least tier %s',
    (isolation, wanted) => {
      const debug = { attempt: 1, by: 'olga', reason: 'it fails', heldMs: 900_000 };
      const source: RerunSource = { of: OF, only: 'all', planDigest: DIGEST, jobs: ['unit'], debug };
      const plan = earlier();
      const jobs = plan.jobs.map((job) => ({ ...job, requirements: { ...job.requirements, isolation } }));
      const base = inputsFor(null, FILES);
      const rules = { ...base.rules, trustedIsolation: 'process' as const };
      const inputs = { ...base, rules, rerun: { source, plan: { ...plan, jobs } } };
      expect(planOf(planChange(inputs)).jobs[0]?.requirements.isolation).toBe(wanted);
    },
  );

  it('given a change that is not trusted, then a rerun does not carry what the earlier plan had', () => {
    const change = { ...inputsFor(null, FILES).change, trust: 'untrusted' as const };
    const [before] = earlier().jobs;
    if (before === undefined) throw new Error('the earlier plan has jobs');
    const generous = {
      ...earlier(),
      jobs: earlier().jobs.map((job) => ({
        ...job,
        limits: { ...job.limits, cpuCount: 64 },
        policy: { ...job.policy, priority: 100 },
      })),
    };
    const source: RerunSource = { of: OF, only: 'all', planDigest: DIGEST, jobs: null };
    const [job] = planOf(planChange(inputsFor(null, FILES, { change, rerun: { source, plan: generous } }))).jobs;
    expect(job).toMatchObject({ limits: before.limits, policy: { priority: 10 } });
    const [again] = planOf(rerun(['unit'], { change })).jobs;
    expect(again?.secrets).toEqual([]);
    expect(again).not.toHaveProperty('idTokens');
  });

  it.each([
    ['another commit', ['unit'], { commit: 'd'.repeat(40) }, 'tests commit'],
    ['a job that was not there', ['nobody'], {}, 'has no job nobody'],
  ])('given %s, then it is refused', (_what, jobs, given, message) => {
    expect(rerun(jobs, given)).toMatchObject({
      ok: false,
      code: 'invalid_rerun',
      message: expect.stringContaining(message),
    });
  });
});
