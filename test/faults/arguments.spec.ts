import { describe, expect, it } from '@jest/globals';
import { parseArguments } from './arguments.ts';

const KNOWN = ['nats-killed', 'disk-full'];

describe('the command line of npm run faults', () => {
  it('given nothing, then everything is played once', () => {
    expect(parseArguments([], KNOWN)).toEqual({
      kind: 'play',
      args: { list: false, only: [], rounds: 1, json: false, out: '.delta/faults' },
    });
  });

  it('given all there is, in both spellings, then all of it counts', () => {
    const argv = ['--list', '--only=disk-full', '--only', 'nats-killed', '--rounds', '3', '--json', '--out', 'there'];
    expect(parseArguments(argv, KNOWN)).toEqual({
      kind: 'play',
      args: { list: true, only: ['disk-full', 'nats-killed'], rounds: 3, json: true, out: 'there' },
    });
  });

  it.each([
    [['--help'], null],
    [['--quick'], 'there is no --quick'],
    [['--only', 'nats-kiled'], "there is no scenario 'nats-kiled'; --list names them"],
    [['--only'], "there is no scenario ''; --list names them"],
    [['--rounds', 'many'], '--rounds takes a whole number from 1 to 1000'],
    [['--rounds', '0'], '--rounds takes a whole number from 1 to 1000'],
    [['--out='], '--out takes a directory'],
  ])('given %j, then usage is shown', (argv, problem) => {
    expect(parseArguments(argv, KNOWN)).toEqual({ kind: 'usage', problem });
  });
});
