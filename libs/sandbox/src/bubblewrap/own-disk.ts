import { readdirSync } from 'node:fs';
import { refusal, type Refusal } from '../refusal.ts';
import type { SandboxSpec } from '../sandbox-executor.ts';
import type { LoopDiskTools } from './loop-disk.ts';

/**
 * Whether a sandbox is to have a file system of its own: told by the spec alone, so that nothing which lies about on the host
 * weakens it. It costs some 15 ms, so it is for strangers, and for whoever insists; against a mistake of our own, looking every
 * few seconds is enough.
 */
export const wantsOwnDisk = ({ trust, minimum }: SandboxSpec): boolean =>
  trust === 'untrusted' || minimum?.['disk-limit'] === 'enforced';

/** Whether it gets one from a host that can make it: it takes what is written there with it when it goes. */
export const getsOwnDisk = (spec: SandboxSpec): boolean => wantsOwnDisk(spec) && spec.workspace.onClose === 'empty';

/** Null where the sandbox is to have no file system of its own, or the host cannot make one. */
export const ownDiskFor = (spec: SandboxSpec, loopDisk: LoopDiskTools | null): LoopDiskTools | null =>
  getsOwnDisk(spec) ? loopDisk : null;

/** What lies in a workspace would be hidden by a file system that is put over it: it is refused, and not the file system. */
export function refuseToHide(spec: SandboxSpec, loopDisk: LoopDiskTools | null): Refusal | null {
  const { hostDir } = spec.workspace;
  if (ownDiskFor(spec, loopDisk) === null || readdirSync(hostDir).length === 0) return null;
  return refusal('workspace_unusable', `${hostDir} is not empty, and the job has a file system of its own`);
}
