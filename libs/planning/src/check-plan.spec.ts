import { describe, expect, it } from '@jest/globals';
import type { Plan, PlannedJob, ServiceRequest } from '@delta-ci/contracts';
import { checkPlan } from './check-plan.ts';
import { CHECK_NOTES, type CheckNoteCode } from './check/notes.ts';
import { shadowPolicy } from './construction/job-decisions.ts';
import type { PlanningInputs, PlanningRules } from './model.ts';
import { planChange } from './plan-change.ts';
import { inputsFor, planned, type Files } from './planned-repository.fixture.ts';
import { SHOP } from './shop.fixture.ts';

const AFTER: Files = { ...SHOP, 'packages/money/src/index.js': 'other' };
const INPUTS = inputsFor(SHOP, AFTER);
const SOUND = planned(SHOP, AFTER);
const [FIRST, SECOND] = SOUND.jobs;
if (FIRST === undefined || SECOND === undefined) throw new Error('the shop has two jobs to run');

/** A sound plan with its first job changed. */
function withJob(change: Partial<PlannedJob>): Plan {
  return { ...SOUND, jobs: SOUND.jobs.map((job, at) => (at === 0 ? { ...job, ...change } : job)) };
}

const withRequirements = (change: Partial<PlannedJob['requirements']>): Plan =>
  withJob({ requirements: { ...FIRST.requirements, ...change } });
const withPolicy = (change: Partial<PlannedJob['policy']>): Plan => withJob({ policy: { ...FIRST.policy, ...change } });
const withStep = (run: string): Plan => withJob({ steps: [{ name: 'out', run, workdir: '.' }] });

const SHADOW = { by: ['ownership'], as: 'shadow' as const };
const SHARD = { name: 'test', run: 'test', workdir: '.', share: { of: 'test 00000000', number: 1, count: 2 } };

/** The unit of the first job is not affected: what serves it may be a shadow. */
const ofOthers = (plan: Plan): Plan => ({
  ...plan,
  units: plan.units.map((unit) => ({ ...unit, affected: unit.id === SECOND.unit })),
});
const ofStranger = (plan: Plan): Plan => ({ ...plan, trust: 'untrusted' });
const STRANGER: PlanningInputs = { ...INPUTS, change: { ...INPUTS.change, trust: 'untrusted' } };
const FULLY_LABELLED: PlanningInputs = { ...INPUTS, rules: { ...INPUTS.rules, labels: ['arm'] } };

const withRules = (rules: Partial<PlanningInputs['rules']>): PlanningInputs => ({
  ...INPUTS,
  rules: { ...INPUTS.rules, ...rules },
});
const SERVICE: ServiceRequest = { name: 'db', image: 'postgres:17', ports: [5432], env: {}, health: null };

/** Nothing of a plan mentions money any more, though it is affected. */
const FORGOTTEN: Plan = {
  ...SOUND,
  jobs: SOUND.jobs.filter(({ unit }) => unit !== 'packages/money'),
};

