import { EAFNOSUPPORT, ENOSYS, EPERM } from '../../seccomp/bpf.ts';
import { systemCallProgram } from '../../seccomp/system-call-program.ts';
import { JUDGED_CALLS, REFUSED_CALLS, type FilterArch } from '../../seccomp/system-calls.ts';
import type { HostileJob } from './hostile-job.fixture.ts';

const CLONE_NEWUSER = 0x10000000;
const EINVAL = 22;
const EPROTONOSUPPORT = 93;
const PRCTL = [157, 167] as const;

type Call = {
  readonly name: string;
  readonly number: readonly [number | null, number | null];
  readonly args?: number[];
};

/**
 * One job for several calls: a program for each, run one after the other; the output is `name errno` per line.
 * @param ownKernel what a kernel of the sandbox's own may answer besides: there are calls it does not know
 */
function callsAnswer(
  title: string,
  errno: number | readonly number[],
  calls: readonly Call[],
  ownKernel: readonly number[] = [ENOSYS],
): HostileJob {
  const present = (arch: FilterArch): readonly Call[] =>
    calls.filter(({ number }) => number[arch === 'x64' ? 0 : 1] !== null);
  const answering =
    (wanted: readonly number[]): HostileJob['script'] =>
    ({ arch }) =>
      present(arch)
        .map(
          ({ name }) =>
            `code=0; ./${name} || code=$?; case $code in ${wanted.join('|')}) ;; *) echo "${name} $code"; bad=1;; esac`,
        )
        .concat('exit ${bad:-0}')
        .join('\n');
  return {
    name: title,
    files: ({ arch }) =>
      Object.fromEntries(
        present(arch).map(({ name, number, args }) => [
          name,
          systemCallProgram(arch, number[arch === 'x64' ? 0 : 1] ?? 0, args ?? []),
        ]),
      ),
    script: answering([errno].flat()),
    underOwnKernel: { script: answering([errno, ownKernel].flat()) },
    ends: { endedBy: 'exit', exitCode: 0 },
  };
}

const refused = (...names: readonly string[]): readonly Call[] =>
  names.map((name) => ({ name, number: REFUSED_CALLS[name] ?? [null, null] }));

const { clone, clone3, unshare, socket, ioctl } = JUDGED_CALLS;

export const KERNEL: readonly HostileJob[] = [
  callsAnswer('uses keyrings', EPERM, refused('keyctl', 'add_key', 'request_key')),
  callsAnswer('uses io_uring', EPERM, refused('io_uring_setup', 'io_uring_enter', 'io_uring_register')),
  callsAnswer(
    'programs the kernel',
    EPERM,
    refused('bpf', 'perf_event_open', 'userfaultfd', 'init_module', 'finit_module'),
  ),
  callsAnswer('traces and reads other processes', EPERM, refused('ptrace', 'process_vm_readv', 'pidfd_getfd', 'kcmp')),
  callsAnswer(
    'rearranges mounts',
    EPERM,
    refused('mount', 'umount2', 'pivot_root', 'chroot', 'open_tree', 'move_mount', 'fsopen', 'mount_setattr'),
  ),
  callsAnswer('opens files by handle', EPERM, refused('open_by_handle_at', 'name_to_handle_at')),
  callsAnswer('stops the machine', EPERM, refused('reboot', 'kexec_load', 'swapoff', 'syslog', 'clock_settime')),
  callsAnswer('makes namespaces', EPERM, [
    { name: 'unshare', number: unshare, args: [CLONE_NEWUSER] },
    { name: 'clone', number: clone, args: [CLONE_NEWUSER | 17] },
    ...refused('setns'),
  ]),
  callsAnswer('makes processes where no filter can look', ENOSYS, [{ name: 'clone3', number: clone3 }], [EINVAL]),
  callsAnswer(
    'opens sockets of rare families',
    EAFNOSUPPORT,
    [
      { name: 'netlink', number: socket, args: [16, 3, 0] },
      { name: 'vsock', number: socket, args: [40, 1, 0] },
      { name: 'packet', number: socket, args: [17, 3, 0] },
      { name: 'alg', number: socket, args: [38, 5, 0] },
      { name: 'bluetooth', number: socket, args: [31, 3, 0] },
    ],
    // Netlink that tells of nothing but its own network.
    [0, EPERM, EPROTONOSUPPORT],
  ),
  callsAnswer('types into the terminal of the warden', EPERM, [
    { name: 'tiocsti', number: ioctl, args: [0, 0x5412, 0] },
    { name: 'tioclinux', number: ioctl, args: [0, 0x541c, 0] },
  ]),
  // Root is not even a number in an unprivileged sandbox.
  callsAnswer(
    'becomes root',
    [EPERM, EINVAL],
    [
      { name: 'setuid', number: [105, 146], args: [0] },
      { name: 'setgid', number: [106, 144], args: [0] },
      { name: 'setresuid', number: [117, 147], args: [0, 0, 0] },
    ],
  ),
  callsAnswer('uses calls newer than the rules', ENOSYS, [
    { name: 'newer', number: [463, 463] },
    { name: 'far-newer', number: [2_000, 2_000] },
  ]),
  // To an engine that is older than a call, the call is newer than the rules.
  callsAnswer(
    'uses every call that is refused, one after the other',
    [EPERM, ENOSYS],
    refused(...Object.keys(REFUSED_CALLS)),
  ),
  // PR_SET_NO_NEW_PRIVS off, PR_SET_SECUREBITS, PR_CAP_AMBIENT_RAISE of CAP_SYS_ADMIN, PR_SET_MM, PR_SET_SECCOMP off.
  callsAnswer(
    'takes back what was given up',
    [EPERM, EINVAL],
    [
      { name: 'privileges', number: PRCTL, args: [38, 0] },
      { name: 'securebits', number: PRCTL, args: [28, 0] },
      { name: 'ambient', number: PRCTL, args: [47, 2, 21] },
      { name: 'memory-map', number: PRCTL, args: [35, 1, 4096] },
      { name: 'no-filter', number: PRCTL, args: [22, 0] },
    ],
  ),
];
