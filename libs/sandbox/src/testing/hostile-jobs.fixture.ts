import { DEFAULT_SANDBOX_LIMITS, type SandboxLimits } from '../limits.ts';
import type { Layer } from '../layers.ts';
import type { StepResult, StepSpec } from '../sandbox-executor.ts';
import { EAFNOSUPPORT, ENOSYS, EPERM } from '../seccomp/bpf.ts';
import { systemCallProgram } from '../seccomp/system-call-program.ts';
import { JUDGED_CALLS, REFUSED_CALLS, type FilterArch } from '../seccomp/system-calls.ts';
import { otherMachines } from './other-machines.fixture.ts';

/** What the host offers a job to attack: all of it made for the test. */
export type Target = {
  readonly wardenPid: number;
  /** What the warden was started with, `NAME=value`, less what every step is given as well. */
  readonly environment: readonly string[];
  /** A file of the warden's that only somebody outside may read, and what it holds. */
  readonly secretFile: string;
  readonly secret: string;
  /** A listener on the host's 127.0.0.1, and one on an abstract unix socket. */
  readonly port: number;
  readonly abstractName: string;
  /** A program that runs scripts of its own: this very node, bound read-only. */
  readonly node: string;
  readonly arch: FilterArch;
};

export type HostileJob = {
  readonly name: string;
  readonly script: (target: Target) => string;
  readonly files?: (target: Target) => Readonly<Record<string, Buffer>>;
  readonly limits?: Partial<SandboxLimits>;
  readonly step?: Partial<StepSpec>;
  /** The layer that stops it; where it is not enforced, the executor refuses untrusted jobs, and that is asked instead. */
  readonly stoppedBy?: Layer;
  /** All of these must hold for the result, and none of `never` may appear in the output. */
  readonly ends: Partial<StepResult>;
  readonly says?: RegExp;
  readonly never?: (target: Target) => RegExp;
};

const MiB = 1024 * 1024;
const CLONE_NEWUSER = 0x10000000;
const EINVAL = 22;

type Call = {
  readonly name: string;
  readonly number: readonly [number | null, number | null];
  readonly args?: number[];
};

/** One job for several calls: a program for each, run one after the other; the output is `name errno` per line. */
function callsAnswer(title: string, errno: number | readonly number[], calls: readonly Call[]): HostileJob {
  const wanted = [errno].flat().join('|');
  const present = (arch: FilterArch): readonly Call[] =>
    calls.filter(({ number }) => number[arch === 'x64' ? 0 : 1] !== null);
  return {
    name: title,
    files: ({ arch }) =>
      Object.fromEntries(
        present(arch).map(({ name, number, args }) => [
          name,
          systemCallProgram(arch, number[arch === 'x64' ? 0 : 1] ?? 0, args ?? []),
        ]),
      ),
    script: ({ arch }) =>
      present(arch)
        .map(
          ({ name }) =>
            `code=0; ./${name} || code=$?; case $code in ${wanted}) ;; *) echo "${name} $code"; bad=1;; esac`,
        )
        .concat('exit ${bad:-0}')
        .join('\n'),
    ends: { endedBy: 'exit', exitCode: 0 },
  };
}

const refused = (...names: readonly string[]): readonly Call[] =>
  names.map((name) => ({ name, number: REFUSED_CALLS[name] ?? [null, null] }));

const FILES: readonly HostileJob[] = [
  {
    name: 'reads the password file of the host',
    script: () => 'cat /etc/shadow /etc/gshadow /etc/sudoers; exit 9',
    ends: { exitCode: 1 },
    never: () => /root:/,
  },
  {
    name: "reads the warden's files",
    script: ({ secretFile }) =>
      `cat '${secretFile}' || grep -rs . /proc/*/root/'${secretFile}' || ls -R /root /var/lib /srv`,
    ends: { exitCode: 2 },
    never: ({ secret }) => new RegExp(secret),
  },
  {
    name: 'looks for host directories at the root',
    // A container always has a /sys, with nothing in it.
    script: () => 'ls /; [ ! -e /sys ] || ls -A /sys',
    ends: { exitCode: 0 },
    never: () => /root|boot|srv|mnt|media|kernel|devices|block/,
  },
  {
    name: 'writes outside of its workspace and home',
    script: () =>
      'for f in /x /usr/x /usr/bin/x /etc/x /etc/passwd /home/x /dev/x /run/x /var/x /proc/x; do ' +
      '(echo x > $f) 2>/dev/null && echo "wrote $f"; done; echo done',
    ends: { exitCode: 0 },
    says: /^done\n$/,
  },
  {
    name: 'remounts what is read-only',
    script: () =>
      'mount -o remount,rw /usr && echo mounted; mount -t tmpfs none /workspace && echo mounted; ' +
      'umount /proc/sys && echo unmounted; umount -l /workspace && echo unmounted; echo done',
    ends: { exitCode: 0 },
    says: /done\n$/,
    never: () => /^(un)?mounted$/m,
  },
  {
    name: 'makes device nodes and reads devices',
    script: () =>
      'mknod disk b 8 0 || echo "no node"; for d in mem kmsg kvm sda vda console fuse; do [ ! -e /dev/$d ] || echo $d; done',
    ends: { exitCode: 0 },
    says: /no node\n$/,
  },
];

