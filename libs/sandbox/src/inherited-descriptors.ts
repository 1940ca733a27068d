import { readdirSync, readFileSync } from 'node:fs';

const O_CLOEXEC = 0o2000000;

/** Whether a `/proc/<pid>/fdinfo/<fd>` describes a descriptor that a child would inherit. */
export const isInheritable = (fdinfo: string): boolean => {
  const flags = /^flags:\s*([0-7]+)$/m.exec(fdinfo)?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
};

function isOpenToChildren(fd: number): boolean {
  try {
    return isInheritable(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'));
  } catch {
    return false;
  }
}

/**
 * Descriptors above stderr that this process would hand to every child, ascending. Node opens none such itself; they
 * come from whoever started us, and a directory among them would be a door out of any sandbox. Empty without /proc.
 */
export function inheritedDescriptors(): readonly number[] {
  try {
    const open = readdirSync('/proc/self/fd').map(Number);
    return open.filter((fd) => fd > 2 && isOpenToChildren(fd)).sort((a, b) => a - b);
  } catch {
    return [];
  }
}
