import { describe, expect, it } from '@jest/globals';
import { NOTHING_YET, withCommit, type Tally } from './comparison/tally.ts';
import { exitCodeOf, reportPage, reportText, type OracleReport } from './report.ts';

const commit = { commit: 'c'.repeat(40), subject: 'cart: round half to even' };

const explained: Tally = [
  {
    kind: 'compared' as const,
    comparison: {
      listed: 5,
      both: ['cart', 'shop'],
      oursOnly: [{ unit: 'site', rule: 'typescript-configuration' }],
      theirsOnly: [{ unit: 'money', reasons: ['documentation only' as const], words: 'no job reads it' }],
      unknown: 1,
    },
  },
  { kind: 'not answered' as const, reason: 'no turbo.json' },
  { kind: 'not planned' as const, reason: 'nothing_to_run' },
].reduce((tally, outcome) => withCommit(tally, commit, outcome), NOTHING_YET);

const broken = withCommit(explained, commit, {
  kind: 'compared',
  comparison: {
    listed: 5,
    both: [],
    oursOnly: [],
    theirsOnly: [
      { unit: 'docs', reasons: [], words: 'nothing was discovered there' },
      { unit: 'money', reasons: [], words: 'something else' },
    ],
    unknown: 0,
  },
});

const report = (...tallies: readonly Tally[]): OracleReport => ({
  repository: 'shop',
  head: 'a'.repeat(40),
  asked: [
    ...tallies.map((tally) => ({ oracle: 'turbo', tally, skipped: null })),
    { oracle: 'go', tally: null, skipped: 'go is not on PATH' },
  ],
});

describe('a report of what oracles say', () => {
  it('says how much was compared, what agrees, and why the rest does not', () => {
    expect(reportText(report(explained))).toBe(`shop up to aaaaaaaaaaaa

turbo: 1 of 3 commits compared
  left out, not answered: no turbo.json: 1
  left out, not planned: nothing_to_run: 1
  units, over all commits: 5 listed by both, 3 affected by turbo's word, 3 in our plans (1.00 of it)
  further units that turbo names and can say nothing about: 1
  affected by both: 2
  ours only: 1
    by typescript-configuration: 1
  theirs only, explained: 1
    documentation only: 1 (first money in cccccccccccc)
  theirs only, unexplained: 0

go: not asked: go is not on PATH
`);
  });

  it('tells the first that is unexplained in words', () => {
    expect(reportText(report(broken))).toContain(
      '  theirs only, unexplained: 2\n    first: docs in cccccccccccc (cart: round half to even): nothing was discovered there\n',
    );
  });

  it('is a table on its page, with what the reasons mean', () => {
    const page = reportPage(report(explained));
    expect(page).toContain(
      '| turbo | 1 of 3 | 5 | 3 | 3 | 2 | 1 typescript-configuration | 1 documentation only | 0 |',
    );
    expect(page).toContain('- go: go is not on PATH');
    expect(page).toContain('- **documentation only**: what changed is documentation');
    expect(page).not.toContain('**read by no job**');
  });

  it('ends the program with 0 when all is explained, 1 when not, and 3 when nothing could be compared', () => {
    expect(exitCodeOf(report(explained))).toBe(0);
    expect(exitCodeOf(report(explained, broken))).toBe(1);
    expect(exitCodeOf(report())).toBe(3);
    expect(exitCodeOf(report(NOTHING_YET))).toBe(3);
  });
});
