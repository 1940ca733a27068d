import type { CgroupFinding } from './cgroup/cgroup-host.ts';
import type { Layer, LayerReport } from './layers.ts';

export const enforced = (layer: Layer, by: string): LayerReport => ({ layer, state: 'enforced', by, remedy: null });
export const partial = (layer: Layer, by: string, remedy: string): LayerReport => ({
  layer,
  state: 'partial',
  by,
  remedy,
});
export const missing = (layer: Layer, by: string, remedy: string): LayerReport => ({
  layer,
  state: 'missing',
  by,
  remedy,
});

/** What stands in where there are no control groups; null where nothing does. */
export type StandIns = { readonly memory: string; readonly pids: string };

function withoutCgroups(why: string, remedy: string, standIns: StandIns | null): readonly LayerReport[] {
  if (standIns === null) {
    return [
      missing('memory-limit', why, remedy),
      missing('pids-limit', why, remedy),
      missing('cpu-limit', why, remedy),
    ];
  }
  return [
    partial('memory-limit', standIns.memory, remedy),
    enforced('pids-limit', standIns.pids),
    missing('cpu-limit', why, remedy),
  ];
}

function withCgroups(finding: Extract<CgroupFinding, { found: true }>): readonly LayerReport[] {
  const { host } = finding;
  const by = `control groups v${host.version}`;
  const [hasCpu, remedy] =
    host.version === 2
      ? [host.cpu, 'have the cpu controller delegated too: `Delegate=cpu io memory pids`']
      : [host.cpu !== null, 'mount the cpu controller'];
  return [
    enforced('memory-limit', by),
    enforced('pids-limit', by),
    hasCpu ? enforced('cpu-limit', by) : missing('cpu-limit', 'no cpu controller', remedy),
  ];
}

/** The disk limit where nothing but our own looking enforces it. */
export const watchedDisk = (remedy: string): LayerReport =>
  partial('disk-limit', 'usage is looked at every few seconds and the step killed when it is over', remedy);

/** The disk limit of a tier that can give a sandbox a file system of its own where the host lets it. */
export const diskReport = (hasOwnDisk: boolean): LayerReport =>
  hasOwnDisk
    ? enforced(
        'disk-limit',
        'a file system of its own for untrusted code, ext4 in a sparse file; for trusted code usage is looked at every few seconds',
      )
    : watchedDisk('run as root, with mkfs.ext4 (e2fsprogs) and loop devices');

/** Memory, processes and CPU of a tier that relies on control groups where it may make them. */
export const limitReports = (cgroups: CgroupFinding, standIns: StandIns | null): readonly LayerReport[] =>
  cgroups.found ? withCgroups(cgroups) : withoutCgroups(cgroups.why, cgroups.remedy, standIns);
