import { CLOSED_PROC_FILES, READ_ONLY_PROC, type HostSystem } from '../bubblewrap/host-system.ts';
import { SANDBOX_HOST_NAME, WORKSPACE_DIR } from '../bubblewrap/bubblewrap-arguments.ts';
import { SHARED_MEMORY_BYTES, type SandboxLimits } from '../limits.ts';
import { SANDBOX_LABEL } from './engine-client.ts';
import type { SeccompProfile } from './seccomp-profile.ts';

/** Everything about a sandbox's containers that is the same for all of its steps. */
export type ContainerLayout = {
  readonly sandboxId: string;
  readonly image: string;
  /** The host's own programs, shown over an empty image; null when the image brings its own. */
  readonly system: HostSystem | null;
  readonly uid: number;
  readonly network: 'none' | 'host';
  readonly limits: SandboxLimits;
  readonly seccomp: SeccompProfile;
  readonly etcHostDir: string;
  readonly workspaceHostDir: string;
  readonly homeHostDir: string;
  readonly homeDir: string;
  readonly binds: readonly { readonly hostPath: string; readonly at: string }[];
};

type Mount = {
  readonly Type: 'bind';
  readonly Source: string;
  readonly Target: string;
  readonly ReadOnly: boolean;
};

const shown = (Source: string, Target: string): Mount => ({ Type: 'bind', Source, Target, ReadOnly: true });
const writable = (Source: string, Target: string): Mount => ({ Type: 'bind', Source, Target, ReadOnly: false });

/** What an image need not know: the job's user, and that git trusts what the job sees. */
const ETC_OF_ITS_OWN = ['passwd', 'group', 'gitconfig'];

/** Links (`/bin` to `usr/bin`) are mounted as what they lead to, because an empty image has none. */
const hostSystem = (system: HostSystem, etcHostDir: string): readonly Mount[] => [
  ...[...system.directories, ...system.links.map(({ at }) => at)].map((path) => shown(path, path)),
  shown(etcHostDir, '/etc'),
  ...system.etcDirectories.map((name) => shown(`/etc/${name}`, `/etc/${name}`)),
];

const ownEtc = (etcHostDir: string): readonly Mount[] =>
  ETC_OF_ITS_OWN.map((name) => shown(`${etcHostDir}/${name}`, `/etc/${name}`));

const mounts = (layout: ContainerLayout): readonly Mount[] => [
  ...(layout.system === null ? ownEtc(layout.etcHostDir) : hostSystem(layout.system, layout.etcHostDir)),
  writable(layout.workspaceHostDir, WORKSPACE_DIR),
  writable(layout.homeHostDir, layout.homeDir),
  ...layout.binds.map(({ hostPath, at }) => shown(hostPath, at)),
];

/** The kernel's files about itself and its hardware; engines mount /sys for everybody. */
const MASKED = [...CLOSED_PROC_FILES, '/proc/acpi', '/proc/asound', '/proc/scsi', '/sys'];

const security = (layout: ContainerLayout) => ({
  ReadonlyRootfs: true,
  CapDrop: ['ALL'],
  SecurityOpt: ['no-new-privileges', `seccomp=${JSON.stringify(layout.seccomp)}`],
  MaskedPaths: MASKED,
  ReadonlyPaths: READ_ONLY_PROC,
  NetworkMode: layout.network,
  IpcMode: 'private',
  Privileged: false,
});

const limits = ({ memoryBytes, pids, cpuCount, tmpBytes }: SandboxLimits) => ({
  Memory: memoryBytes,
  // Memory and swap together: no swap.
  MemorySwap: memoryBytes,
  PidsLimit: pids,
  NanoCpus: Math.round(cpuCount * 1e9),
  ShmSize: SHARED_MEMORY_BYTES,
  Tmpfs: { '/tmp': `rw,exec,nosuid,nodev,mode=1777,size=${tmpBytes}` },
  Ulimits: [{ Name: 'core', Soft: 0, Hard: 0 }],
});

/**
 * What an engine is asked for, for one step. The engine keeps no log, and the container is removed by us: we want to know
 * first how it ended.
 */
export const containerSettings = (
  layout: ContainerLayout,
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
) => ({
  Image: layout.image,
  Entrypoint: [command[0]],
  Cmd: command.slice(1),
  // The engine adds the name of the host by itself; a name without a value takes it away again.
  Env: ['HOSTNAME', ...Object.entries(env).map(([name, value]) => `${name}=${value}`)],
  User: `${layout.uid}:${layout.uid}`,
  WorkingDir: '/',
  Labels: { [SANDBOX_LABEL]: layout.sandboxId },
  ...(layout.network === 'host' ? {} : { Hostname: SANDBOX_HOST_NAME }),
  Healthcheck: { Test: ['NONE'] },
  AttachStdin: false,
  AttachStdout: true,
  AttachStderr: true,
  OpenStdin: false,
  Tty: false,
  HostConfig: {
    ...security(layout),
    ...limits(layout.limits),
    Mounts: mounts(layout),
    AutoRemove: false,
    RestartPolicy: { Name: 'no' },
    LogConfig: { Type: 'none' },
  },
});
