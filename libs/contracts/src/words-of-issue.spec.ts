import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { RunId } from './ids.ts';
import { wordsOfIssue } from './words-of-issue.ts';

const schema = z.strictObject({
  run: RunId.optional(),
  steps: z.array(z.string().min(1)).min(1).max(2),
  kind: z.enum(['deps', 'build']).optional(),
  version: z.literal(1).optional(),
  count: z.number().int().min(1).max(9).optional(),
});

const wordsFor = (value: unknown): string[] =>
  (schema.safeParse(value).error?.issues ?? []).map((issue) => wordsOfIssue(issue, value));

describe('what is wrong, in words', () => {
  it.each<[string, unknown, string]>([
    ['a key that has to be there', {}, 'missing, expected a list'],
    ['another kind', { steps: true }, 'expected a list, not true'],
    ['nothing', { steps: null }, 'expected a list, not nothing'],
    ['another whole', 7, 'expected keys with values, not 7'],
    ['an entry of another kind', { steps: [7] }, 'expected text, not 7: put it in quotes, "7"'],
    ['an empty list', { steps: [] }, 'expected at least 1 entry'],
    ['a text that is too short', { steps: [''] }, 'expected at least 1 character'],
    ['a list that is too long', { steps: ['a', 'b', 'c'] }, 'expected at most 2 entries'],
    ['a number out of bounds', { steps: ['a'], count: 10 }, 'expected at most 9'],
    ['a part of a number', { steps: ['a'], count: 1.5 }, 'expected a whole number, not 1.5'],
    ['another word', { steps: ['a'], kind: 'dep' }, 'expected one of deps, build'],
    ['another version', { steps: ['a'], version: 2 }, 'expected 1'],
    ['an unknown key', { steps: ['a'], step: [] }, 'nothing is called "step" there'],
    ['no id', { steps: ['a'], run: 'x' }, 'expected run_ followed by 32 hexadecimal digits'],
  ])('given %s, then it is told without a word of schemas', (_, value, words) => {
    expect(wordsFor(value)).toEqual([words]);
  });

  it('given an issue of another library, then its message is taken', () => {
    expect(wordsOfIssue({ message: 'not good' }, {})).toBe('not good');
  });
});
