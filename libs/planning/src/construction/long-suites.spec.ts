import { describe, expect, it } from '@jest/globals';
import { DEFAULT_JOB_LIMITS, stepKey, type JobStep, type LearnedDurations, type PlannedJob } from '@delta-ci/contracts';
import { DEFAULT_PLANNING_RULES } from '../default-rules.ts';
import { assessChange } from '../impact/assess-change.ts';
import { aUnit } from '../made-up-unit.fixture.ts';
import type { CommandShards, Discovery, Unit, UnitCommand } from '../model.ts';
import { constructJobs } from './construct-jobs.ts';
import { storyOf } from './explain.ts';
import { termsOf } from './job-terms.ts';
import { measured } from './measured.fixture.ts';

/** What is constructed when a file of each of these folders changes. */
function built(units: readonly Unit[], durations: LearnedDurations | null, changed?: readonly string[]): PlannedJob[] {
  const discovery: Discovery = { units, edges: [], problems: [] };
  const folders = changed ?? units.map(({ root }) => root);
  const changes = folders.map((root) => ({ status: 'M' as const, path: `${root}/x` }));
  const story = storyOf(discovery, assessChange(discovery, discovery, changes), changes.length, []);
  const terms = termsOf({ rules: DEFAULT_PLANNING_RULES, trust: 'trusted', limits: DEFAULT_JOB_LIMITS, entries: [] });
  return [...constructJobs(story, terms, durations).jobs];
}

const COMMAND: Omit<UnitCommand, 'step'> = {
  kind: 'test',
  evidence: 'its script',
  text: 'vitest run',
  reports: [],
  outputs: [],
  joins: null,
};
const SUITE: JobStep = { name: 'test web', run: 'npm run test', workdir: 'web' };
const SHARDS: CommandShards = { by: '--shard of vitest', suffix: ' -- --shard={number}/{count}', most: 40 };

const web = (shards: CommandShards | null = SHARDS): Unit =>
  aUnit('web', { commands: [{ ...COMMAND, step: SUITE, ...(shards === null ? {} : { shards }) }] });

const minutes = (count: number): LearnedDurations => measured([[SUITE, count * 60]]);

describe('a long suite', () => {
  it('given a runner that can, then it runs in shards of about five minutes', () => {
    const jobs = built([web()], minutes(14));
    expect(jobs.map(({ key, title }) => [key, title])).toEqual([
      ['test-web', 'test web, shard 1 of 3'],
      ['test-web-shard-2', 'test web, shard 2 of 3'],
      ['test-web-shard-3', 'test web, shard 3 of 3'],
    ]);
    expect(jobs.map(({ steps }) => steps)).toEqual(
      [1, 2, 3].map((number) => [
        { ...SUITE, run: `npm run test -- --shard=${number}/3`, share: { of: stepKey(SUITE), number, count: 3 } },
      ]),
    );
  });

  it('says that it is sharded, and how long the suite takes', () => {
    const [, second] = built([web()], minutes(14));
    expect(second?.explanation.sentence).toBe(
      'test web, shard 2 of 3, runs because web/x was modified, and it belongs to web. It is sharded because the suite takes about 14 min (7 runs).',
    );
    expect(second?.explanation.chain).toContainEqual({
      kind: 'job-rule',
      rule: 'a long suite runs in shards',
      detail: 'shard 2 of 3, by --shard of vitest, of what takes about 14 min (7 runs)',
    });
  });

  it.each<[string, Unit, LearnedDurations | null, number]>([
    ['a suite of five minutes', web(), minutes(5), 1],
    ['a suite of an hour', web(), minutes(60), 8],
    ['files for two shards alone', web({ ...SHARDS, most: 2 }), minutes(60), 2],
    ['a runner that cannot', web(null), minutes(60), 1],
    ['a suite that nobody measured', web(), measured([]), 1],
    ['measures of two runs', web(), measured([[SUITE, 3_600]], { runs: 2 }), 1],
    ['no durations', web(), null, 1],
  ])('given %s, then it runs in that many jobs', (_what, unit, durations, count) => {
    expect(built([unit], durations).length).toBe(count);
  });
});

/** A package of a Go module: its tests join those of others. */
function member(root: string): Unit {
  const joins = { group: '.', prefix: 'go test', argument: `./${root}`, whole: './...' };
  return aUnit(root, { commands: [{ ...COMMAND, step: testOf(`./${root}`), joins }] });
}

const testOf = (what: string): JobStep => ({ name: 'test .', run: `go test ${what}`, workdir: '.' });
const argumentsOf = (jobs: readonly PlannedJob[]): string[] =>
  jobs.map(({ steps }) => (steps.at(-1)?.run ?? '').replace('go test ', ''));

describe('commands that join and take long together', () => {
  const units = [aUnit('.', { name: 'all' }), ...['a', 'b', 'c', 'd'].map(member)];
  const changed = ['a', 'b', 'c', 'd'];

  it('run in parts of as many members each, as long as nothing tells these apart', () => {
    const jobs = built(units, measured([[testOf('./...'), 600]]), changed);
    expect(jobs.map(({ key, title }) => [key, title])).toEqual([
      ['test', 'test all'],
      ['test-part-2', 'test all, part 2'],
    ]);
    expect(argumentsOf(jobs)).toEqual(['./a ./c', './b ./d']);
    expect(jobs.map(({ steps }) => steps.at(-1)?.share)).toEqual(
      [1, 2].map((number) => ({ of: stepKey(testOf('./...')), number, count: 2 })),
    );
    expect(jobs[0]?.explanation.sentence).toContain('It runs in parts because the suite takes about 10 min (7 runs).');
  });

  it('run in parts of like duration, as far as members were measured by themselves', () => {
    const durations = measured([
      [testOf('./...'), 600],
      [testOf('./b'), 400],
      [testOf('./c'), 30],
    ]);
    expect(argumentsOf(built(units, durations, changed))).toEqual(['./b', './a ./c ./d']);
  });

  it('run as one when what is reached of them takes no longer than a part', () => {
    const jobs = built(units, measured([[testOf('./...'), 600]]), ['a', 'd']);
    expect(argumentsOf(jobs)).toEqual(['./a ./d']);
  });

  it('are no shares of the whole when only some are reached: their sum is not what all take', () => {
    const jobs = built(units, measured([[testOf('./...'), 780]]), ['a', 'b', 'd']);
    expect(argumentsOf(jobs)).toEqual(['./a ./d', './b']);
    expect(jobs.flatMap(({ steps }) => steps.filter(({ share }) => share !== undefined))).toEqual([]);
  });
});
