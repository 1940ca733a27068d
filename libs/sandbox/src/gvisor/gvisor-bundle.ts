import { SANDBOX_HOST_NAME, WORKSPACE_DIR } from '../bubblewrap/bubblewrap-arguments.ts';
import type { HostSystem } from '../bubblewrap/host-system.ts';
import { SHARED_MEMORY_BYTES, type SandboxLimits } from '../limits.ts';
import type { GvisorProfile } from './gvisor-seccomp.ts';

/** Everything about a sandbox's steps that is the same for all of them. */
export type GvisorLayout = {
  readonly uid: number;
  readonly network: 'none' | 'host';
  readonly system: HostSystem;
  readonly limits: SandboxLimits;
  readonly seccomp: GvisorProfile;
  /** Empty but for places to mount on and the system's links; read-only inside. */
  readonly rootHostDir: string;
  readonly etcHostDir: string;
  readonly workspaceHostDir: string;
  readonly homeHostDir: string;
  readonly homeDir: string;
  readonly binds: readonly { readonly hostPath: string; readonly at: string }[];
};

type Mount = {
  readonly type: 'bind' | 'proc' | 'tmpfs';
  readonly source: string;
  readonly destination: string;
  readonly options: readonly string[];
};

const shown = (source: string, destination: string): Mount => ({
  type: 'bind',
  source,
  destination,
  options: ['rbind', 'ro', 'nosuid', 'nodev'],
});

const writable = (source: string, destination: string): Mount => ({
  type: 'bind',
  source,
  destination,
  options: ['rbind', 'rw', 'nosuid', 'nodev'],
});

const inMemory = (destination: string, ...options: readonly string[]): Mount => ({
  type: 'tmpfs',
  source: 'tmpfs',
  destination,
  options: ['nosuid', 'nodev', ...options],
});

/** In order: mounts come to lie one over the other. /proc, /sys and /dev are gVisor's own and show nothing of the host. */
const mounts = (layout: GvisorLayout): readonly Mount[] => [
  { type: 'proc', source: 'proc', destination: '/proc', options: [] },
  ...layout.system.directories.map((path) => shown(path, path)),
  shown(layout.etcHostDir, '/etc'),
  ...layout.system.etcDirectories.map((name) => shown(`/etc/${name}`, `/etc/${name}`)),
  inMemory('/dev/shm', 'mode=1777', `size=${SHARED_MEMORY_BYTES}`),
  inMemory('/tmp', 'mode=1777', `size=${layout.limits.tmpBytes}`),
  writable(layout.workspaceHostDir, WORKSPACE_DIR),
  writable(layout.homeHostDir, layout.homeDir),
  ...layout.binds.map(({ hostPath, at }) => shown(hostPath, at)),
];

const NAMESPACES = ['pid', 'ipc', 'uts', 'mount'];

const limit = (type: string, value: number) => ({ type, hard: value, soft: value });

/**
 * What `runsc` is told of one step, as the OCI runtime specification has it: nothing of what the step is told. gVisor counts the
 * processes itself; what it takes for that on the host, its control group bounds.
 */
export const bundleOf = (layout: GvisorLayout, args: readonly string[]): object => ({
  ociVersion: '1.0.2',
  process: {
    user: { uid: layout.uid, gid: layout.uid },
    args,
    env: [],
    cwd: '/',
    noNewPrivileges: true,
    capabilities: { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] },
    rlimits: [limit('RLIMIT_NPROC', layout.limits.pids), limit('RLIMIT_CORE', 0)],
  },
  root: { path: layout.rootHostDir, readonly: true },
  hostname: SANDBOX_HOST_NAME,
  mounts: mounts(layout),
  linux: {
    namespaces: [...NAMESPACES, ...(layout.network === 'none' ? ['network'] : [])].map((type) => ({ type })),
    seccomp: layout.seccomp,
  },
});
