import type { OutletPrograms } from '../egress-outlet.ts';
import { SHARED_MEMORY_BYTES } from '../limits.ts';
import type { SandboxNetwork } from '../sandbox-executor.ts';
import type { HostSystem } from './host-system.ts';

/**
 * `root`: bubblewrap runs as root without a user namespace, and the step's own user id is taken last, when nothing is
 * left to set up. `user`: bubblewrap makes a user namespace in which the warden's own id is the only one.
 */
export type PrivilegeMode = 'root' | 'user';

/** A root that steps see in place of the host's system. */
export type RootView = {
  readonly mounts: readonly { readonly hostPath: string; readonly at: string; readonly writable: boolean }[];
  readonly links: readonly { readonly at: string; readonly to: string }[];
  readonly etcHostDir: string;
  /** Names in `/etc` for which the sandbox has files of its own; in the root's there is a plain file for each. */
  readonly ownEtcFiles: readonly string[];
  /** Where what the job writes to the root comes to lie on the host; null when it can write nothing there. */
  readonly upperHostDir: string | null;
  /** In mode `root`: what becomes the job's user, which no file of the root has a part in. */
  readonly become: readonly string[];
  /** What makes an outlet, which no file of the root has a part in either. */
  readonly outlet: OutletPrograms;
};

