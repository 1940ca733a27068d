import { describe, expect, it } from '@jest/globals';
import { expectGolden } from './golden.fixture.ts';
import { delta } from './program.ts';
import { recorded } from './recorded-surroundings.fixture.ts';

const NOWHERE = '/';

describe('the command line', () => {
  it.each([
    ['help', ['--help']],
    ['help-run', ['run', '--help']],
    ['help-images', ['images', '--help']],
    ['help-images-list', ['images', 'list', '--help']],
    ['help-images-remove', ['images', 'remove', '--help']],
    ['help-plan', ['plan', '--help']],
    ['help-why', ['why', '--help']],
    ['help-why-not', ['why-not', '--help']],
    ['help-lint', ['lint', '--help']],
    ['help-what-if', ['what-if', '--help']],
    ['help-runs', ['runs', '--help']],
    ['help-runs-list', ['runs', 'list', '--help']],
    ['help-logs', ['logs', '--help']],
    ['help-artifacts', ['artifacts', '--help']],
    ['help-artifacts-list', ['artifacts', 'list', '--help']],
    ['help-artifacts-get', ['artifacts', 'get', '--help']],
    ['help-debug', ['debug', '--help']],
    ['help-recipes', ['recipes', '--help']],
    ['help-recipes-list', ['recipes', 'list', '--help']],
    ['help-recipes-show', ['recipes', 'show', '--help']],
    ['help-recipes-patch', ['recipes', 'patch', '--help']],
    ['help-audit', ['audit', '--help']],
    ['help-audit-verify', ['audit', 'verify', '--help']],
    ['help-audit-checkpoints', ['audit', 'checkpoints', '--help']],
    ['help-audit-export', ['audit', 'export', '--help']],
    ['help-audit-check', ['audit', 'check', '--help']],
    ['help-caches', ['caches', '--help']],
    ['help-caches-list', ['caches', 'list', '--help']],
    ['help-caches-remove', ['caches', 'remove', '--help']],
    ['help-parked', ['parked', '--help']],
    ['help-parked-list', ['parked', 'list', '--help']],
    ['help-parked-retry', ['parked', 'retry', '--help']],
    ['help-at', ['at', '--help']],
    ['help-attest', ['attest', '--help']],
    ['help-attest-verify', ['attest', 'verify', '--help']],
    ['help-durations', ['durations', '--help']],
    ['help-ledger', ['ledger', '--help']],
    ['help-replay', ['replay', '--help']],
  ])('%s is as agreed', async (name, args) => {
    const { surroundings, out } = recorded(NOWHERE, {}, 100);
    expect(await delta(args, surroundings)).toBe(0);
    // The number of processors differs between machines.
    expectGolden(name, out().replace(/(?<=jobs at once )\(default: \d+\)/u, '(default: half the processors)'));
  });

  it.each([
    ['error-unknown-command', ['rnu']],
    ['error-unknown-option', ['run', '--bsae', 'main']],
    ['error-not-a-number', ['run', '--jobs', 'many']],
    ['error-network-and-none', ['run', '--no-network', '--network', 'plan']],
    ['error-no-claim', ['run', '--has', 'node@']],
    ['error-base-and-all', ['plan', '--base', 'main', '--all']],
    ['error-missing-argument', ['why']],
    ['error-no-token', ['runs', 'list']],
    ['error-bad-url', ['runs', 'list', '--url', 'ftp://example.test', '--token', 'not-a-secret']],
    ['error-no-checkout', ['up']],
    ['error-no-config', ['lint']],
    ['error-no-recipe-id', ['recipes', 'show', 'rcp_1']],
    ['error-no-file', ['lint', 'there-is-no-such-file.yaml']],
    ['error-no-attempt', ['debug', 'run_1/unit', '--reason', 'why']],
    ['error-no-reason', ['debug', 'run_1/unit']],
    ['error-no-terminal', ['run', '--shell-on-failure']],
    ['error-network-of-the-unsandboxed', ['run', '--unsandboxed', '--no-network']],
    ['error-hosts-of-the-unsandboxed', ['run', '--unsandboxed', '--network', 'plan']],
    ['error-reason-for-this-machine', ['caches', 'remove', 'npm', '--local', '--reason', 'why']],
    ['error-cursor-of-this-machine', ['caches', 'list', '--local', '--cursor', '1']],
    ['error-caches-of-which-repository', ['caches', 'remove', 'npm']],
  ])('%s says what to do next and ends with 2', async (name, args) => {
    const { surroundings, out, err } = recorded(NOWHERE, {}, 100);
    expect(await delta(args, surroundings)).toBe(2);
    expect(out()).toBe('');
    expectGolden(name, err());
  });

  it('given --json, a command line that makes no sense is a document too', async () => {
    const { surroundings, out, err } = recorded(NOWHERE);
    expect(await delta(['run', '--json', '--jobs', 'many'], surroundings)).toBe(2);
    expect(err()).toBe('');
    expect(JSON.parse(out())).toMatchObject({ error: { code: 'invalid_usage', exitCode: 2 } });
  });

  it('given --json, a problem is a document on standard output', async () => {
    const { surroundings, out, err } = recorded(NOWHERE);
    expect(await delta(['lint', 'there-is-no-such-file.yaml', '--json'], surroundings)).toBe(2);
    expect(err()).toBe('');
    expect(JSON.parse(out())).toEqual({
      error: {
        code: 'file_not_found',
        message: 'there is no file there-is-no-such-file.yaml',
        next: null,
        exitCode: 2,
      },
    });
  });
});
