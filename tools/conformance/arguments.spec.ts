import { describe, expect, it } from '@jest/globals';
import { parseArguments } from './arguments.ts';

describe('the arguments of the kit', () => {
  it('given a runner, then its command is all behind the dashes, options of its own among it', () => {
    const words = ['runner', '--only', 'masks', '--only=log-exact', '--json', '--patience=5', '--', './mine', '--json'];
    expect(parseArguments(words)).toEqual({
      kind: 'runner',
      only: ['masks', 'log-exact'],
      list: false,
      json: true,
      patienceMs: 5_000,
      command: ['./mine', '--json'],
      atOnce: 4,
    });
  });

  it.each([
    [['runner'], 'say which runner'],
    [['runner', './mine'], 'there is no ./mine'],
    [['runner', '--patience', '0', '--', 'x'], '--patience takes'],
    [['runner', '--at-once', 'many', '--', 'x'], '--at-once takes'],
    [['orchestrator'], "not 'orchestrator'"],
  ])('given %j, then the problem is named', (words, problem) => {
    expect(parseArguments(words)).toEqual({ kind: 'usage', problem: expect.stringContaining(problem) });
  });

  it.each([[[]], [['--help']], [['runner', '--help']]])('given %j, then the usage is the answer', (words) => {
    expect(parseArguments(words)).toEqual({ kind: 'usage', problem: null });
  });
});
