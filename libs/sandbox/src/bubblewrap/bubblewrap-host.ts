import { findProgram, SYSTEM_PROGRAM_DIRS } from '../find-program.ts';
import type { CgroupFinding } from '../cgroup/cgroup-host.ts';
import { diskReport, limitReports, missing, type StandIns } from '../limit-reports.ts';
import type { Layer, LayerReport } from '../layers.ts';
import { jobFilterBytes } from '../seccomp/job-filter.ts';
import type { FilterArch } from '../seccomp/system-calls.ts';
import { findBubblewrap, type BubblewrapProgram } from './bubblewrap-program.ts';
import type { PrivilegeMode } from './bubblewrap-arguments.ts';
import { findLoopDisk, type LoopDiskTools } from './loop-disk.ts';
import { readHostSystem, type HostSystem } from './host-system.ts';

/** All that the sandbox needs of this host. */
export type BubblewrapHost = {
  readonly program: BubblewrapProgram;
  readonly mode: PrivilegeMode;
  /** Used in mode `root` only. */
  readonly setpriv: string;
  /** The seccomp filter for this machine, encoded. */
  readonly filter: Buffer;
  readonly arch: FilterArch;
  readonly system: HostSystem;
  /** Null when a sandbox cannot have a file system of its own. */
  readonly loopDisk: LoopDiskTools | null;
  readonly limitLayers: readonly LayerReport[];
};

export type HostFinding =
  | { readonly found: true; readonly host: BubblewrapHost }
  | { readonly found: false; readonly layers: readonly LayerReport[] };

const ISOLATION_LAYERS: readonly Layer[] = ['filesystem', 'namespaces', 'network', 'identity', 'seccomp', 'proc-masks'];

/** The report of a host on which no sandbox starts, for one reason. */
export const nothingIsolates = (
  why: string,
  remedy: string,
  limits: readonly LayerReport[],
): readonly LayerReport[] => [...ISOLATION_LAYERS.map((layer) => missing(layer, why, remedy)), ...limits];

const STAND_INS: StandIns = {
  memory: 'RLIMIT_DATA for each process by itself',
  pids: 'RLIMIT_NPROC of a user id (as root) or user namespace that is the sandbox’s own',
};

const isFilterArch = (arch: string): arch is FilterArch => arch === 'x64' || arch === 'arm64';

/** Looks for what the sandbox is made of. Whether it holds is for the self-test to say. */
export async function findHost(
  bwrap: string,
  programDirs: readonly string[],
  stateDir: string,
  cgroups: CgroupFinding,
): Promise<HostFinding> {
  const mode: PrivilegeMode = process.getuid?.() === 0 ? 'root' : 'user';
  const loopDisk = mode === 'root' ? await findLoopDisk(stateDir) : null;
  const limitLayers = [...limitReports(cgroups, STAND_INS), diskReport(loopDisk !== null)];
  const lacking = (why: string, remedy: string): HostFinding => ({
    found: false,
    layers: nothingIsolates(why, remedy, limitLayers),
  });
  const { arch } = process;
  if (process.platform !== 'linux' || !isFilterArch(arch)) {
    return lacking(`no sandbox for ${process.platform} on ${arch}`, 'run on Linux, x86-64 or arm64');
  }
  const bubblewrap = await findBubblewrap(bwrap, programDirs);
  if (!bubblewrap.found) return lacking(bubblewrap.why, bubblewrap.remedy);
  const setpriv = findProgram('setpriv', SYSTEM_PROGRAM_DIRS);
  if (mode === 'root' && setpriv === null) return lacking('setpriv was not found', 'install util-linux');
  const system = readHostSystem();
  return {
    found: true,
    host: {
      program: bubblewrap.program,
      mode,
      setpriv: setpriv ?? '',
      arch,
      filter: jobFilterBytes(arch),
      system,
      loopDisk,
      limitLayers,
    },
  };
}
