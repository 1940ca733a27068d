import { describe, expect, it } from '@jest/globals';
import { ALLOWED_CALLS } from '../seccomp/allowed-calls.ts';
import { JUDGED_CALLS, REFUSED_CALLS } from '../seccomp/system-calls.ts';
import { seccompProfile } from './seccomp-profile.ts';

const { syscalls } = seccompProfile('x64');

const answer = (name: string, argument: { readonly index: number; readonly value: bigint }): string => {
  const rule = syscalls.find(
    ({ names, args }) =>
      names.includes(name) &&
      (args ?? []).every(
        ({ index, value, valueTwo }) =>
          index === argument.index && (argument.value & BigInt(value)) === BigInt(valueTwo),
      ),
  );
  return rule === undefined ? 'refused' : rule.action === 'SCMP_ACT_ALLOW' ? 'allowed' : String(rule.errnoRet);
};

describe('the profile for container engines', () => {
  it('knows every call once: allowed, judged or refused', () => {
    const spokenOf = [...ALLOWED_CALLS, ...Object.keys(JUDGED_CALLS), ...Object.keys(REFUSED_CALLS)];
    expect(spokenOf.filter((name, index) => spokenOf.indexOf(name) !== index)).toEqual([]);
    for (const name of Object.keys(JUDGED_CALLS)) expect(syscalls.some(({ names }) => names.includes(name))).toBe(true);
  });

  it.each([
    ['read', 0, 3n, 'allowed'],
    ['keyctl', 0, 0n, 'refused'],
    ['clone', 0, 0x01200011n, 'allowed'],
    ['clone', 0, 0x10000011n, 'refused'],
    ['clone3', 0, 0n, '38'],
    ['unshare', 0, 0x400n, 'allowed'],
    ['unshare', 0, 0x80n, 'refused'],
    ['socket', 0, 1n, 'allowed'],
    ['socket', 0, 16n, '97'],
    ['socket', 0, 2n ** 32n + 2n, 'allowed'],
    ['socket', 0, 2n ** 32n + 16n, '97'],
    ['ioctl', 1, 0x5401n, 'allowed'],
    ['ioctl', 1, 0x5412n, 'refused'],
    ['ioctl', 1, 2n ** 32n + 0x541cn, 'refused'],
  ] as const)('%s with argument %i being %s is %s', (name, index, value, expected) => {
    expect(answer(name, { index, value })).toBe(expected);
  });
});