const PROCESSES: readonly HostileJob[] = [
  {
    name: 'looks for processes of the host',
    script: ({ wardenPid }) =>
      `[ ! -e /proc/${wardenPid}/exe ] && [ "$(ls -d /proc/[0-9]* | wc -l)" -lt 9 ] && echo alone`,
    ends: { exitCode: 0 },
    says: /alone/,
  },
  {
    name: 'kills whatever it can reach',
    script: ({ wardenPid }) => `kill -9 ${wardenPid}; kill -9 1; kill -9 -1; echo "$? nothing else died"`,
    ends: { endedBy: 'exit' },
  },
  {
    name: "reads the warden's environment and the launcher's",
    script: () => "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | sort -u",
    ends: {},
    never: ({ environment }) =>
      new RegExp(
        `^(${environment.map((entry) => entry.replaceAll(/[^A-Za-z0-9]/g, String.raw`\$&`)).join('|')})$`,
        'm',
      ),
  },
  {
    name: 'reaches for a process without the filter',
    script: () =>
      'for p in /proc/[0-9]*; do grep -q "^Seccomp:.2" $p/status || ! cat $p/environ >/dev/null 2>&1 || echo "open $p"; done; echo done',
    ends: { exitCode: 0 },
    says: /^done\n$/,
  },
  {
    name: 'forks without end',
    script: () => 'bomb() { bomb | bomb & }; bomb; sleep 1; exit 4',
    limits: { pids: 64 },
    stoppedBy: 'pids-limit',
    step: { timeoutMs: 10_000 },
    ends: {},
    says: /[Cc]annot fork|Resource temporarily/,
  },
  {
    name: 'takes all memory',
    script: () => 'head -c 400M /dev/zero | tail',
    limits: { memoryBytes: 64 * MiB },
    stoppedBy: 'memory-limit',
    ends: { endedBy: 'exit', oomKilled: true },
  },
  {
    name: 'ignores every signal it can',
    script: () => 'trap "" TERM INT HUP QUIT; while :; do sleep 1; done',
    step: { timeoutMs: 300 },
    ends: { endedBy: 'timeout', signal: 'SIGKILL' },
  },
  {
    name: 'leaves daemons behind, twice forked, in sessions of their own',
    script: () =>
      'for i in 1 2 3; do (setsid sh -c "(setsid nohup sleep 900 &) & exec sleep 900" >/dev/null 2>&1 &); done; exit 0',
    ends: { endedBy: 'exit', exitCode: 0 },
  },
  {
    name: 'leaves a daemon behind that took off its mark',
    script: () => 'env -i setsid sleep 900 >/dev/null 2>&1 & exit 0',
    ends: { endedBy: 'exit', exitCode: 0 },
  },
  {
    name: 'keeps stdout open in a daemon',
    script: () => 'setsid sleep 900 & exit 0',
    ends: { endedBy: 'exit', exitCode: 0 },
  },
  {
    name: 'stops itself',
    script: () => 'kill -STOP $$',
    step: { timeoutMs: 300 },
    ends: { endedBy: 'timeout' },
  },
  {
    name: 'floods the log',
    script: () => 'head -c 64M /dev/zero',
    limits: { outputBytes: MiB },
    ends: { exitCode: 0, outputTruncated: true, outputBytes: 64 * MiB },
  },
];

const SPACE: readonly HostileJob[] = [
  {
    name: 'fills /tmp',
    script: () => 'head -c 32M /dev/zero > /tmp/full && echo filled',
    limits: { tmpBytes: 8 * MiB },
    ends: { exitCode: 1 },
    says: /[Nn]o space left/,
  },
  {
    name: 'fills the disk through its workspace',
    script: () => 'head -c 64M /dev/zero > full; head -c 64M /dev/zero > ~/full; sleep 30; echo filled',
    limits: { diskBytes: 32 * MiB },
    ends: {},
    never: () => /filled/,
  },
  {
    name: 'uses up inodes',
    script: () => 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); : > file$i || exit 5; done; sleep 30; echo filled',
    limits: { inodes: 5_000 },
    ends: {},
    never: () => /filled/,
  },
  {
    name: 'leaves directories nobody may enter, and files nobody may read',
    script: () => 'mkdir -p a/b/c; echo x > a/b/c/file; chmod 000 a/b/c/file a/b/c a/b a',
    ends: { exitCode: 0 },
  },
];

