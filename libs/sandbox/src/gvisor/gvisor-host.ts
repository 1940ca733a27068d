import { findProgram, SYSTEM_PROGRAM_DIRS } from '../find-program.ts';
import type { CgroupFinding, CgroupHost } from '../cgroup/cgroup-host.ts';
import { nothingIsolates } from '../bubblewrap/bubblewrap-host.ts';
import { readHostSystem, type HostSystem } from '../bubblewrap/host-system.ts';
import { findLoopDisk, type LoopDiskTools } from '../bubblewrap/loop-disk.ts';
import { diskReport, limitReports } from '../limit-reports.ts';
import type { LayerReport } from '../layers.ts';
import type { FilterArch } from '../seccomp/system-calls.ts';
import { gvisorProfile, type GvisorProfile } from './gvisor-seccomp.ts';
import { findGvisor, type GvisorProgram } from './gvisor-program.ts';

/** All that the tier needs of this host. */
export type GvisorHost = {
  readonly program: GvisorProgram;
  readonly setpriv: string;
  readonly cgroups: CgroupHost;
  readonly system: HostSystem;
  readonly arch: FilterArch;
  readonly seccomp: GvisorProfile;
  /** Null when a sandbox cannot have a file system of its own. */
  readonly loopDisk: LoopDiskTools | null;
  readonly limitLayers: readonly LayerReport[];
};

export type GvisorHostFinding =
  | { readonly found: true; readonly host: GvisorHost }
  | { readonly found: false; readonly layers: readonly LayerReport[] };

const isFilterArch = (arch: string): arch is FilterArch => arch === 'x64' || arch === 'arm64';

/**
 * Looks for what the tier is made of. Whether it holds is for the self-test to say. Without control groups there is no such
 * tier: they bound what gVisor itself takes, and are how all its processes are found again.
 */
export async function findGvisorHost(
  runsc: string,
  programDirs: readonly string[],
  stateDir: string,
  cgroups: CgroupFinding,
): Promise<GvisorHostFinding> {
  const { arch, platform } = process;
  const isRoot = process.getuid?.() === 0;
  const loopDisk = isRoot ? await findLoopDisk(stateDir) : null;
  const limitLayers = [...limitReports(cgroups, null), diskReport(loopDisk !== null)];
  const lacking = (why: string, remedy: string): GvisorHostFinding => ({
    found: false,
    layers: nothingIsolates(why, remedy, limitLayers),
  });
  if (platform !== 'linux' || !isFilterArch(arch)) {
    return lacking(`no gVisor for ${platform} on ${arch}`, 'run on Linux, x86-64 or arm64');
  }
  const gvisor = await findGvisor(runsc, programDirs);
  if (!gvisor.found) return lacking(gvisor.why, gvisor.remedy);
  if (!isRoot) return lacking('gVisor is used by root alone here', 'run as root, or use the sandbox tier');
  if (!cgroups.found) return lacking(`gVisor needs control groups: ${cgroups.why}`, cgroups.remedy);
  const setpriv = findProgram('setpriv', SYSTEM_PROGRAM_DIRS);
  if (setpriv === null) return lacking('setpriv was not found', 'install util-linux');
  return {
    found: true,
    host: {
      program: gvisor.program,
      setpriv,
      cgroups: cgroups.host,
      system: readHostSystem(),
      arch,
      seccomp: gvisorProfile(),
      loopDisk,
      limitLayers,
    },
  };
}
