/**
 * Whether a version is the one asked for: `*` is any, otherwise the leading parts must be equal, so that `24` takes
 * `24.21.0` and not `2.4` or `240`.
 */
export function versionSatisfies(offered: string, asked: string): boolean {
  if (asked === '*') return true;
  const offeredParts = offered.split('.');
  return asked.split('.').every((part, at) => offeredParts[at] === part);
}