const connect = (options: string): string =>
  `const s=require('node:net').connect(${options});` +
  `s.setTimeout(2000,()=>{console.log('silent');process.exit(1)});` +
  `s.on('connect',()=>{console.log('connected');process.exit(0)});s.on('error',(e)=>{console.log(e.code);process.exit(1)})`;

const NETWORK: readonly HostileJob[] = [
  {
    name: "connects to the host's loopback",
    script: ({ node, port }) => `'${node}' -e "${connect(`{host:'127.0.0.1',port:${port}}`)}"`,
    ends: { exitCode: 1 },
    says: /ECONNREFUSED/,
  },
  {
    name: 'connects to the metadata address',
    script: ({ node }) => `'${node}' -e "${connect("{host:'169.254.169.254',port:80}")}"`,
    ends: { exitCode: 1 },
    says: /ENETUNREACH/,
  },
  {
    name: 'connects to an abstract unix socket of the host',
    script: ({ node, abstractName }) => `'${node}' -e "${connect(`{path:'\\0${abstractName}'}`)}"`,
    ends: { exitCode: 1 },
    says: /ECONNREFUSED/,
  },
  {
    name: 'serves on every address, for nobody',
    script: ({ node }) =>
      `'${node}' -e "require('node:http').createServer().listen(8080,function(){console.log('served');this.close()})"`,
    ends: { exitCode: 0 },
    says: /served/,
  },
];

const { clone, clone3, unshare, socket, ioctl } = JUDGED_CALLS;

const CALLS: readonly HostileJob[] = [
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
  callsAnswer('makes processes where no filter can look', ENOSYS, [{ name: 'clone3', number: clone3 }]),
  callsAnswer('opens sockets of rare families', EAFNOSUPPORT, [
    { name: 'netlink', number: socket, args: [16, 3, 0] },
    { name: 'vsock', number: socket, args: [40, 1, 0] },
    { name: 'packet', number: socket, args: [17, 3, 0] },
    { name: 'alg', number: socket, args: [38, 5, 0] },
    { name: 'bluetooth', number: socket, args: [31, 3, 0] },
  ]),
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
];

const PRIVILEGES: readonly HostileJob[] = [
  {
    name: 'gains rights through set-user-id programs',
    script: () => 'su -c id </dev/null || sudo -n id || { cp /usr/bin/id id; chmod 6755 id; ./id -u; }',
    ends: { exitCode: 0 },
    never: () => /^0$|uid=0/m,
  },
  {
    // What the loader writes is written as whoever it loads a program for.
    name: 'has whoever starts its step load and write what its variables name',
    step: { env: { LD_DEBUG: 'files', LD_DEBUG_OUTPUT: '/tmp/loaded', LD_PRELOAD: '/workspace/none.so', UID: '0' } },
    script: () => 'for f in /tmp/loaded.*; do [ ! -e "$f" ] || [ -O "$f" ] || echo "another made $f"; done; echo done',
    ends: { exitCode: 0 },
    never: () => /another made/,
    says: /^done$/m,
  },
  {
    name: 'makes a user namespace with what is installed',
    script: () => 'unshare -U -r id || unshare -m true || bwrap --dev-bind / / true',
    ends: {},
    never: () => /uid=0/,
  },
  {
    name: 'reads kernel secrets and changes kernel settings',
    script: () =>
      'for f in kcore keys key-users kallsyms kmsg timer_list slabinfo vmallocinfo; do ' +
      '[ -z "$(head -c 1 /proc/$f 2>/dev/null)" ] || echo "read $f"; done; ' +
      'for f in sysrq-trigger sys/kernel/core_pattern sys/kernel/hostname sys/vm/drop_caches; do ' +
      '(echo b > /proc/$f) 2>/dev/null && echo "wrote $f"; done; echo done',
    ends: { exitCode: 0 },
    says: /^done\n$/,
  },
  {
    name: 'dumps core where a host program would pick it up',
    script: () => 'ulimit -c unlimited || true; ulimit -c',
    ends: { exitCode: 0 },
    says: /^0$/m,
  },
];

/** Every job of the battery on this machine. */
export const hostileJobs = (arch: FilterArch): readonly HostileJob[] => [
  ...FILES,
  ...PROCESSES,
  ...SPACE,
  ...NETWORK,
  ...CALLS,
  ...PRIVILEGES,
  ...(arch === 'x64' ? otherMachines() : []),
];

export const limitsOf = (job: HostileJob): SandboxLimits => ({ ...DEFAULT_SANDBOX_LIMITS, ...job.limits });
