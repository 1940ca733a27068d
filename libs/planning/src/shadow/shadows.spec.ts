import { describe, expect, it } from '@jest/globals';
import { canonicalJson, isShadow, type LedgerEntry, type Plan } from '@delta-ci/contracts';
import fc from 'fast-check';
import { checkPlan } from '../check-plan.ts';
import { constructionKey } from '../known-construction.ts';
import { planChange } from '../plan-change.ts';
import { HEAD, inputsFor, keysOf, planned, type Files } from '../planned-repository.fixture.ts';
import { anyMonorepo } from '../random-monorepo.fixture.ts';
import { inputsFromRecord, recordInputs, type RecordedInputs } from '../recorded-inputs.ts';
import { SHOP, json } from '../shop.fixture.ts';
import type { ShadowInput } from './shadow-input.ts';
import { shadowRulesFor } from './shadow-rules.ts';

const AFTER: Files = { ...SHOP, 'packages/money/src/index.js': 'export const add = (a, b) => a + b;\n' };
const ALWAYS: ShadowInput = { rules: { rate: 1, escapeRateMax: 0.05, samplesMin: 100 }, entries: [], busy: false };
const NEVER: ShadowInput = { ...ALWAYS, rules: { ...ALWAYS.rules, rate: 0.000_001 } };

const escapes = (optimisation: string, escaped: number): LedgerEntry => ({
  optimisation,
  samples: 50,
  caught: 0,
  escaped,
  unstable: 0,
});
const shadowsOf = ({ jobs }: Plan): Plan['jobs'] => jobs.filter(({ policy }) => isShadow(policy));
const selectedOf = ({ jobs }: Plan): Plan['jobs'] => jobs.filter(({ policy }) => !isShadow(policy));

/** As many small packages as have more jobs than a plan may hold. */
function moreThanAPlanHolds(): Files {
  const scripts = { lint: 'eslint .', typecheck: 'tsc --noEmit', test: 'node --test' };
  const names = Array.from({ length: 3_400 }, (_, at) => `part-${at}`);
  return {
    'package.json': json({ name: 'all', private: true, workspaces: ['packages/*'] }),
    ...Object.fromEntries(names.map((name) => [`packages/${name}/package.json`, json({ name, scripts })])),
    'packages/part-0/index.js': '',
  };
}

describe('a change in the sample', () => {
  const plan = planned(SHOP, AFTER, { shadow: ALWAYS });
  const [shadow] = shadowsOf(plan);

  it('runs what is left out too, as a job that decides nothing and goes last', () => {
    expect(keysOf(selectedOf(plan))).toEqual(['test-packages-cart', 'test-packages-money']);
    expect(keysOf(plan.skipped)).toEqual(['test-packages-greeting']);
    expect(keysOf(shadowsOf(plan))).toEqual(['shadow-test-packages-greeting']);
    expect(shadow?.policy).toMatchObject({
      required: false,
      allowFailure: true,
      priority: -100,
      leftOut: { by: ['ownership'], as: 'shadow' },
    });
  });

  it('says that it is a shadow in its title, its sentence, its chain and the summary', () => {
    expect(shadow?.title).toBe('test @shop/greeting (shadow)');
    expect(shadow?.explanation.sentence).toMatchInlineSnapshot(
      `"test packages/greeting runs as a shadow, which decides nothing: the plan leaves it out, and every change is looked at for what that misses. Otherwise: test packages/greeting is skipped: the changed file does not reach packages/greeting, and it depends on no other unit."`,
    );
    expect(shadow?.explanation.chain[0]).toMatchObject({ kind: 'policy', policy: 'shadow' });
    expect(plan.summary).toContain('2 of 3 jobs run: ');
    expect(plan.summary).toContain('One job runs as a shadow of what is left out, and decides nothing.');
    expect(plan.shadow).toMatchObject({ sample: 'taken', by: ['ownership'], jobs: 1, unmeasured: 1, ms: 0, off: [] });
  });

  it('does what its job would do', () => {
    const whole = planned(null, AFTER).jobs.find(({ key }) => key === 'test-packages-greeting');
    expect(shadow?.steps).toEqual(whole?.steps);
    expect(shadow?.caches).toEqual(whole?.caches);
  });

  it('is shed when work is waiting already, and says so', () => {
    const busy = planned(SHOP, AFTER, { shadow: { ...ALWAYS, busy: true } });
    expect(shadowsOf(busy)).toEqual([]);
    expect(busy.shadow?.sample).toBe('shed');
    expect(busy.notes.map(({ code }) => code)).toContain('shadows_shed');
  });

  it('is shed when the plan with shadows would hold what no plan may: the change is planned as without a ledger', () => {
    const before = moreThanAPlanHolds();
    const after = { ...before, 'packages/part-0/index.js': '// edited\n' };
    const { shadow: told, notes, jobs } = planned(before, after, { shadow: ALWAYS });
    expect(keysOf(jobs)).toEqual(['lint-packages-part-0', 'test-packages-part-0', 'typecheck-packages-part-0']);
    expect(told).toMatchObject({ sample: 'shed', jobs: 3 * 3_399 });
    const [shed] = notes.filter(({ code }) => code === 'shadows_shed');
    expect(shed?.message).toContain('there is no plan with it: the plan would hold what no plan may: jobs:');
  });

  it('runs nothing again in a rerun, which is no further sample', () => {
    const source = {
      of: `run_${'1'.repeat(32)}`,
      only: 'all' as const,
      planDigest: `sha256:${'a'.repeat(64)}`,
      jobs: null,
    };
    const again = planned(SHOP, AFTER, { rerun: { source, plan } });
    expect(keysOf(again.jobs)).toEqual(['test-packages-cart', 'test-packages-money']);
    expect(again.shadow).toBeUndefined();
  });
});

