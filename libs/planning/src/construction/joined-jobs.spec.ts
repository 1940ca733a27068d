import { describe, expect, it } from '@jest/globals';
import { DEFAULT_JOB_LIMITS, type JobKind } from '@delta-ci/contracts';
import { DEFAULT_PLANNING_RULES } from '../default-rules.ts';
import { assessChange } from '../impact/assess-change.ts';
import { aUnit } from '../made-up-unit.fixture.ts';
import type { Discovery, Unit, UnitEdge } from '../model.ts';
import { constructJobs, type Construction } from './construct-jobs.ts';
import { storyOf } from './explain.ts';
import { termsOf } from './job-terms.ts';

/** A unit of the group `.`, tested by `check it`. */
function member(root: string, kinds: readonly JobKind[] = ['test']): Unit {
  const commands = kinds.map((kind) => ({
    kind,
    step: { name: kind, run: `check it ./${root}`, workdir: '.' },
    evidence: 'its files',
    text: 'check it',
    reports: [],
    outputs: [],
    joins: { group: '.', prefix: 'check it', argument: `./${root}`, whole: './...' },
  }));
  return aUnit(root, { commands });
}

function built(units: readonly Unit[], changed: readonly string[], edges: readonly UnitEdge[] = []): Construction {
  const discovery: Discovery = { units, edges, problems: [] };
  const changes = changed.map((path) => ({ status: 'M' as const, path }));
  const story = storyOf(discovery, assessChange(discovery, discovery, changes), changes.length, []);
  return constructJobs(
    story,
    termsOf({ rules: DEFAULT_PLANNING_RULES, trust: 'trusted', limits: DEFAULT_JOB_LIMITS, entries: [] }),
  );
}

const linesOf = ({ jobs }: Construction): string[] => jobs.flatMap(({ steps }) => steps.map(({ run }) => run));

describe('commands that join', () => {
  const units = [aUnit('.', { name: 'all' }), member('a'), member('b'), member('c')];

  it('run as one job for the units that are reached, told under the name of the group', () => {
    const construction = built(units, ['a/x', 'c/x']);
    expect(linesOf(construction)).toEqual(['check it ./a ./c']);
    expect(construction.jobs.map(({ key, title, unit }) => [key, title, unit])).toEqual([['test', 'test all', '.']]);
    expect(construction.skipped).toEqual([]);
  });

  it('say for whom they run, and why for the first', () => {
    const [job] = built(units, ['a/x', 'c/x']).jobs;
    expect(job?.explanation.sentence).toBe(
      'test all runs for a and c because a/x was modified, and it belongs to a. What reaches each of the others is told under its own name.',
    );
    const named = job?.explanation.chain.flatMap((link) => (link.kind === 'unit' ? [link.unit] : []));
    expect(named).toEqual(['a', 'a', 'c']);
  });

  it('run as a whole when every unit of the group is reached', () => {
    expect(linesOf(built(units, ['a/x', 'b/x', 'c/x']))).toEqual(['check it ./...']);
  });

  it('are skipped as one when none is reached', () => {
    const { jobs, skipped } = built(units, ['x']);
    expect(jobs).toEqual([]);
    expect(skipped.map(({ key, explanation }) => [key, explanation.sentence])).toEqual([
      [
        'test',
        'test all is skipped: none of its 3 units is reached by the changed file in a way that it would notice.',
      ],
    ]);
  });

  it('are as many jobs as keep each within what a plan can hold', () => {
    const many = Array.from({ length: 900 }, (_, at) => member(`p${String(at).padStart(3, '0')}`));
    const { jobs } = built(
      many,
      many.map(({ root }) => `${root}/x`),
    );
    expect(jobs.map(({ key }) => key)).toEqual(['test-p000', 'test-p000-part-2', 'test-p000-part-3']);
    expect(jobs.flatMap(({ steps }) => steps.map(({ run }) => run.split(' ').length - 2))).toEqual([400, 400, 100]);
  });

  it('given some that join otherwise, then they are jobs beside each other, each with a key of its own', () => {
    const [otherwise] = [member('b')].map((unit) => ({
      ...unit,
      commands: unit.commands.map((command) => ({
        ...command,
        joins: { group: '.', prefix: 'check well', argument: './b', whole: './...' },
      })),
    }));
    const mixed = [aUnit('.', { name: 'all' }), member('a'), ...(otherwise === undefined ? [] : [otherwise])];
    const { jobs } = built(mixed, ['a/x', 'b/x']);
    expect(jobs.map(({ key, title, steps }) => [key, title, steps.at(-1)?.run])).toEqual([
      ['test', 'test all', 'check it ./...'],
      ['test-way-2', 'test all, another way', 'check well ./...'],
    ]);
    expect(built(mixed, ['a/x']).skipped.map(({ key }) => key)).toEqual(['test-way-2']);
  });

  it('run for what notices through its tests alone, and for nobody who depends on that', () => {
    const edge = (from: string, to: string, kind: UnitEdge['kind']): UnitEdge => ({ from, to, kind, evidence: 'so' });
    const both: JobKind[] = ['build', 'test'];
    const chained = [member('a', both), member('b', both), member('c', both)];
    const { jobs } = built(chained, ['a/x'], [edge('b', 'a', 'test'), edge('c', 'b', 'production')]);
    expect(jobs.map(({ kind, steps }) => [kind, steps.at(-1)?.run])).toEqual([
      ['build', 'check it ./a'],
      ['test', 'check it ./a ./b'],
    ]);
  });
});
