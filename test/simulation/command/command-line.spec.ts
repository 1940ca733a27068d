import { describe, expect, it } from '@jest/globals';
import { parseCommandLine } from './command-line.ts';

describe('the command line of the simulator', () => {
  it('given nothing, then some hundred seeds of both modes are meant', () => {
    expect(parseCommandLine([])).toEqual({
      ok: true,
      request: {
        from: 1,
        seeds: 500,
        mode: null,
        stepsMax: null,
        mutant: null,
        json: false,
        workers: 2,
        complete: false,
      },
    });
  });

  it('given one seed, then that seed alone is meant', () => {
    expect(parseCommandLine(['--seed', '77', '--mode', 'liveness', '--steps', '10'])).toMatchObject({
      request: { from: 77, seeds: 1, mode: 'liveness', stepsMax: 10 },
    });
  });

  it.each([
    [['--mode', 'fast'], '--mode is safety or liveness, not fast'],
    [['--seeds', '0'], '--seeds takes a whole number from 1, not "0"'],
    [['--seed', '1e3'], '--seed takes a whole number from 1, not "1e3"'],
    [['--mutant', 'nobody'], 'there is no mutant "nobody"'],
    [['--loud'], "Unknown option '--loud'"],
  ])('given %j, then it is refused with a reason', (args, problem) => {
    expect(parseCommandLine(args)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });
});
