import { readFileSync } from 'node:fs';

/** A field of mountinfo as it was before spaces and the like were written as `\ooo`. */
export const unescapeMountField = (field: string): string =>
  field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Where anything is mounted, in the mount namespace of the warden, one over the other more than once. */
export const mountPoints = (): readonly string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => unescapeMountField(line.split(' ')[4] ?? ''));

/** Whether something is mounted at exactly this path, in the mount namespace of the warden. */
export function isMountPoint(path: string): boolean {
  try {
    return mountPoints().includes(path);
  } catch {
    return false;
  }
}
