import { describe, expect, it } from '@jest/globals';
import { linearPattern } from '../text/linear-pattern.ts';
import { ALL_RULES } from './all-rules.ts';
import { groupOf, matchRules } from './match-rules.ts';

const found = (id: string, text: string): boolean =>
  matchRules([{ number: 1, text }], null).some(({ rule }) => rule.id === id);

describe('the rules', () => {
  it('have ids of their own', () => {
    const ids = ALL_RULES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(ALL_RULES.map((rule) => [rule.id, rule] as const))(
    '%s: examples of both kinds, and they hold',
    (id, rule) => {
      const { matching, notMatching } = rule.examples;
      expect([matching.length > 0, notMatching.length > 0]).toEqual([true, true]);
      expect(matching.filter((text) => !found(id, text))).toEqual([]);
      expect(notMatching.filter((text) => found(id, text))).toEqual([]);
    },
  );

  it.each(ALL_RULES.map((rule) => [rule.id, rule] as const))(
    '%s: templates name groups the pattern has',
    (_id, rule) => {
      const named = `${rule.headline} ${rule.explanation}`.match(/\{[a-z]+\}/g) ?? [];
      for (const name of named) expect(rule.pattern).toContain(`(?P<${name.slice(1, -1)}`);
    },
  );

  it('given a line with the look of a passed test, then no rule takes it', () => {
    expect(matchRules([{ number: 1, text: '✔ says sh: 1: jest: not found' }], null)).toEqual([]);
  });

  it('given an exit code that a rule excludes, then it is not used', () => {
    const line = { number: 1, text: 'sh: 1: jest: not found' };
    expect(matchRules([line], 127)[0]?.rule.id).toBe('command-not-found');
    expect(matchRules([line], 139)).toEqual([]);
  });

  it('given a pattern that kills backtracking engines, then it answers', () => {
    expect(linearPattern('(a+)+$').find(`${'a'.repeat(50_000)}!`)).toBeNull();
  });

  it('given numbered branches of a pattern, then the one that took part is read', () => {
    expect(groupOf({ line2: '7' }, 'line')).toBe('7');
    expect(groupOf({}, 'line')).toBeUndefined();
  });
});
