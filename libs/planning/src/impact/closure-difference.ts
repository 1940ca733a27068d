import type { ExternalClosure } from '../model.ts';
import { byText } from '../tree-paths.ts';
import { listed } from './world.ts';

/** Null when a unit gets the same external packages on both sides; otherwise what differs, for people. */
export function closureDifference(before: ExternalClosure, after: ExternalClosure): string | null {
  if (before.kind === 'none' && after.kind === 'none') return null;
  if (before.kind === 'unreadable' || after.kind === 'unreadable') {
    return before.kind === after.kind ? null : 'its lockfile could be read on one side only';
  }
  if (before.kind === 'none') return 'a lockfile now decides its packages';
  if (after.kind === 'none') return 'no lockfile decides its packages any more';
  // Where a lockfile is the same, what follows from it is the very same.
  const names = before.packages === after.packages ? [] : differingNames(before.packages, after.packages);
  if (names.length > 0) return `${listed(names)} changed`;
  return before.lockfile === after.lockfile ? null : `${after.lockfile} takes the place of ${before.lockfile}`;
}

function differingNames(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const locations = new Set([...before.keys(), ...after.keys()]);
  const differing = [...locations].filter((at) => before.get(at) !== after.get(at));
  return [...new Set(differing.map(packageName))].sort(byText);
}

const INSTALLED_IN = 'node_modules/';
const MISSING = '(missing) ';

/** `node_modules/a/node_modules/@s/b` is `@s/b`; `(packages/cart)` stands for what the lockfile notes of the unit itself. */
function packageName(location: string): string {
  if (location.startsWith(MISSING)) return location.slice(MISSING.length);
  if (location.startsWith('(')) return 'what the lockfile declares';
  const at = location.lastIndexOf(INSTALLED_IN);
  return at < 0 ? location : location.slice(at + INSTALLED_IN.length);
}
