import { describe, expect, it } from '@jest/globals';
import { canonicalJson, stepKey, type JobStep, type LearnedDurations, type Plan } from '@delta-ci/contracts';
import fc from 'fast-check';
import { checkPlan } from './check-plan.ts';
import { planChange } from './plan-change.ts';
import { inputsFor, planned, type Files } from './planned-repository.fixture.ts';
import { anyMonorepo } from './random-monorepo.fixture.ts';
import { inputsFromRecord, recordInputs, type RecordedInputs } from './recorded-inputs.ts';
import { json } from './shop.fixture.ts';

/** Each package has tests that can run in shards. */
function withVitest(files: Files): Files {
  const changed = Object.entries(files).flatMap(([path, text]): [string, string][] => {
    if (!path.endsWith('/package.json')) return [[path, text]];
    const manifest = JSON.parse(text) as { scripts: object };
    const scripts = { ...manifest.scripts, test: 'vitest run' };
    const tests = Array.from({ length: 30 }, (_, at): [string, string] => [
      path.replace('package.json', `src/deep/t${at}.test.js`),
      '',
    ]);
    return [[path, json({ ...manifest, scripts, devDependencies: { vitest: '^3.0.0' } })], ...tests];
  });
  return Object.fromEntries(changed);
}

/** A project of Python and a package of cargo beside it, whose tests can run in shards as well. */
const OTHERS: Files = {
  'py/pyproject.toml': '[project]\nname = "py"\n[dependency-groups]\ndev = ["pytest>=8"]\n[tool.pytest.ini_options]\n',
  ...Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`py/tests/test_${at}.py`, ''])),
  'rs/Cargo.toml': '[package]\nname = "rs"\nversion = "0.1.0"\n',
  'rs/src/lib.rs': '',
  '.github/workflows/ci.yml': 'steps:\n  - run: cargo nextest run\n',
};

const anyWorkspace = fc
  .tuple(anyMonorepo, fc.boolean())
  .map(([{ files }, shards]) => (shards ? { ...withVitest(files), ...OTHERS } : files));

/** For steps in the order of their keys: seconds, or null for what nobody measured. */
const anySeconds = fc.array(fc.option(fc.constantFrom(1, 2, 4, 10, 30, 100, 400, 1_500), { freq: 8 }), {
  minLength: 40,
  maxLength: 40,
});

const stepsOf = ({ jobs }: Plan): JobStep[] => jobs.flatMap(({ steps }) => steps);

/** Durations of steps of a plan. */
function durationsFor(plan: Plan, seconds: readonly (number | null)[]): LearnedDurations {
  const keys = [...new Set(stepsOf(plan).map(stepKey))].sort();
  const known = keys.flatMap((key, at) => {
    const each = seconds[at % seconds.length] ?? null;
    return each === null ? [] : [[key, { ms: each * 1_000, runs: 7 }] as const];
  });
  return { startUp: { ms: 5_000, runs: 9 }, steps: Object.fromEntries(known) };
}

/** What jobs are there for, apart from what prepares them; a share counts as a part of what it is a share of. */
function workOf(plan: Plan): string[] {
  return plan.jobs
    .flatMap(({ kind, steps }) =>
      steps
        .filter(({ name }) => name.startsWith(`${kind} `))
        .map((step) => ({ key: step.share?.of ?? stepKey(step), part: 1 / (step.share?.count ?? 1) })),
    )
    .sort((one, other) => (one.key < other.key ? -1 : 1))
    .reduce<{ key: string; part: number }[]>((sums, { key, part }) => {
      const last = sums.at(-1);
      if (last?.key === key) last.part += part;
      else sums.push({ key, part });
      return sums;
    }, [])
    .map(({ key, part }) => `${part.toFixed(6)} ${key}`);
}

describe('laws of durations in plans', () => {
  it('law: however jobs are cut, the same is done, every piece of it once, and the plan passes its check', () => {
    fc.assert(
      fc.property(anyWorkspace, anySeconds, (files, seconds) => {
        const before = planned(null, files);
        const durations = durationsFor(before, seconds);
        const after = planned(null, files, { durations });
        expect(workOf(after)).toEqual(workOf(before));
        expect(
          checkPlan(after, inputsFor(null, files, { durations })).filter(({ severity }) => severity === 'error'),
        ).toEqual([]);
      }),
    );
  });

  it('law: every unit is told in the chain of a job that does its work', () => {
    fc.assert(
      fc.property(anyWorkspace, anySeconds, (files, seconds) => {
        const before = planned(null, files);
        const named = (plan: Plan): Set<string | null> =>
          new Set(
            plan.jobs.flatMap(({ unit, explanation }) => [
              unit,
              ...explanation.chain.flatMap((link) => (link.kind === 'unit' ? [link.unit] : [])),
            ]),
          );
        const after = planned(null, files, { durations: durationsFor(before, seconds) });
        const told = named(after);
        expect([...named(before)].filter((unit) => !told.has(unit))).toEqual([]);
      }),
    );
  });

  it('law: without durations, or with those of other steps, the plan is what it was, byte for byte', () => {
    const others: LearnedDurations = {
      startUp: { ms: 5_000, runs: 9 },
      steps: { 'test x 00000000': { ms: 1, runs: 9 } },
    };
    fc.assert(
      fc.property(anyWorkspace, fc.constantFrom({ startUp: null, steps: {} }, others), (files, durations) => {
        expect(canonicalJson(planned(null, files, { durations }))).toBe(canonicalJson(planned(null, files)));
      }),
    );
  });

  it('law: what was recorded of the inputs makes the same plan, durations and all', () => {
    fc.assert(
      fc.property(anyWorkspace, anySeconds, (files, seconds) => {
        const durations = durationsFor(planned(null, files), seconds);
        const inputs = inputsFor(null, files, { durations });
        const recorded = JSON.parse(JSON.stringify(recordInputs(inputs))) as RecordedInputs;
        expect(planChange(inputsFromRecord(recorded, null))).toEqual(planChange(inputs));
      }),
    );
  });

  it('law: the order in which durations and files are told changes nothing', () => {
    fc.assert(
      fc.property(anyWorkspace, anySeconds, (files, seconds) => {
        const durations = durationsFor(planned(null, files), seconds);
        const turned = { ...durations, steps: Object.fromEntries(Object.entries(durations.steps).toReversed()) };
        const turnedFiles = Object.fromEntries(Object.entries(files).toReversed());
        expect(canonicalJson(planned(null, turnedFiles, { durations: turned }))).toBe(
          canonicalJson(planned(null, files, { durations })),
        );
      }),
    );
  });
});
