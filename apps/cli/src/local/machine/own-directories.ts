import { realpathSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** Where Delta CI itself lies: five above this folder, in its sources and in what they are compiled to alike. */
export const INSTALLATION = join(import.meta.dirname, '..', '..', '..', '..', '..');

const MODULES = 'node_modules';

/**
 * Whether a directory of PATH lies within the `node_modules` of Delta CI's installation, by whatever links it is named. `npx` and
 * `npm run` put such directories before all others: the Node and the compilers in there are those that Delta CI is made with, and no
 * person chose them for a repository.
 * @param directory absolute; it need not be there
 */
export function isOwnDirectory(directory: string, installation: string): boolean {
  const place = realOf(directory);
  const packages = realOf(join(installation, MODULES));
  if (isWithin(place, packages)) return true;
  const root = realOf(installation);
  return isWithin(place, root) && relative(root, place).split(sep).includes(MODULES);
}

/** Whether a place is a directory or lies below it; both as `realOf` has them. */
export const isWithin = (place: string, directory: string): boolean =>
  place === directory || place.startsWith(`${directory}${sep}`);

/** Where a path leads, by all links; a path that leads nowhere stays as it is. */
export function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
