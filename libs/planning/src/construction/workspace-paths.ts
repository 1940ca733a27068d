/** As long as a path of a plan may be. */
const LENGTH_MAX = 4_096;

/** Whether a path or glob of a plan stays within the workspace: relative, no step upwards, and not too long to be said. */
export function staysInWorkspace(path: string): boolean {
  return path !== '' && path.length <= LENGTH_MAX && !path.startsWith('/') && !path.split('/').includes('..');
}

/** As `staysInWorkspace`, or below the home folder of the job. */
export function staysInReach(path: string): boolean {
  return staysInWorkspace(path.startsWith('~/') ? path.slice(2) : path);
}