describe('a change that is not in the sample', () => {
  it('has the plan it would have without a ledger, but for what that says', () => {
    const { shadow, ...plan } = planned(SHOP, AFTER, { shadow: NEVER });
    expect(plan).toEqual(planned(SHOP, AFTER));
    expect(shadow).toMatchObject({ sample: 'not-taken', by: ['ownership'], jobs: 1 });
  });
});

describe('an optimisation that lets too much escape', () => {
  const off: ShadowInput = { ...NEVER, entries: [escapes('documentation', 0), escapes('ownership', 2)] };
  const plan = planned(SHOP, AFTER, { shadow: off });

  it('leaves nothing out, and says why', () => {
    expect(keysOf(plan.jobs)).toEqual(['test-packages-cart', 'test-packages-greeting', 'test-packages-money']);
    expect(plan.skipped).toEqual([]);
    const greeting = plan.jobs.find(({ unit }) => unit === 'packages/greeting');
    expect(greeting?.explanation.sentence).toMatchInlineSnapshot(
      `"test packages/greeting runs because packages/money/src/index.js was modified, and it belongs to packages/money, but everything runs: the optimisation ownership has switched itself off: in 2 of 50 samples a failure escaped it, so it may be in up to 12.1 % of all, and 5 % are allowed."`,
    );
    expect(plan.shadow).toMatchObject({ by: [], jobs: 0, off: ['ownership'] });
    expect(plan.notes.filter(({ code }) => code === 'optimisation_off')).toMatchObject([{ subject: 'ownership' }]);
  });

  it('goes on being looked at: what it would leave out is marked, and counts as any job', () => {
    const marked = plan.jobs.filter(({ policy }) => policy.leftOut !== undefined);
    expect(marked.map(({ key, policy: { required, leftOut } }) => [key, required, leftOut])).toEqual([
      ['test-packages-greeting', true, { by: ['ownership'], as: 'counted' }],
    ]);
  });

  it('has no part in changes that others decide on', () => {
    const readme = { ...SHOP, 'README.md': '# The shop\n' };
    expect(planned(SHOP, readme, { shadow: off }).jobs).toEqual([]);
  });

  it('can be that nothing runs when nothing changed', () => {
    const idle: ShadowInput = { ...NEVER, entries: [escapes('no-change', 2)] };
    expect(planned(SHOP, SHOP, { shadow: NEVER }).jobs).toEqual([]);
    expect(planned(SHOP, SHOP, { shadow: idle }).jobs).toHaveLength(3);
  });
});

