import { describe, expect, it } from '@jest/globals';
import { DEFAULT_JOB_LIMITS, type JobStep, type LearnedDurations } from '@delta-ci/contracts';
import { DEFAULT_PLANNING_RULES } from '../default-rules.ts';
import { assessChange } from '../impact/assess-change.ts';
import { aUnit } from '../made-up-unit.fixture.ts';
import type { Discovery, Unit } from '../model.ts';
import { constructJobs, type Construction } from './construct-jobs.ts';
import { storyOf } from './explain.ts';
import { termsOf } from './job-terms.ts';
import { measured } from './measured.fixture.ts';

const INSTALL: JobStep = { name: 'install', run: 'npm ci', workdir: '.' };
const testOf = (root: string): JobStep => ({ name: `test ${root}`, run: 'npm test', workdir: root });

/** A package of one workspace, tested after an install. */
function tested(root: string, more: Partial<Unit> = {}): Unit {
  const command = {
    kind: 'test' as const,
    step: testOf(root),
    evidence: 'its script',
    text: 'npm test',
    reports: [],
    outputs: [],
    joins: null,
  };
  return aUnit(root, { workspace: '.', install: [INSTALL], commands: [command], ...more });
}

const ALL = aUnit('.', { name: 'shop' });

/** What is constructed when a file of each unit changes. */
function built(units: readonly Unit[], durations: LearnedDurations | null): Construction {
  const discovery: Discovery = { units: [ALL, ...units], edges: [], problems: [] };
  const changes = units.map(({ root }) => ({ status: 'M' as const, path: `${root}/x` }));
  const story = storyOf(discovery, assessChange(discovery, discovery, changes), changes.length, []);
  return constructJobs(
    story,
    termsOf({ rules: DEFAULT_PLANNING_RULES, trust: 'trusted', limits: DEFAULT_JOB_LIMITS, entries: [] }),
    durations,
  );
}

const keysOf = ({ jobs }: Construction): string[] => jobs.map(({ key }) => key);

/** Installing takes 20 s and starting 10 s; tests as long as told, in seconds. */
const taking = (tests: Readonly<Record<string, number | null>>, given = {}): LearnedDurations =>
  measured([[INSTALL, 20], ...Object.entries(tests).map(([root, seconds]) => [testOf(root), seconds] as const)], given);

const taken = (...roots: readonly string[]) => roots.map((root) => [testOf(root), 3] as const);

describe('small jobs', () => {
  const units = ['a', 'b', 'c'].map((root) => tested(root));

  it('given tests that take less than their start, when several are reached, then they run as one job', () => {
    const { jobs } = built(units, taking({ a: 3, b: 4, c: 300 }));
    expect(jobs.map(({ key, title, unit }) => [key, title, unit])).toEqual([
      ['test-small', 'test 2 small units of shop', '.'],
      ['test-c', 'test c', 'c'],
    ]);
    expect(jobs[0]?.steps).toEqual([
      INSTALL,
      { ...testOf('a'), independent: true },
      { ...testOf('b'), independent: true },
    ]);
  });

  it('say why they run together, and name every member in the chain', () => {
    const [job] = built(units, taking({ a: 3, b: 4, c: 300 })).jobs;
    expect(job?.explanation.sentence).toBe(
      'test small units of shop runs for a and b because a/x was modified, and it belongs to a. What reaches each of the others is told under its own name. They run together because none of the 2 takes longer than its start and preparation, about 30 s (7 runs).',
    );
    expect(job?.explanation.chain.flatMap((link) => (link.kind === 'unit' ? [link.unit] : []))).toEqual([
      'a',
      'a',
      'b',
    ]);
  });

  it('given only one that is reached, then it runs by itself, under its own name', () => {
    expect(keysOf(built(units.slice(0, 1), taking({ a: 3 })))).toEqual(['test-a']);
  });

  it.each([
    ['a test that nobody measured', taking({ a: 3, b: null })],
    [
      'an install that nobody measured',
      measured([
        [testOf('a'), 3],
        [testOf('b'), 3],
      ]),
    ],
    ['a start that nobody measured', taking({ a: 3, b: 3 }, { startUp: null })],
    ['measures of two runs alone', taking({ a: 3, b: 3 }, { runs: 2 })],
    ['nothing at all', null],
  ])('given %s, then nothing is put together by it', (_what, durations) => {
    expect(keysOf(built(units.slice(0, 2), durations))).toEqual(['test-a', 'test-b']);
  });

  it('given starts that take no time, then nothing is put together', () => {
    const quick = measured(
      [
        [INSTALL, 0.5],
        [testOf('a'), 0.1],
        [testOf('b'), 0.1],
      ],
      { startUp: 1 },
    );
    expect(keysOf(built(units.slice(0, 2), quick))).toEqual(['test-a', 'test-b']);
  });

  it.each<[string, Partial<Unit>]>([
    ['another environment', { env: { NODE_ENV: 'test' } }],
    ['another toolchain', { toolchain: { name: 'node', version: '20', evidence: 'its manifest' } }],
    ['another workspace', { workspace: 'b' }],
    ['another preparation', { install: [{ ...INSTALL, run: 'npm install' }] }],
  ])('given %s, then a unit does not run with the others', (_what, more) => {
    const odd = tested('b', more);
    const durations = measured([[INSTALL, 20], [{ ...INSTALL, run: 'npm install' }, 20], ...taken('a', 'b', 'c')]);
    const { jobs } = built([tested('a'), odd, tested('c')], durations);
    expect(jobs.map(({ key }) => key)).toEqual(['test-small', 'test-b']);
  });

  it('given more than a minute of them, then they are as many jobs as keep each below that', () => {
    const roots = Array.from({ length: 40 }, (_, at) => `p${String(at).padStart(2, '0')}`);
    const { jobs } = built(
      roots.map((root) => tested(root)),
      measured([[INSTALL, 20], ...roots.map((root) => [testOf(root), 5] as const)]),
    );
    const own = jobs.map(({ steps }) => steps.filter(({ name }) => name !== 'install').length);
    expect(Math.max(...own)).toBeLessThanOrEqual(12);
    expect(own.reduce((sum, count) => sum + count, 0)).toBe(40);
    expect(jobs.length).toBeLessThan(10);
  });

  it('given one duration that changes, then every other unit stays in the job it was in', () => {
    const roots = Array.from({ length: 40 }, (_, at) => `p${String(at).padStart(2, '0')}`);
    const jobsBy = (ofFirst: number): Map<string, string> => {
      const durations = measured([
        [INSTALL, 20],
        ...roots.map((root, at) => [testOf(root), at === 0 ? ofFirst : 5] as const),
      ]);
      const { jobs } = built(
        roots.map((root) => tested(root)),
        durations,
      );
      return new Map(jobs.flatMap(({ key, steps }) => steps.map(({ workdir }) => [workdir, key] as const)));
    };
    const [before, after] = [jobsBy(4), jobsBy(500)];
    expect(roots.filter((root) => before.get(root) !== after.get(root))).toEqual(['p00']);
  });
});
