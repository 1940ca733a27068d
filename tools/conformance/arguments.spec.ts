import { describe, expect, it } from '@jest/globals';
import { parseArguments } from './arguments.ts';

describe('the arguments of the kit', () => {
  it('given a runner, then its command is all behind the dashes, options of its own among it', () => {
    const words = ['runner', '--only', 'masks', '--only=log-exact', '--json', '--patience=5', '--', './mine', '--json'];
    expect(parseArguments(words, {})).toEqual({
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
    [['runner', './mine'], "'runner' knows no ./mine"],
    [['runner', '--url', 'http://x', '--', 'x'], "'runner' knows no --url"],
    [['gateway', '--at-once', '2'], "'gateway' knows no --at-once"],
    [['gateway', '--url', 'http://x'], '--token takes'],
    [['gateway', '--token', 't'], '--url takes'],
    [['gateway', '--token', 't', '--url', 'ftp://x'], '--url takes'],
    [['gateway', '--url', 'http://x', '--token', 't', '--', 'x'], 'not started here'],
    [['gateway', '--url'], '--url takes a value'],
    [['runner', '--patience', '0', '--', 'x'], '--patience takes'],
    [['runner', '--at-once', 'many', '--', 'x'], '--at-once takes'],
    [['orchestrator'], "not 'orchestrator'"],
  ])('given %j, then the problem is named', (words, problem) => {
    expect(parseArguments(words, {})).toEqual({ kind: 'usage', problem: expect.stringContaining(problem) });
  });

  it('given a gateway, then its address has no slash behind it, and the token may be in the environment', () => {
    const words = ['gateway', '--url', 'http://127.0.0.1:7070/', '--make-job=make one'];
    expect(parseArguments(words, { DELTA_REGISTRATION_TOKEN: 'fake-token' })).toEqual({
      kind: 'gateway',
      only: [],
      list: false,
      json: false,
      patienceMs: 60_000,
      url: 'http://127.0.0.1:7070',
      token: 'fake-token',
      pool: 'conformance',
      makeJob: 'make one',
      cancelRun: '',
    });
  });

  it.each([[[]], [['--help']], [['runner', '--help']]])('given %j, then the usage is the answer', (words) => {
    expect(parseArguments(words, {})).toEqual({ kind: 'usage', problem: null });
  });
});