export type SandboxLayout = {
  readonly mode: PrivilegeMode;
  readonly disableUserns: boolean;
  readonly uid: number;
  readonly network: SandboxNetwork;
  readonly system: HostSystem;
  /** Null when steps see the host's system. */
  readonly root: RootView | null;
  /** The /etc written for this sandbox. */
  readonly etcHostDir: string;
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
/** Where there is an outlet: a channel of Node's. What a terminal needs comes behind it. */
export const CHANNEL_FD = 6;

const options = (...groups: readonly (readonly string[])[]): readonly string[] => groups.flat();

/** What taking another user id and giving up everything else needs; the step is left with none of it. */
const CAPABILITIES_TO_BECOME_THE_JOB = ['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP'];

function namespaces(layout: SandboxLayout): readonly string[] {
  const own = ['--unshare-ipc', '--unshare-pid', '--unshare-uts', '--unshare-cgroup-try'];
  const network = layout.network === 'host' ? [] : ['--unshare-net'];
  const id = String(layout.uid);
  const user = options(
    ['--unshare-user', '--uid', id, '--gid', id],
    layout.disableUserns ? ['--disable-userns'] : [],
    // Its first process would otherwise be a reaper with the job's own id and without the filter.
    ['--as-pid-1'],
  );
  return [...own, ...network, ...(layout.mode === 'user' ? user : []), '--hostname', SANDBOX_HOST_NAME];
}

const privileges = (mode: PrivilegeMode): readonly string[] =>
  options(
    ['--die-with-parent', '--new-session', '--cap-drop', 'ALL'],
    mode === 'root' ? CAPABILITIES_TO_BECOME_THE_JOB.flatMap((capability) => ['--cap-add', capability]) : [],
  );

function isBroughtBy({ root, system }: SandboxLayout): (path: string) => boolean {
  const tops = root === null ? system.directories : root.mounts.map(({ at }) => at);
  const brought = [...tops, ...(root ?? system).links.map(({ at }) => at)];
  return (path) => brought.some((top) => path === top || path.startsWith(`${top}/`));
}

/** The directories above `paths`, top first, `/` and those the system brings along left out. */
function parentsOf(paths: readonly string[], layout: SandboxLayout): readonly string[] {
  const isBrought = isBroughtBy(layout);
  const parents = paths.flatMap((path) => {
    const parts = path.split('/').slice(1, -1);
    return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
  });
  return [...new Set(parents)].filter((path) => !isBrought(path)).sort();
}

const bindTargets = (layout: SandboxLayout): readonly string[] => layout.binds.map(({ at }) => at);

/** Bubblewrap makes missing parents for root alone; the job must be able to pass through them. */
function directories(layout: SandboxLayout): readonly string[] {
  const targets = [layout.homeDir, ...bindTargets(layout), ...(layout.root?.mounts ?? []).map(({ at }) => at)];
  const parents = parentsOf([...targets, '/var/tmp', '/run/user'], layout);
  return parents.filter((path) => !isWithinMounts(path)).flatMap((path) => ['--perms', '0755', '--dir', path]);
}

/** Below these other mounts come to lie, which would hide a directory made before them. */
const isWithinMounts = (path: string): boolean => /^\/(tmp|dev|proc|workspace)(\/|$)/.test(path);

/** Nothing is mounted below what the root brings but in its `/etc`, which is read-only and has plain files there. */
const ofRoot = (layout: SandboxLayout, root: RootView): readonly string[] => [
  ...directories(layout),
  ...root.mounts.flatMap(({ hostPath, at, writable: isWritable }) => [
    isWritable ? '--bind' : '--ro-bind',
    hostPath,
    at,
  ]),
  ...root.links.flatMap(({ at, to }) => ['--symlink', to, at]),
  '--ro-bind',
  root.etcHostDir,
  '/etc',
  ...root.ownEtcFiles.flatMap((name) => ['--ro-bind', `${layout.etcHostDir}/${name}`, `/etc/${name}`]),
];

const ofHost = (layout: SandboxLayout): readonly string[] => [
  ...layout.system.directories.flatMap((path) => ['--ro-bind', path, path]),
  ...layout.system.links.flatMap(({ at, to }) => ['--symlink', to, at]),
  ...directories(layout),
  '--ro-bind',
  layout.etcHostDir,
  '/etc',
  ...layout.system.etcDirectories.flatMap((name) => ['--ro-bind', `/etc/${name}`, `/etc/${name}`]),
];

/**
 * Until the job's user is taken the sandbox is root's, who may write kernel settings without any capability. Bubblewrap covers
 * them by itself only where it finds that it could write the directory, which nobody can in /proc/sys. A device node bound
 * without device access cannot even be opened.
 */
const kernelFiles = (layout: SandboxLayout): readonly string[] =>
  options(
    ['--proc', '/proc'],
    ...layout.system.procReadOnly.map((path) => ['--ro-bind', path, path]),
    ...layout.system.procFilesToMask.map((path) => ['--ro-bind', '/dev/null', path]),
    ...layout.system.procDirsToMask.map((path) => ['--size', '4096', '--tmpfs', path, '--remount-ro', path]),
    ['--dev', '/dev'],
  );

const sized = (bytes: number, at: string): readonly string[] => [
  '--perms',
  '1777',
  '--size',
  String(bytes),
  '--tmpfs',
  at,
];

const systemOf = (layout: SandboxLayout): readonly string[] =>
  layout.root === null ? ofHost(layout) : ofRoot(layout, layout.root);

const temporary = (layout: SandboxLayout): readonly string[] =>
  isBroughtBy(layout)('/var') ? [] : ['--symlink', '../tmp', '/var/tmp', '--symlink', '../run', '/var/run'];

const writable = (layout: SandboxLayout): readonly string[] =>
  options(
    sized(layout.tmpBytes, '/tmp'),
    sized(SHARED_MEMORY_BYTES, '/dev/shm'),
    temporary(layout),
    ['--bind', layout.workspaceHostDir, WORKSPACE_DIR],
    ['--bind', layout.homeHostDir, layout.homeDir],
    ...parentsOf(bindTargets(layout), layout)
      .filter(isWithinMounts)
      .map((path) => ['--perms', '0755', '--dir', path]),
    ...layout.binds.map(({ hostPath, at }) => ['--ro-bind', hostPath, at]),
  );

const environment = (env: Readonly<Record<string, string>>): readonly string[] => [
  '--clearenv',
  ...Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]),
];

/**
 * Everything bubblewrap is told through its arguments descriptor, in order: mounts come to lie one over the other, and
 * the roots they lie on are made read-only last. The environment travels here and not on a command line, which any
 * process of the host could read.
 */
export const bubblewrapArguments = (layout: SandboxLayout): readonly string[] =>
  options(
    namespaces(layout),
    privileges(layout.mode),
    environment(layout.env),
    systemOf(layout),
    kernelFiles(layout),
    writable(layout),
    ['--remount-ro', '/dev', '--remount-ro', '/'],
    ['--chdir', '/', '--seccomp', String(SECCOMP_FD), '--json-status-fd', String(STATUS_FD)],
  );

/** Arguments as the descriptor wants them. None may hold a NUL: `refuseSpec` and `refuseStep` see to that. */
export const encodeArguments = (args: readonly string[]): Buffer => Buffer.from(args.map((arg) => `${arg}\0`).join(''));

/** In mode `root`: becomes the job's user and gives up every capability for good. */
export const becomeUser = (setpriv: readonly string[], uid: number): readonly string[] =>
  options(
    [...setpriv, '--reuid', String(uid), '--regid', String(uid), '--clear-groups'],
    ['--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all', '--no-new-privs'],
  );
