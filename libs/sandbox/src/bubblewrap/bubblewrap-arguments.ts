import { SHARED_MEMORY_BYTES } from '../limits.ts';
import type { HostSystem } from './host-system.ts';

/**
 * `root`: bubblewrap runs as root without a user namespace, and the step's own user id is taken last, when nothing is
 * left to set up. `user`: bubblewrap makes a user namespace in which the agent's own id is the only one.
 */
export type PrivilegeMode = 'root' | 'user';

export type SandboxLayout = {
  readonly mode: PrivilegeMode;
  readonly disableUserns: boolean;
  readonly uid: number;
  readonly network: 'none' | 'host';
  readonly system: HostSystem;
  /** Files of /etc that were written for this sandbox: host path by name. */
  readonly ownEtc: Readonly<Record<string, string>>;
  readonly workspaceHostDir: string;
  readonly homeHostDir: string;
  readonly homeDir: string;
  readonly binds: readonly { readonly hostPath: string; readonly at: string }[];
  readonly tmpBytes: number;
  readonly env: Readonly<Record<string, string>>;
};

export const WORKSPACE_DIR = '/workspace';
export const SANDBOX_HOST_NAME = 'job';

/** Descriptors the launcher is handed, in the order of the feeds; the last is written, not read. */
export const ARGUMENTS_FD = 3;
export const SECCOMP_FD = 4;
export const STATUS_FD = 5;

/** What taking another user id and giving up everything else needs; the step is left with none of it. */
const CAPABILITIES_TO_BECOME_THE_JOB = ['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP'];

function namespaces(layout: SandboxLayout): readonly string[] {
  const own = ['--unshare-ipc', '--unshare-pid', '--unshare-uts', '--unshare-cgroup-try'];
  const network = layout.network === 'none' ? ['--unshare-net'] : [];
  const id = String(layout.uid);
  const user = [
    '--unshare-user',
    ...(layout.disableUserns ? ['--disable-userns'] : []),
    ...['--uid', id, '--gid', id],
    // Its first process would otherwise be a reaper with the job's own id and without the filter.
    '--as-pid-1',
  ];
  return [...own, ...network, ...(layout.mode === 'user' ? user : []), '--hostname', SANDBOX_HOST_NAME];
}

const privileges = (mode: PrivilegeMode): readonly string[] => [
  '--die-with-parent',
  '--new-session',
  ...['--cap-drop', 'ALL'],
  ...(mode === 'root' ? CAPABILITIES_TO_BECOME_THE_JOB.flatMap((capability) => ['--cap-add', capability]) : []),
];

const system = (layout: SandboxLayout): readonly string[] => [
  ...layout.system.directories.flatMap((path) => ['--ro-bind', path, path]),
  ...layout.system.links.flatMap(({ at, to }) => ['--symlink', to, at]),
  ...layout.system.etc.flatMap((path) => ['--ro-bind', path, path]),
  ...Object.entries(layout.ownEtc).flatMap(([name, path]) => ['--ro-bind', path, `/etc/${name}`]),
];

/** A device node bound without device access cannot even be opened. */
const kernelFiles = (layout: SandboxLayout): readonly string[] => [
  ...['--proc', '/proc'],
  ...layout.system.procFilesToMask.flatMap((path) => ['--ro-bind', '/dev/null', path]),
  ...layout.system.procDirsToMask.flatMap((path) => ['--size', '4096', '--tmpfs', path, '--remount-ro', path]),
  ...['--dev', '/dev'],
];

const sized = (bytes: number, at: string): readonly string[] => [
  ...['--perms', '1777', '--size', String(bytes), '--tmpfs', at],
];

const writable = (layout: SandboxLayout): readonly string[] => [
  ...sized(layout.tmpBytes, '/tmp'),
  ...sized(SHARED_MEMORY_BYTES, '/dev/shm'),
  ...['--dir', '/var', '--symlink', '../tmp', '/var/tmp', '--dir', '/run', '--symlink', '../run', '/var/run'],
  ...['--bind', layout.workspaceHostDir, WORKSPACE_DIR],
  ...['--bind', layout.homeHostDir, layout.homeDir],
  ...layout.binds.flatMap(({ hostPath, at }) => ['--ro-bind', hostPath, at]),
];

const environment = (env: Readonly<Record<string, string>>): readonly string[] => [
  '--clearenv',
  ...Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]),
];

/**
 * Everything bubblewrap is told through its arguments descriptor, in order: mounts come to lie one over the other, and
 * the roots they lie on are made read-only last. The environment travels here and not on a command line, which any
 * process of the host could read.
 */
export const bubblewrapArguments = (layout: SandboxLayout): readonly string[] => [
  ...namespaces(layout),
  ...privileges(layout.mode),
  ...environment(layout.env),
  ...system(layout),
  ...kernelFiles(layout),
  ...writable(layout),
  ...['--remount-ro', '/dev', '--remount-ro', '/'],
  ...['--chdir', '/', '--seccomp', String(SECCOMP_FD), '--json-status-fd', String(STATUS_FD)],
];

/** Arguments as the descriptor wants them. None may hold a NUL: `refuseSpec` and `refuseStep` see to that. */
export const encodeArguments = (args: readonly string[]): Buffer => Buffer.from(args.map((arg) => `${arg}\0`).join(''));

/** In mode `root`: becomes the job's user and gives up every capability for good. */
export const becomeUser = (setpriv: string, uid: number): readonly string[] => [
  setpriv,
  ...['--reuid', String(uid), '--regid', String(uid), '--clear-groups'],
  ...['--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all', '--no-new-privs'],
];
