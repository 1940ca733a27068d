import { describe, expect, it } from '@jest/globals';
import { Judgement } from './judgement.ts';
import { under } from './requirement.ts';
import { verdictsText } from './verdicts-text.ts';

const REQUIREMENTS = under('Speaking', {
  speaks: 'It speaks.',
  listens: 'It listens.',
  sings: 'It sings.',
  rests: 'It rests.',
});
type Id = keyof typeof REQUIREMENTS;
const IDS = Object.keys(REQUIREMENTS) as Id[];
const finding = (id: Id, holds: boolean, seen = '') => ({ id, holds, expected: 'words', seen, exchange: ['GET /'] });

describe('a judgement', () => {
  it('holds what held each time, tells the first time it did not, and skips what nobody saw', () => {
    const judgement = new Judgement(REQUIREMENTS);
    judgement.note('one', finding('speaks', true));
    judgement.note('one', finding('listens', true));
    judgement.note('two', finding('listens', false, 'nothing'));
    judgement.note('three', finding('listens', false, 'nothing again'));
    judgement.skip('sings', 'nobody asked');
    const verdicts = judgement.verdicts(IDS);
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(['passed', 'failed', 'skipped', 'skipped']);
    expect(verdictsText(verdicts)).toBe(
      [
        'Speaking',
        '  pass  speaks                 It speaks.',
        '  FAIL  listens                It listens.',
        '        in        two',
        '        expected  words',
        '        seen      nothing',
        '        exchange',
        '          GET /',
        '  skip  sings                  It sings.',
        '        because   nobody asked',
        '  skip  rests                  It rests.',
        '        because   what it takes to see it did not come about',
        '',
        '1 passed, 1 failed, 2 skipped',
        '',
      ].join('\n'),
    );
  });

  it('gives the verdicts that were asked for, and no more of an exchange than anybody reads', () => {
    const judgement = new Judgement(REQUIREMENTS);
    judgement.note('one', { ...finding('speaks', false), exchange: Array.from({ length: 100 }, () => 'GET /') });
    const [verdict, ...others] = judgement.verdicts(['speaks']);
    expect(others).toEqual([]);
    expect(verdict?.exchange.at(-1)).toBe('(and 92 more)');
  });
});
