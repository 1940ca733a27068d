import { describe, expect, it } from '@jest/globals';
import { DEFAULT_SPECS, parseGuestArguments, USAGE } from './arguments.ts';

describe('how a guest is asked for', () => {
  it('given nothing, the hostile jobs are carried out under control groups v2, on the first machine that comes up', () => {
    expect(parseGuestArguments([])).toEqual({
      kind: 'boot',
      order: {
        cgroups: 2,
        place: 'top',
        machines: ['kvm', 'uml', 'tcg'],
        work: { kind: 'specs', paths: DEFAULT_SPECS },
        needsBattery: true,
        limitMs: 3_600_000,
        fetch: true,
      },
    });
  });

  it('given specs, these alone are run, and hostile jobs need not be among them', () => {
    const args = ['--cgroups', 'v1', '--machine', 'tcg', '--minutes', '5', '--no-fetch', 'apps/runner', 'libs/git'];
    expect(parseGuestArguments(args)).toMatchObject({
      kind: 'boot',
      order: {
        cgroups: 1,
        machines: ['tcg'],
        work: { kind: 'specs', paths: ['apps/runner', 'libs/git'] },
        needsBattery: false,
        limitMs: 300_000,
        fetch: false,
      },
    });
  });

  it('given a command, it is run instead of specs', () => {
    expect(parseGuestArguments(['--command', 'uname -r', '--place', 'user-service'])).toMatchObject({
      order: { work: { kind: 'command', text: 'uname -r' }, place: 'user-service', needsBattery: false },
    });
  });

  it.each([
    [['--cgroups', '2'], '--cgroups is one of v2, v1'],
    [['--place', 'nowhere'], '--place is one of top'],
    [['--cgroups', 'v1', '--place', 'service'], 'delegated in v2 alone'],
    [['--machine', 'xen'], '--machine is one of kvm, uml, tcg'],
    [['--minutes', '0'], '--minutes'],
    [['--minutes', 'long'], '--minutes'],
    [['--command', 'true', 'libs/git'], 'either specs or --command'],
    [['--fast'], '--fast'],
  ])('given %j, it says what is wrong', (args, problem) => {
    expect(parseGuestArguments(args)).toEqual({ kind: 'usage', problem: expect.stringContaining(problem) });
  });

  it('help names every option, and is no problem', () => {
    expect(parseGuestArguments(['--help'])).toEqual({ kind: 'usage', problem: null });
    for (const option of ['cgroups', 'place', 'command', 'machine', 'minutes', 'no-fetch']) {
      expect(USAGE).toContain(`--${option}`);
    }
  });
});
