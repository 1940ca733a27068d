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
        verdict: null,
      },
    });
  });

  it('given one seed, then that seed alone is meant', () => {
    expect(parseCommandLine(['--seed', '77', '--mode', 'liveness', '--steps', '10'])).toMatchObject({
      request: { from: 77, seeds: 1, mode: 'liveness', stepsMax: 10 },
    });
  });

  it('given the first and the last seed, then those between them are meant', () => {
    const request = { from: 5_001, seeds: 5_000, verdict: 'b.json' };
    expect(parseCommandLine(['--seeds', '5001-10000', '--verdict', 'b.json'])).toMatchObject({ request });
  });

  it('given verdicts to add up, then no seed is meant', () => {
    expect(parseCommandLine(['--sum', 'a.json', 'b.json'])).toEqual({ ok: true, sum: ['a.json', 'b.json'] });
  });

  it.each([
    [['--seeds', '9-3'], '--seeds 9-3 goes from a seed to a later one, alone'],
    [['--seeds', '3-9', '--from', '4'], '--seeds 3-9 goes from a seed to a later one, alone'],
    [['--sum'], '--sum takes files'],
    [['77'], 'what is meant by "77"?'],
    [['--mode', 'fast'], '--mode is safety or liveness, not fast'],
    [['--seeds', '0'], '--seeds takes a whole number from 1, not "0"'],
    [['--seed', '1e3'], '--seed takes a whole number from 1, not "1e3"'],
    [['--mutant', 'nobody'], 'there is no mutant "nobody"'],
    [['--loud'], "Unknown option '--loud'"],
  ])('given %j, then it is refused with a reason', (args, problem) => {
    expect(parseCommandLine(args)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });
});
