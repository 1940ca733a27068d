import { describe, expect, it } from '@jest/globals';
import { canonicalJson } from '@delta-ci/contracts';
import fc from 'fast-check';
import {
  afterThat,
  anyHappenings,
  anyKeptMonorepo,
  filesOf,
  rootOf,
  seenByTests,
  type KeptMonorepo,
} from './kept-monorepo.fixture.ts';
import { differenceOf, inputsFor, keysOf, planned, type Files } from './planned-repository.fixture.ts';
import type { PlanningInputs } from './model.ts';
import { planChange } from './plan-change.ts';

/** Plans held against a model that says by itself what tests can see. */

const testedIn = (jobs: readonly { readonly kind: string; readonly unit: string | null }[]): Set<string | null> =>
  new Set(jobs.filter(({ kind }) => kind === 'test').map(({ unit }) => unit));

/** Roots of the packages whose tests see something else than before. */
function seeingOtherwise(before: KeptMonorepo, after: KeptMonorepo): string[] {
  return after.packages
    .map((_, at) => at)
    .filter((at) => seenByTests(before, at) !== seenByTests(after, at))
    .map(rootOf);
}

/** As git tells it when it looks for renames: files that went from one folder to another, with the same contents. */
function withRenames(before: Files, after: Files, from: string, to: string): Partial<PlanningInputs> {
  const inputs = inputsFor(before, after);
  if (inputs.comparison.kind !== 'changes') throw new Error('there is something to compare with');
  const moved = Object.keys(after).filter((path) => path.startsWith(`${to}/`));
  const others = differenceOf(before, after).filter(
    ({ path }) => !path.startsWith(`${to}/`) && !path.startsWith(`${from}/`),
  );
  const changes = [
    ...others,
    ...moved.map((path) => ({ status: 'R' as const, path, oldPath: `${from}${path.slice(to.length)}` })),
  ];
  return { comparison: { ...inputs.comparison, changes } };
}

describe('laws of what tests can see', () => {
  it('law: whatever happens, no test that sees something else than before is left out', () => {
    fc.assert(
      fc.property(anyKeptMonorepo, anyHappenings, (before, happenings) => {
        const after = afterThat(before, happenings);
        const running = testedIn(planned(filesOf(before), filesOf(after)).jobs);
        expect(seeingOtherwise(before, after).filter((root) => !running.has(root))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('law: a change of words alone runs nothing', () => {
    fc.assert(
      fc.property(anyKeptMonorepo, fc.nat(), (before, pick) => {
        const after = afterThat(before, [{ what: 'readme', pick, other: 0 }]);
        expect(planned(filesOf(before), filesOf(after)).jobs).toEqual([]);
      }),
    );
  });

  it('law: what happens runs at least what each part of it runs alone', () => {
    fc.assert(
      fc.property(anyKeptMonorepo, anyHappenings, (before, happenings) => {
        const files = filesOf(before);
        const settled = happenings.filter(({ what }) => what === 'edit' || what === 'script' || what === 'bump');
        const whole = keysOf(planned(files, filesOf(afterThat(before, settled))).jobs);
        for (const each of settled) {
          expect(whole).toEqual(
            expect.arrayContaining(keysOf(planned(files, filesOf(afterThat(before, [each]))).jobs)),
          );
        }
      }),
    );
  });

  it('law: one more dependency of any kind never takes a job away', () => {
    fc.assert(
      fc.property(anyKeptMonorepo, fc.nat(), fc.nat(), fc.nat(), (model, pick, other, edited) => {
        const more = afterThat(model, [{ what: 'need', pick, other }]);
        const jobs = (each: KeptMonorepo): string[] =>
          keysOf(planned(filesOf(each), filesOf(afterThat(each, [{ what: 'edit', pick: edited, other: 0 }]))).jobs);
        // Where a package is needed in another way than before, an edge took the place of one.
        const target = other % model.packages.length;
        fc.pre(model.packages[pick % model.packages.length]?.inside.every(({ on }) => on !== target) === true);
        expect(jobs(more)).toEqual(expect.arrayContaining(jobs(model)));
      }),
    );
  });

  it('law: a package that is moved keeps its tests and those of whoever needs it, told as a rename or as two files', () => {
    fc.assert(
      fc.property(anyKeptMonorepo, fc.nat(), fc.boolean(), (model, pick, asRename) => {
        const at = pick % model.packages.length;
        const [from, to] = [rootOf(at), `packages/moved-${at}`];
        const files = filesOf(model);
        const moved = Object.fromEntries(
          Object.entries(files).map(([path, text]) => [
            path.startsWith(`${from}/`) ? `${to}${path.slice(from.length)}` : path,
            path === 'package-lock.json' ? text.replaceAll(`"${from}"`, `"${to}"`) : text,
          ]),
        );
        const given = asRename ? withRenames(files, moved, from, to) : {};
        const running = testedIn(planned(files, moved, given).jobs);
        const needing = model.packages.flatMap(({ inside }, each) =>
          inside.some(({ on }) => on === at) ? [rootOf(each)] : [],
        );
        expect([to, ...needing].filter((root) => !running.has(root))).toEqual([]);
      }),
    );
  });

  it('law: in whatever order files are listed and changes told, the plan is the same byte for byte', () => {
    fc.assert(
      fc.property(anyKeptMonorepo, anyHappenings, fc.nat(), (before, happenings, turn) => {
        const inputs = inputsFor(filesOf(before), filesOf(afterThat(before, happenings)));
        const turned = <T>(list: readonly T[]): T[] => {
          const by = list.length === 0 ? 0 : turn % list.length;
          return [...list.slice(by), ...list.slice(0, by)].reverse();
        };
        if (inputs.comparison.kind !== 'changes') throw new Error('there is something to compare with');
        const { snapshot, changes } = inputs.comparison;
        const other: PlanningInputs = {
          ...inputs,
          head: { ...inputs.head, entries: turned(inputs.head.entries) },
          comparison: {
            ...inputs.comparison,
            snapshot: { ...snapshot, entries: turned(snapshot.entries) },
            changes: turned(changes),
          },
        };
        expect(canonicalJson(planChange(other))).toBe(canonicalJson(planChange(inputs)));
      }),
    );
  });
});
