import { describe, expect, it } from '@jest/globals';
import { Plan, canonicalJson, explainSubject, fullNameOf } from '@delta-ci/contracts';
import fc from 'fast-check';
import { checkPlan } from './check-plan.ts';
import { constructionKey, withHeading } from './known-construction.ts';
import type { PlanningInputs } from './model.ts';
import { planChange } from './plan-change.ts';
import { inputsFor, keysOf, planned, type Files } from './planned-repository.fixture.ts';
import { inputsFromRecord, recordInputs, type RecordedInputs } from './recorded-inputs.ts';
import { anyMonorepo, dependentsOf, monorepoOf } from './random-monorepo.fixture.ts';

/** An edit of some file of a repository: changed, deleted, or one more beside it. */
const anyEdit = fc.record({ pick: fc.nat(), what: fc.constantFrom('modify', 'delete', 'add') });

function edited(files: Files, paths: readonly string[], { pick, what }: { pick: number; what: string }): Files {
  const path = paths[pick % paths.length] ?? '';
  const { [path]: text = '', ...others } = files;
  if (what === 'delete') return others;
  return what === 'add' ? { ...files, [`${path}.extra.js`]: 'new\n' } : { ...others, [path]: modified(path, text) };
}

function modified(path: string, text: string): string {
  return path.endsWith('.json') ? text.replace('node --test', 'node --test --only') : `${text}// edited\n`;
}

const sourcesOf = (files: Files): string[] =>
  Object.keys(files)
    .filter((path) => path.includes('/src/'))
    .sort();

const anyTrust = fc.constantFrom('trusted' as const, 'untrusted' as const);

/** One input of a plan, other than it was. */
const anyDifference = fc.constantFrom<(inputs: PlanningInputs) => Partial<PlanningInputs>>(
  ({ repository }) => ({ repository: { ...repository, cloneUrl: 'https://elsewhere.test/widgets.git' } }),
  ({ change }) => ({ change: { ...change, trust: change.trust === 'trusted' ? 'untrusted' : 'trusted' } }),
  () => ({ tree: '9'.repeat(40) }),
  ({ policy }) => ({ policy: { ...policy, maxConcurrency: policy.maxConcurrency + 1 } }),
  ({ rules }) => ({ rules: { ...rules, pool: `${rules.pool}-2` } }),
  () => ({ durations: { startUp: { ms: 1_000, runs: 3 }, steps: {} } }),
  ({ comparison }) =>
    comparison.kind === 'changes'
      ? { comparison: { ...comparison, commit: '8'.repeat(40) } }
      : { tree: '9'.repeat(40) },
  () => ({ comparison: { kind: 'everything', reason: 'there is no earlier commit' } }),
);

