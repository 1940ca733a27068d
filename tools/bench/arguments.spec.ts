import { describe, expect, it } from '@jest/globals';
import { parseBenchArguments } from './arguments.ts';

const KNOWN = ['append', 'peers'];
const parse = (...args: string[]) => parseBenchArguments(args, KNOWN);

describe('the arguments of the benchmark', () => {
  it('given none, then everything usual is measured, and nothing is recorded', () => {
    const bench = {
      only: null,
      quick: false,
      json: false,
      peers: false,
      record: false,
      jobsMax: 100_000,
      replayedRuns: 10_000,
      repo: null,
    };
    expect(parse()).toEqual({ kind: 'measure', bench });
  });

  it('given a repository, then its history is planned too', () => {
    expect(parse('--repo', '../other.git')).toMatchObject({ bench: { repo: '../other.git' } });
  });

  it('given names, then those are measured, in that order', () => {
    expect(parse('--only', 'peers,append')).toMatchObject({ bench: { only: ['peers', 'append'] } });
  });

  it.each([
    ['a measure that does not exist', ['--only', 'appand'], /no measure "appand": append, peers/],
    ['a log of no size', ['--jobs-max', 'many'], /--jobs-max/],
    ['a log that fits no disk', ['--jobs-max', '1000000000'], /--jobs-max/],
    ['a replay of no runs', ['--runs', '0'], /--runs/],
    ['a quick record', ['--quick', '--record'], /not recorded/],
    ['an option that does not exist', ['--fast'], /--fast/],
  ])('given %s, then it is refused with the reason', (_what, args, reason) => {
    expect(parse(...args)).toEqual({ kind: 'usage', problem: expect.stringMatching(reason) });
  });

  it('given a question, then it is answered', () => {
    expect(parse('--list')).toEqual({ kind: 'list' });
    expect(parse('--help')).toEqual({ kind: 'usage', problem: null });
  });
});
