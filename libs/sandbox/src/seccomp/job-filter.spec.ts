import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { interpretFilter } from '../testing/bpf-interpreter.fixture.ts';
import { EAFNOSUPPORT, ENOSYS, EPERM, VERDICTS } from './bpf.ts';
import { jobFilterBytes } from './job-filter.ts';
import { AUDIT_ARCH, callNumber, JUDGED_CALLS, REFUSED_CALLS, type FilterArch } from './system-calls.ts';

const ERRNO = (errno: number): number => VERDICTS.ERRNO | errno;
const ARCHES: readonly FilterArch[] = ['x64', 'arm64'];

/** Calls that programs cannot do without, [x64, arm64]. */
const ORDINARY: Readonly<Record<string, readonly [number, number]>> = {
  read: [0, 63],
  write: [1, 64],
  mmap: [9, 222],
  execve: [59, 221],
  exit_group: [231, 94],
  openat: [257, 56],
  futex: [202, 98],
  epoll_create1: [291, 20],
  connect: [42, 203],
  getrandom: [318, 278],
  statx: [332, 291],
  prctl: [157, 167],
  seccomp: [317, 277],
  capset: [126, 91],
  setresuid: [117, 147],
  pidfd_open: [434, 434],
  faccessat2: [439, 439],
  landlock_create_ruleset: [444, 444],
  mseal: [462, 462],
};

describe.each(ARCHES)('the job filter on %s', (arch) => {
  const filter = jobFilterBytes(arch);
  const verdict = (number: number, ...args: readonly number[]): number =>
    interpretFilter(filter, { number, arch: AUDIT_ARCH[arch], args: args.map(BigInt) });
  const judged = (name: keyof typeof JUDGED_CALLS): number => JUDGED_CALLS[name][arch === 'x64' ? 0 : 1];

  it.each(Object.entries(ORDINARY))('allows %s', (_, [x64, arm64]) => {
    expect(verdict(arch === 'x64' ? x64 : arm64)).toBe(VERDICTS.ALLOW);
  });

  it.each(Object.entries(REFUSED_CALLS))('refuses %s', (_, numbers) => {
    const number = callNumber(numbers, arch);
    expect(number === null || verdict(number) === ERRNO(EPERM)).toBe(true);
  });

  it.each([
    ['a unix socket', 1, VERDICTS.ALLOW],
    ['an IPv4 socket', 2, VERDICTS.ALLOW],
    ['an IPv6 socket', 10, VERDICTS.ALLOW],
    ['a netlink socket', 16, ERRNO(EAFNOSUPPORT)],
    ['a packet socket', 17, ERRNO(EAFNOSUPPORT)],
    ['a crypto socket', 38, ERRNO(EAFNOSUPPORT)],
    ['a vsock', 40, ERRNO(EAFNOSUPPORT)],
    ['a socket of family 0', 0, ERRNO(EAFNOSUPPORT)],
  ])('judges %s', (_, family, expected) => {
    expect([verdict(judged('socket'), family), verdict(judged('socketpair'), family)]).toEqual([expected, expected]);
  });

  it('judges a family by the half the kernel reads, whatever is in the other', () => {
    const call = { number: judged('socket'), arch: AUDIT_ARCH[arch] };
    expect(interpretFilter(filter, { ...call, args: [(1n << 32n) | 16n] })).toBe(ERRNO(EAFNOSUPPORT));
    expect(interpretFilter(filter, { ...call, args: [(0xffffffffn << 32n) | 2n] })).toBe(VERDICTS.ALLOW);
  });

  it('lets threads and processes be made, but no namespaces', () => {
    const thread = 0x3d0f00;
    expect([verdict(judged('clone'), thread), verdict(judged('clone'), 17)]).toEqual([VERDICTS.ALLOW, VERDICTS.ALLOW]);
    for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
      expect([verdict(judged('clone'), flag | 17), verdict(judged('unshare'), flag)]).toEqual([
        ERRNO(EPERM),
        ERRNO(EPERM),
      ]);
    }
    expect(verdict(judged('unshare'), 0x80)).toBe(ERRNO(EPERM));
    expect(verdict(judged('unshare'), 0x400)).toBe(VERDICTS.ALLOW);
    expect(verdict(judged('clone3'))).toBe(ERRNO(ENOSYS));
  });

  it('refuses to type into terminals', () => {
    expect([0x5412, 0x541c, 0x5401].map((request) => verdict(judged('ioctl'), 0, request))).toEqual([
      ERRNO(EPERM),
      ERRNO(EPERM),
      VERDICTS.ALLOW,
    ]);
  });

  it('answers calls newer than the rules as an older kernel would', () => {
    fc.assert(fc.property(fc.integer({ min: 463, max: 0x3fffffff }), (number) => verdict(number) === ERRNO(ENOSYS)));
  });

  it('kills whoever enters by the door of another machine', () => {
    const others = [0x40000003, 0x40000028, ...ARCHES.filter((each) => each !== arch).map((each) => AUDIT_ARCH[each])];
    fc.assert(
      fc.property(fc.constantFrom(...others), fc.nat(500), (other, number) => {
        return interpretFilter(filter, { number, arch: other }) === VERDICTS.KILL_PROCESS;
      }),
    );
  });

  it('reaches a verdict for every call there is', () => {
    for (let number = 0; number < 600; number += 1) {
      expect([VERDICTS.ALLOW, ERRNO(EPERM), ERRNO(ENOSYS), ERRNO(EAFNOSUPPORT)]).toContain(verdict(number, 17, 0));
    }
  });
});

describe('the job filter on x64', () => {
  it('kills x32 calls, and answers the call that is none', () => {
    const filter = jobFilterBytes('x64');
    const verdict = (number: number): number => interpretFilter(filter, { number, arch: AUDIT_ARCH.x64 });
    expect(verdict(0x40000000 | 39)).toBe(VERDICTS.KILL_PROCESS);
    expect(verdict(0xffffffff)).toBe(ERRNO(ENOSYS));
  });
});
