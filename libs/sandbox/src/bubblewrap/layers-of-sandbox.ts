import type { LayerReport } from '../layers.ts';
import { missing, watchedDisk } from '../limit-reports.ts';
import type { SandboxSpec } from '../sandbox-executor.ts';
import { getsOwnDisk } from './own-disk.ts';

/** What the host offers, less what this spec gives away. */
export function layersOfSandbox(offered: readonly LayerReport[], spec: SandboxSpec): readonly LayerReport[] {
  return offered.map((report) => {
    if (report.layer === 'network' && spec.network === 'host') {
      return missing('network', "the spec asks for the host's network", 'ask for network none');
    }
    if (report.layer === 'disk-limit' && report.state === 'enforced' && !getsOwnDisk(spec)) {
      return watchedDisk('insist on it, with an empty workspace that is emptied at close');
    }
    return report;
  });
}