/** For every note that the check can make, plans that deserve it and nothing else. */
const DESERVED: Readonly<Record<CheckNoteCode, readonly (readonly [plan: Plan, inputs?: PlanningInputs])[]>> = {
  repeated_key: [[{ ...SOUND, jobs: [...SOUND.jobs, FIRST] }]],
  unknown_need: [[withJob({ needs: ['nobody'] })]],
  circular_needs: [
    [withJob({ needs: [FIRST.key] })],
    [
      {
        ...SOUND,
        jobs: [
          { ...FIRST, needs: [SECOND.key] },
          { ...SECOND, needs: [FIRST.key] },
        ],
      },
    ],
  ],
  unaccounted_file: [[{ ...SOUND, files: [] }]],
  affected_without_job: [[FORGOTTEN]],
  wrong_explanation: [
    [withJob({ explanation: { ...FIRST.explanation, decision: 'skip' } })],
    [
      {
        ...SOUND,
        skipped: SOUND.skipped.map((job) => ({
          ...job,
          explanation: { ...job.explanation, decision: 'run' as const },
        })),
      },
    ],
  ],
  incomplete_shards: [[withJob({ steps: [SHARD] })], [withJob({ steps: [SHARD, SHARD] })]],
  trust_differs: [[ofStranger(SOUND)], [SOUND, STRANGER]],
  weak_isolation: [
    [withRequirements({ isolation: 'process' })],
    // A container shares its host's kernel, which a kernel of its own does not.
    [
      withRequirements({ isolation: 'container' }),
      { ...INPUTS, rules: { ...INPUTS.rules, trustedIsolation: 'gvisor' } },
    ],
  ],
  secrets_for_untrusted: [
    [ofStranger(withJob({ secrets: ['TOKEN'] })), STRANGER],
    [ofStranger(withJob({ idTokens: [{ name: 'CLOUD', audience: ['a'] }] })), STRANGER],
  ],
  egress_for_untrusted: [[ofStranger(withJob({ egress: { allow: ['evil.example'] } })), STRANGER]],
  limits_for_untrusted: [
    [ofStranger(withJob({ limits: { ...FIRST.limits, memoryBytes: FIRST.limits.memoryBytes + 1 } })), STRANGER],
    [ofStranger(withJob({ limits: { ...FIRST.limits, cpuCount: 64 } })), STRANGER],
  ],
  label_for_untrusted: [[ofStranger(withRequirements({ labels: ['gpu'] })), STRANGER]],
  policy_for_untrusted: [
    [ofStranger(withPolicy({ timeoutMs: 2 * 3_600_000 })), STRANGER],
    [ofStranger(withPolicy({ retries: 10 })), STRANGER],
    [ofStranger(withPolicy({ priority: 100 })), STRANGER],
  ],
  shadow_decides: [
    [ofOthers(withPolicy({ leftOut: SHADOW }))],
    [ofOthers(withPolicy({ leftOut: SHADOW, required: false, allowFailure: true, priority: 1 }))],
    [
      ofOthers({
        ...SOUND,
        jobs: [
          { ...FIRST, policy: shadowPolicy(['ownership']) },
          { ...SECOND, needs: [FIRST.key] },
        ],
      }),
    ],
  ],
  shadow_for_untrusted: [[ofOthers(ofStranger(withPolicy(shadowPolicy(['ownership'])))), STRANGER]],
  path_outside_workspace: [
    [withJob({ steps: [{ name: 'up', run: 'true', workdir: '../..' }] })],
    [withJob({ artifacts: [{ type: 'file', path: '/etc/passwd', retentionDays: 1 }] })],
    [withJob({ artifacts: [{ type: 'file', path: 'a/../../b', retentionDays: 1 }] })],
    [withJob({ caches: [{ type: 'deps', key: 'k', paths: ['~/../other'] }] })],
  ],
  label_not_offered: [[withRequirements({ labels: ['arm', 'gpu'] }), FULLY_LABELLED]],
  image_not_offered: [[withJob({ image: 'node:24' }), withRules({ images: ['node:22'] })]],
  services_not_offered: [[withJob({ services: [SERVICE] })]],
  limits_not_offered: [
    [SOUND, withRules({ limitsMax: { cpuCount: 1 } })],
    [SOUND, withRules({ limitsMax: { memoryBytes: 1 } })],
    [SOUND, withRules({ limitsMax: { diskBytes: 1 } })],
  ],
  timeout_beyond_run: [[withPolicy({ timeoutMs: 24 * 3_600_000 })]],
  may_publish: [
    [withStep('npm publish')],
    [withStep('cd x && docker  push example.org/x')],
    [withStep('terraform apply -auto-approve')],
    [withStep('./gradlew publish')],
  ],
  nothing_to_run_in_unit: [
    [planned(null, SHOP), inputsFor(null, SHOP)],
    [{ ...SOUND, units: SOUND.units.map((unit) => (unit.id === '.' ? { ...unit, affected: true } : unit)) }],
  ],
};

const CASES = Object.entries(DESERVED).flatMap(([code, plans]) =>
  plans.map(([plan, inputs], at) => [`${code} ${at + 1}`, code as CheckNoteCode, plan, inputs ?? INPUTS] as const),
);