describe('laws of planning', () => {
  it('law: whatever changes in a package, its jobs and those of all that depend on it run', () => {
    fc.assert(
      fc.property(anyMonorepo, anyEdit, ({ files, roots, edges }, edit) => {
        const paths = sourcesOf(files);
        const owner = roots.find((root) => paths[edit.pick % paths.length]?.startsWith(`${root}/`)) ?? '';
        const plan = planned(files, edited(files, paths, edit));
        const running = new Set(plan.jobs.filter(({ kind }) => kind === 'test').map(({ unit }) => unit));
        expect(running).toEqual(dependentsOf(owner, edges));
      }),
    );
  });

  it('law: the same inputs in another order give the same plan, byte for byte', () => {
    fc.assert(
      fc.property(anyMonorepo, anyEdit, fc.infiniteStream(fc.nat()), ({ files }, edit, numbers) => {
        const after = edited(files, sourcesOf(files), edit);
        const shuffle = (each: Files): Files =>
          Object.fromEntries(
            Object.entries(each)
              .map((entry) => ({ entry, at: numbers.next().value ?? 0 }))
              .sort((one, other) => one.at - other.at)
              .map(({ entry }) => entry),
          );
        expect(canonicalJson(planned(shuffle(files), shuffle(after)))).toBe(canonicalJson(planned(files, after)));
      }),
    );
  });

  it('law: what was recorded of the inputs makes the same plan, byte for byte', () => {
    fc.assert(
      fc.property(anyMonorepo, anyEdit, fc.boolean(), ({ files }, edit, everything) => {
        const inputs = inputsFor(everything ? null : files, edited(files, Object.keys(files).sort(), edit));
        const recorded = JSON.parse(JSON.stringify(recordInputs(inputs))) as RecordedInputs;
        expect(planChange(inputsFromRecord(recorded, null))).toEqual(planChange(inputs));
      }),
    );
  });

  it('law: a plan of the same construction, headed anew, is a fresh plan byte for byte', () => {
    const heading = fc.record({
      ref: fc.string({ minLength: 1, unit: 'binary' }),
      title: fc.string(),
      author: fc.string(),
    });
    fc.assert(
      fc.property(
        anyMonorepo,
        anyEdit,
        fc.boolean(),
        anyTrust,
        heading,
        ({ files }, edit, everything, trust, named) => {
          const after = edited(files, sourcesOf(files), edit);
          const made = inputsFor(everything ? null : files, after);
          const before = { ...made, change: { ...made.change, trust } };
          const change = { ...before.change, ...named, kind: 'pull_request' as const, pullRequest: 7 };
          const inputs = { ...before, change, commit: 'e'.repeat(40) };
          expect(constructionKey(inputs)).toBe(constructionKey(before));
          const [known, fresh] = [planChange(before), planChange(inputs)];
          if (!known.ok || !fresh.ok) throw new Error('both can be planned');
          expect(canonicalJson(withHeading(known.plan, inputs))).toBe(canonicalJson(fresh.plan));
        },
      ),
    );
  });

  it('law: plans that differ in more than their heading are not of one construction', () => {
    fc.assert(
      fc.property(anyMonorepo, anyEdit, anyDifference, ({ files }, edit, differ) => {
        const inputs = inputsFor(files, edited(files, sourcesOf(files), edit));
        const other = { ...inputs, ...differ(inputs) };
        expect(constructionKey(other)).not.toBe(constructionKey(inputs));
      }),
    );
  });

  it('law: one more dependency never takes a job away', () => {
    const link = fc.tuple(fc.nat(5), fc.nat(5));
    fc.assert(
      fc.property(fc.array(link, { maxLength: 8 }), link, anyEdit, (links, more, edit) => {
        const jobs = (all: readonly (readonly [number, number])[]): string[] => {
          const { files } = monorepoOf(6, all);
          return keysOf(planned(files, edited(files, sourcesOf(files), edit)).jobs);
        };
        expect(jobs([...links, more])).toEqual(expect.arrayContaining(jobs(links)));
      }),
    );
  });

  it('law: renaming a package never loses its jobs', () => {
    fc.assert(
      fc.property(anyMonorepo, fc.nat(), ({ files, roots }, pick) => {
        const root = roots[pick % roots.length] ?? '';
        const moved = Object.fromEntries(
          Object.entries(files).map(([path, text]) => [path.replace(`${root}/`, `${root}-moved/`), text]),
        );
        const running = planned(files, moved).jobs.map(({ unit }) => unit);
        expect(running).toContain(`${root}-moved`);
      }),
    );
  });

  it('law: every plan fits its shape, passes its check, and can explain every job, unit and changed file', () => {
    fc.assert(
      fc.property(
        anyMonorepo,
        anyEdit,
        fc.boolean(),
        fc.boolean(),
        anyTrust,
        ({ files, roots }, edit, everything, manifests, trust) => {
          // Without its only manifest a repository has nothing to run, and no plan.
          fc.pre(roots.length > 1 || !manifests);
          const after = edited(files, manifests ? Object.keys(files).sort() : sourcesOf(files), edit);
          const made = inputsFor(everything ? null : files, after);
          const inputs = { ...made, change: { ...made.change, trust } };
          const plan = planned(everything ? null : files, after, inputs);
          expect(Plan.parse(plan)).toEqual(plan);
          expect(checkPlan(plan, inputs).filter(({ severity }) => severity === 'error')).toEqual([]);
          const subjects = [
            ...keysOf([...plan.jobs, ...plan.skipped]).map((id) => ({ kind: 'job' as const, id })),
            ...plan.units.map(({ id }) => ({ kind: 'unit' as const, id })),
            ...plan.files.map(({ path }) => ({ kind: 'file' as const, id: path })),
          ];
          expect(subjects.map((subject) => explainSubject(plan, fullNameOf(subject))?.subject)).toEqual(subjects);
        },
      ),
    );
  });
});