describe('by which rules a ledger is kept', () => {
  const rulesOf = (files: Files, trust: 'trusted' | 'untrusted' = 'trusted', rate = 0.02) => {
    const { change, head, rules } = inputsFor(SHOP, files);
    const shadow = { rate, escapeRateMax: 0.05, samplesMin: 100 };
    return shadowRulesFor({ change: { ...change, trust }, head, rules: { ...rules, shadow } });
  };
  const config = (text: string): Files => ({ ...SHOP, 'delta.yaml': `version: 1\n${text}\n` });

  it('is by the installation, and over that by what the repository says', () => {
    expect(rulesOf(SHOP)).toEqual({ rate: 0.02, escapeRateMax: 0.05, samplesMin: 100 });
    expect(rulesOf(config('jobs: {}\npolicies: { shadow: { rate: 0.1, max_escape_rate: 0.01 } }'))).toEqual({
      rate: 0.1,
      escapeRateMax: 0.01,
      samplesMin: 100,
    });
  });

  it.each([
    ['nothing is sampled', rulesOf(SHOP, 'trusted', 0)],
    ['the change is a stranger’s', rulesOf(SHOP, 'untrusted')],
    ['a person wrote the jobs down', rulesOf(config('jobs: { a: { steps: [x] } }'))],
    ['the repository says no', rulesOf(config('jobs: {}\npolicies: { shadow: { rate: 0 } }'))],
    ['the file cannot be read', rulesOf(config('jobs: 7'))],
  ])('is none where %s', (_, rules) => {
    expect(rules).toBeNull();
  });
});

/** A workspace before and after some of its files are edited, among them ones that no package has. */
const anyChangedMonorepo = fc
  .record({ repository: anyMonorepo, picks: fc.array(fc.nat(), { maxLength: 3 }), readme: fc.boolean() })
  .map(({ repository: { files, roots }, picks, readme }) => {
    const edited = picks.map((pick) => `${roots[pick % roots.length] ?? '.'}/src/index.js`);
    const changes = [...edited, ...(readme ? ['README.md'] : [])].map((path): [string, string] => [
      path,
      '// edited\n',
    ]);
    return { before: files, after: { ...files, ...Object.fromEntries(changes) } };
  });

describe('laws of shadows', () => {
  it('law: what is selected is what would be without a ledger, and with its shadows everything runs', () => {
    fc.assert(
      fc.property(anyChangedMonorepo, ({ before, after }) => {
        const plan = planned(before, after, { shadow: ALWAYS });
        const plain = planned(before, after);
        expect(selectedOf(plan)).toEqual(plain.jobs);
        expect(plan.skipped).toEqual(plain.skipped);
        const everything = planned(null, after).jobs.flatMap(({ steps }) => steps.map(({ run }) => run));
        const ran = new Set(plan.jobs.flatMap(({ steps }) => steps.map(({ run }) => run)));
        expect(everything.filter((line) => !ran.has(line))).toEqual([]);
      }),
    );
  });

  it('law: the plan passes its check, and is made again from what was recorded', () => {
    fc.assert(
      fc.property(anyChangedMonorepo, fc.nat(3), fc.boolean(), ({ before, after }, escaped, busy) => {
        const shadow = {
          ...ALWAYS,
          busy,
          entries: [escapes('ownership', escaped), escapes('workspace-file', escaped)],
        };
        const inputs = inputsFor(before, after, { shadow });
        const plan = planned(before, after, { shadow });
        expect(checkPlan(plan, inputs).filter(({ severity }) => severity === 'error')).toEqual([]);
        const recorded = JSON.parse(JSON.stringify(recordInputs(inputs))) as RecordedInputs;
        expect(canonicalJson(planChange(inputsFromRecord(recorded, null)) as never)).toBe(
          canonicalJson(planChange(inputs) as never),
        );
      }),
    );
  });

  it('law: an optimisation that is switched off only ever adds jobs', () => {
    fc.assert(
      fc.property(anyChangedMonorepo, ({ before, after }) => {
        const shadow = { ...NEVER, entries: [escapes('ownership', 9)] };
        const keys = new Set(keysOf(planned(before, after, { shadow }).jobs));
        expect(keysOf(planned(before, after).jobs).filter((key) => !keys.has(key))).toEqual([]);
      }),
    );
  });

  it('a plan is taken for another change only when both or neither are in the sample', () => {
    const keyOf = (commit: string): string =>
      constructionKey({
        ...inputsFor(SHOP, AFTER, { shadow: { ...ALWAYS, rules: { ...ALWAYS.rules, rate: 0.5 } } }),
        commit,
      });
    const commits = Array.from({ length: 20 }, (_, at) => at.toString(16).padStart(40, '7'));
    expect(new Set([HEAD, ...commits].map(keyOf)).size).toBe(2);
  });
});
