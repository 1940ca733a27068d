import { EAFNOSUPPORT, ENOSYS } from '../seccomp/bpf.ts';
import { ALLOWED_CALLS } from '../seccomp/allowed-calls.ts';
import { equalTo, unequalTo, type MaskedValue } from '../seccomp/argument-rules.ts';
import {
  NEW_NAMESPACE_FLAGS,
  NEW_TIME_NAMESPACE_FLAG,
  SOCKET_FAMILIES,
  TERMINAL_INJECTIONS,
} from '../seccomp/job-filter.ts';
import type { FilterArch } from '../seccomp/system-calls.ts';

type ProfileArgument = {
  readonly index: number;
  readonly value: number;
  readonly valueTwo: number;
  readonly op: 'SCMP_CMP_MASKED_EQ';
};

export type ProfileRule = {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
  readonly errnoRet?: number;
  readonly args?: readonly ProfileArgument[];
};

/** As Docker reads it: everything no rule speaks of answers EPERM, or ENOSYS where the call is newer than the rules. */
export type SeccompProfile = {
  readonly defaultAction: 'SCMP_ACT_ERRNO';
  readonly architectures: readonly string[];
  readonly syscalls: readonly ProfileRule[];
};

const ARCHITECTURES: Readonly<Record<FilterArch, string>> = { x64: 'SCMP_ARCH_X86_64', arm64: 'SCMP_ARCH_AARCH64' };

/** A rule's condition: what an argument is under a mask. */
export const whenArgument = (index: number, { mask, value }: MaskedValue): readonly ProfileArgument[] => [
  { index, value: mask, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' },
];

const allowWhen = (names: readonly string[], index: number, values: readonly MaskedValue[]): readonly ProfileRule[] =>
  values.map((value) => ({ names, action: 'SCMP_ACT_ALLOW', args: whenArgument(index, value) }));

const noneOf = (flags: number): readonly MaskedValue[] => [{ mask: flags, value: 0 }];

const SOCKETS = ['socket', 'socketpair'];

const judgedCalls: readonly ProfileRule[] = [
  ...allowWhen(['clone'], 0, noneOf(NEW_NAMESPACE_FLAGS)),
  { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
  ...allowWhen(['unshare'], 0, noneOf(NEW_NAMESPACE_FLAGS + NEW_TIME_NAMESPACE_FLAG)),
  ...allowWhen(SOCKETS, 0, SOCKET_FAMILIES.map(equalTo)),
  ...unequalTo(SOCKET_FAMILIES).map((family): ProfileRule => ({
    names: SOCKETS,
    action: 'SCMP_ACT_ERRNO',
    errnoRet: EAFNOSUPPORT,
    args: whenArgument(0, family),
  })),
  ...allowWhen(['ioctl'], 1, unequalTo(TERMINAL_INJECTIONS)),
];

/**
 * The rules of `jobFilter` in the words of a container engine, which takes no ready-made filter. Other machines' doors
 * into the kernel (i386, x32) kill the process, because only one architecture is named.
 */
export const seccompProfile = (arch: FilterArch): SeccompProfile => ({
  defaultAction: 'SCMP_ACT_ERRNO',
  architectures: [ARCHITECTURES[arch]],
  syscalls: [{ names: ALLOWED_CALLS, action: 'SCMP_ACT_ALLOW' }, ...judgedCalls],
});