describe('the check of a plan', () => {
  it('given a sound plan, then there is nothing to note', () => {
    expect(checkPlan(SOUND, INPUTS)).toEqual([]);
    expect(checkPlan(ofStranger(SOUND), STRANGER)).toEqual([]);
    expect(checkPlan(withRequirements({ labels: ['arm'] }), FULLY_LABELLED)).toEqual([]);
    expect(checkPlan(withRequirements({ labels: ['gpu'] }), INPUTS)).toEqual([]);
    expect(checkPlan(withJob({ image: 'node:24' }), withRules({ images: ['node:24'] }))).toEqual([]);
    expect(checkPlan(SOUND, withRules({ limitsMax: FIRST.limits }))).toEqual([]);
    expect(checkPlan(withStep('npm run publish-docs-locally && git pull'), INPUTS)).toEqual([]);
  });

  it('law: every note that it can make is deserved by some plan here', () => {
    const unprovoked = Object.keys(CHECK_NOTES).filter((code) => !CASES.some(([, deserved]) => deserved === code));
    expect(unprovoked).toEqual([]);
  });

  it.each(CASES)('given a plan that deserves %s, then that is noted and nothing else', (_, code, plan, inputs) => {
    const notes = checkPlan(plan, inputs).map((each) => `${each.severity} ${each.code}`);
    expect([...new Set(notes)]).toEqual([`${CHECK_NOTES[code]} ${code}`]);
  });

  it.each<[asked: string, more: string, rules: Partial<PlanningRules>, missing: string]>([
    ['runs_on: [gpu]', '', { labels: ['arm'] }, 'gpu'],
    ['image: "node:24"', '', { images: ['node:22'] }, 'the image node:24'],
    ['services: { db: { image: "postgres:17" } }', '', {}, 'services (db)'],
    ['workdir: x', 'limits: { cpu: "64" }', { limitsMax: { cpuCount: 8 } }, '64 processors, at most 8 processors'],
    [
      'workdir: x',
      'limits: { memory: 64Gi }',
      { limitsMax: { memoryBytes: 16 * 1_024 ** 3 } },
      '64 GiB of memory, at most 16 GiB of memory',
    ],
  ])(
    'given a job with `%s` and %j that no runner can have, then that is named, and there is no plan unless jobs are refused one by one',
    (...given) => {
      const [asked, more, rules, missing] = given;
      const files: Files = { 'delta.yaml': `version: 1\njobs: { train: { steps: [x], ${asked} } }\n${more}\n` };
      const inputs = inputsFor(null, files, { rules: { ...INPUTS.rules, ...rules } });
      expect(planChange(inputs)).toEqual({
        ok: false,
        code: 'plan_rejected',
        message: `the plan does not pass its check: train: no runner offers ${missing}`,
      });
      const alone = planChange({ ...inputs, rules: { ...inputs.rules, runsHere: true } });
      const message = `train: no runner offers ${missing}`;
      expect(alone).toMatchObject({ ok: true, plan: { notes: [{ severity: 'warning', message }] } });
    },
  );

  it('given bounds below what jobs get by default, then jobs that ask for nothing get no more than the bounds', () => {
    const rules = { ...INPUTS.rules, limitsMax: { cpuCount: 1, memoryBytes: 1_024 ** 3 } };
    const [job] = planned(SHOP, AFTER, { rules }).jobs;
    expect(job?.limits).toEqual({ ...FIRST.limits, cpuCount: 1, memoryBytes: 1_024 ** 3 });
  });

  it('given jobs that join, then each unit that is reached has to be named behind the rule that joined them', () => {
    const go: Files = { 'go.mod': 'module x.test/y\ngo 1.24\n', 'a/a.go': 'package a\n', 'b/b.go': 'package b\n' };
    const after = { ...go, 'a/a.go': 'package a // 1\n', 'b/b.go': 'package b // 1\n' };
    const plan = planned(go, after);
    const inputs = inputsFor(go, after);
    expect(checkPlan(plan, inputs)).toEqual([]);
    const withoutB = plan.jobs.map((job) => ({
      ...job,
      explanation: {
        ...job.explanation,
        chain: job.explanation.chain.filter((link) => link.kind !== 'unit' || link.unit !== 'b'),
      },
    }));
    expect(checkPlan({ ...plan, jobs: withoutB }, inputs).map(({ code, subject }) => [code, subject])).toEqual([
      ['affected_without_job', 'b'],
    ]);
  });

  it('given a unit whose explanation says that none of its jobs can notice, then that is reason enough', () => {
    const units = FORGOTTEN.units.map((unit) => {
      if (unit.id !== 'packages/money') return unit;
      const rule = { kind: 'job-rule' as const, rule: 'no job notices', detail: 'only lint jobs can notice' };
      return { ...unit, explanation: { ...unit.explanation, chain: [...unit.explanation.chain, rule] } };
    });
    expect(checkPlan({ ...FORGOTTEN, units }, INPUTS)).toEqual([]);
  });
});
