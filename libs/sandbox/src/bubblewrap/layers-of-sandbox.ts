import { readdirSync } from 'node:fs';
import type { LayerReport } from '../layers.ts';
import { missing, watchedDisk } from '../limit-reports.ts';
import type { SandboxSpec } from '../sandbox-executor.ts';

const isEmpty = (directory: string): boolean => readdirSync(directory).length === 0;

/** It hides what is in the workspace, and takes what is written there with it when it goes. */
const mayHaveOwnDisk = (spec: SandboxSpec): boolean =>
  spec.workspace.onClose === 'empty' && isEmpty(spec.workspace.hostDir);

/**
 * Whether a sandbox gets a file system of its own. It costs some 15 ms, so it is for strangers, and for whoever insists;
 * against a mistake of our own, looking every few seconds is enough.
 */
export const wantsOwnDisk = (spec: SandboxSpec): boolean =>
  (spec.trust === 'untrusted' || spec.minimum?.['disk-limit'] === 'enforced') && mayHaveOwnDisk(spec);

/** What the host offers, less what this spec gives away. */
export function layersOfSandbox(offered: readonly LayerReport[], spec: SandboxSpec): readonly LayerReport[] {
  return offered.map((report) => {
    if (report.layer === 'network' && spec.network === 'host') {
      return missing('network', "the spec asks for the host's network", 'ask for network none');
    }
    if (report.layer === 'disk-limit' && report.state === 'enforced' && !wantsOwnDisk(spec)) {
      return watchedDisk('insist on it, with an empty workspace that is emptied at close');
    }
    return report;
  });
}
