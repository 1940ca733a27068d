import {
  EAFNOSUPPORT,
  encodeProgram,
  ENOSYS,
  EPERM,
  giveVerdict,
  load,
  OFFSET_ARCH,
  OFFSET_NUMBER,
  offsetOfArgument,
  refuseWith,
  unlessEqual,
  VERDICTS,
  whenAnyBit,
  whenEqual,
  whenGreater,
  type Instruction,
} from './bpf.ts';
import {
  AUDIT_ARCH,
  callNumber,
  JUDGED_CALLS,
  NEWEST_KNOWN_CALL,
  REFUSED_CALLS,
  X32_CALL_BIT,
  type FilterArch,
} from './system-calls.ts';

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
export const NEW_NAMESPACE_FLAGS =
  0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000;
/** CLONE_NEWTIME; in `clone` these bits are the exit signal, so only `unshare` knows it. */
export const NEW_TIME_NAMESPACE_FLAG = 0x80;

/** AF_UNIX, AF_INET, AF_INET6: all a build needs. Every other family (netlink, vsock, packet, alg ...) is attack surface. */
export const SOCKET_FAMILIES = [1, 2, 10] as const;

/** TIOCSTI types into a terminal, TIOCLINUX pastes into a console. */
export const TERMINAL_INJECTIONS = [0x5412, 0x541c] as const;

const refuseWhenFlagged = (flags: number): readonly Instruction[] => [
  load(offsetOfArgument(0)),
  whenAnyBit(flags, 1),
  refuseWith(EPERM),
  giveVerdict(VERDICTS.ALLOW),
];

const allowFamilies = (): readonly Instruction[] => [
  load(offsetOfArgument(0)),
  ...SOCKET_FAMILIES.flatMap((family) => [whenEqual(family, 1), giveVerdict(VERDICTS.ALLOW)]),
  refuseWith(EAFNOSUPPORT),
];

const refuseInjections = (): readonly Instruction[] => [
  load(offsetOfArgument(1)),
  ...TERMINAL_INJECTIONS.flatMap((request) => [whenEqual(request, 1), refuseWith(EPERM)]),
  giveVerdict(VERDICTS.ALLOW),
];

/** Every block ends in a verdict, so the next rule still finds the call's number in the accumulator. */
const onCall = (number: number, block: readonly Instruction[]): readonly Instruction[] => [
  whenEqual(number, block.length),
  ...block,
];

function refusedCalls(arch: FilterArch): readonly Instruction[] {
  return Object.values(REFUSED_CALLS).flatMap((numbers) => {
    const number = callNumber(numbers, arch);
    return number === null ? [] : onCall(number, [refuseWith(EPERM)]);
  });
}

function judgedCalls(arch: FilterArch): readonly Instruction[] {
  const numberOf = (name: keyof typeof JUDGED_CALLS): number => JUDGED_CALLS[name][arch === 'x64' ? 0 : 1];
  return [
    ...onCall(numberOf('clone'), refuseWhenFlagged(NEW_NAMESPACE_FLAGS)),
    // Its flags live in memory, where a filter cannot look; C libraries fall back to clone on ENOSYS.
    ...onCall(numberOf('clone3'), [refuseWith(ENOSYS)]),
    ...onCall(numberOf('unshare'), refuseWhenFlagged(NEW_NAMESPACE_FLAGS | NEW_TIME_NAMESPACE_FLAG)),
    ...onCall(numberOf('socket'), allowFamilies()),
    ...onCall(numberOf('socketpair'), allowFamilies()),
    ...onCall(numberOf('ioctl'), refuseInjections()),
  ];
}

/** -1 is what programs call to ask for ENOSYS; it carries the x32 bit by accident. */
const NO_CALL = 0xffffffff;

const refuseX32 = (): readonly Instruction[] => [
  whenEqual(NO_CALL, 1),
  refuseWith(ENOSYS),
  whenAnyBit(X32_CALL_BIT, 1),
  giveVerdict(VERDICTS.KILL_PROCESS),
];

/**
 * The filter every isolated step runs under. A call through another machine's entry (i386 on x86-64, 32-bit ARM on
 * arm64, x32) kills the process, because its numbers mean something else; refused calls answer EPERM (families
 * EAFNOSUPPORT); calls newer than the rules answer ENOSYS; the rest is allowed.
 */
export function jobFilter(arch: FilterArch): readonly Instruction[] {
  return [
    load(OFFSET_ARCH),
    unlessEqual(AUDIT_ARCH[arch], 1),
    giveVerdict(VERDICTS.KILL_PROCESS),
    load(OFFSET_NUMBER),
    ...(arch === 'x64' ? refuseX32() : []),
    whenGreater(NEWEST_KNOWN_CALL, 1),
    refuseWith(ENOSYS),
    ...judgedCalls(arch),
    ...refusedCalls(arch),
    giveVerdict(VERDICTS.ALLOW),
  ];
}

/** The filter as `bwrap --seccomp` wants to read it. */
export const jobFilterBytes = (arch: FilterArch): Buffer => encodeProgram(jobFilter(arch));
