import { describe, expect, it } from '@jest/globals';
import { parseOracleArguments } from './arguments.ts';

const parse = (...args: readonly string[]) =>
  parseOracleArguments(args, ['nx', 'cargo'], { moon: 'it downloads plugins' });

describe('arguments of npm run oracle', () => {
  it('are a repository, and as many commits of it as are asked for', () => {
    const order = { repo: 'there', ref: null, last: 50, oracles: null, json: false, report: null };
    expect(parse('--repo', 'there')).toEqual({ kind: 'ask', order });
    const more = ['--ref', 'v2', '--last', '7', '--oracle', 'cargo,nx', '--json', '--report', 'page.md'];
    expect(parse('--repo', 'there', ...more)).toEqual({
      kind: 'ask',
      order: { repo: 'there', ref: 'v2', last: 7, oracles: ['cargo', 'nx'], json: true, report: 'page.md' },
    });
  });

  it.each([
    [[], /name a repository/u],
    [['--repo', '.', '--last', '0'], /whole number from 1/u],
    [['--repo', '.', '--last', 'many'], /whole number from 1/u],
    [['--repo', '.', '--oracle', 'bazel'], /no oracle "bazel": nx, cargo/u],
    [['--repo', '.', '--oracle', 'moon'], /moon is not asked: it downloads plugins/u],
    [['--repo', '.', '--oracle', ','], /names none of nx, cargo/u],
    [['--repo', '.', '--fast'], /--fast/u],
  ])('%j is refused', (args, problem) => {
    expect(parse(...args)).toEqual({ kind: 'usage', problem: expect.stringMatching(problem) });
  });

  it('may ask for the text, or the tools, alone', () => {
    expect(parse('--help')).toEqual({ kind: 'usage', problem: null });
    expect(parse('--list')).toEqual({ kind: 'list' });
  });
});
