import type { MaskedValue } from '../seccomp/argument-rules.ts';
import { NEW_NAMESPACE_FLAGS, NEW_TIME_NAMESPACE_FLAG, TERMINAL_INJECTIONS } from '../seccomp/job-filter.ts';
import { equalTo } from '../seccomp/argument-rules.ts';
import { REFUSED_CALLS } from '../seccomp/system-calls.ts';
import { whenArgument, type ProfileRule } from '../container/seccomp-profile.ts';

/** As `runsc` reads it, which answers EPERM whatever number a rule names. */
export type GvisorProfile = { readonly defaultAction: 'SCMP_ACT_ALLOW'; readonly syscalls: readonly ProfileRule[] };

/** A comparison for each bit of `flags`, which holds when it is set. */
const anyOf = (flags: number): readonly MaskedValue[] =>
  Array.from({ length: 31 }, (_, bit) => 2 ** bit)
    .filter((bit) => Math.floor(flags / bit) % 2 === 1)
    .map((bit) => ({ mask: bit, value: bit }));

const refuseWhen = (name: string, index: number, values: readonly MaskedValue[]): readonly ProfileRule[] =>
  values.map((value) => ({ names: [name], action: 'SCMP_ACT_ERRNO', args: whenArgument(index, value) }));

/**
 * What gVisor refuses before it looks: the calls that are refused everywhere, and namespaces. All others are for its own kernel to
 * answer, which knows how to say that a call does not exist.
 */
export const gvisorProfile = (): GvisorProfile => ({
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [
    { names: Object.keys(REFUSED_CALLS), action: 'SCMP_ACT_ERRNO' },
    ...refuseWhen('clone', 0, anyOf(NEW_NAMESPACE_FLAGS)),
    ...refuseWhen('unshare', 0, anyOf(NEW_NAMESPACE_FLAGS + NEW_TIME_NAMESPACE_FLAG)),
    ...refuseWhen('ioctl', 1, TERMINAL_INJECTIONS.map(equalTo)),
  ],
});
