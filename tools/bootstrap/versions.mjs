// @ts-check

/**
 * The first dotted number in a text such as `v24.21.0`, `nats-server: v2.9.10` or `postgres (PostgreSQL) 17.10`.
 *
 * @param {string} text
 * @returns {string | null}
 */
export function versionIn(text) {
  return /\d+(?:\.\d+)+/.exec(text)?.[0] ?? null;
}

/**
 * Whether a dotted version is the least wanted one or newer, compared number by number.
 *
 * @param {string} version
 * @param {string} least
 */
export function isAtLeast(version, least) {
  const have = version.split('.').map(Number);
  const want = least.split('.').map(Number);
  for (let i = 0; i < want.length; i += 1) {
    const difference = (have[i] ?? 0) - (want[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
