import { readdirSync } from 'node:fs';
import type { LayerReport } from '../layers.ts';
import { missing, watchedDisk } from '../limit-reports.ts';
import type { SandboxSpec } from '../sandbox-executor.ts';

const isEmpty = (directory: string): boolean => readdirSync(directory).length === 0;

/** A file system of its own hides what is in the workspace, and takes what is written there with it when it goes. */
export const wantsOwnDisk = (spec: SandboxSpec): boolean =>
  spec.workspace.onClose === 'empty' && isEmpty(spec.workspace.hostDir);

/** What the host offers, less what this spec gives away. */
export function layersOfSandbox(offered: readonly LayerReport[], spec: SandboxSpec): readonly LayerReport[] {
  return offered.map((report) => {
    if (report.layer === 'network' && spec.network === 'host') {
      return missing('network', "the spec asks for the host's network", 'ask for network none');
    }
    if (report.layer === 'disk-limit' && report.state === 'enforced' && !wantsOwnDisk(spec)) {
      return watchedDisk('start with an empty workspace that is emptied at close');
    }
    return report;
  });
}
