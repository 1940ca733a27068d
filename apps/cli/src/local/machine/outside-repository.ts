import { existsSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { variable, type Surroundings } from '../../surroundings.ts';
import { isWithin, realOf } from './own-directories.ts';

/**
 * The same surroundings, in whose PATH no directory lies within the repository that is looked at, by whatever links it is named, and
 * none is relative. What a repository brings along runs in sandboxes: nothing of it is to be taken for a program of the person's.
 * @param repo a directory of the repository, absolute or from where the person is
 */
export function outsideRepository(surroundings: Surroundings, repo: string): Surroundings {
  const root = rootAbove(realOf(resolve(surroundings.directory, repo)));
  const path = variable(surroundings, 'PATH');
  if (root === null || path === null) return surroundings;
  const isOutside = (directory: string): boolean => directory.startsWith('/') && !isWithin(realOf(directory), root);
  const PATH = path.split(delimiter).filter(isOutside).join(delimiter);
  return { ...surroundings, environment: { ...surroundings.environment, PATH } };
}

/** Where git would find a repository; null where there is none. Git itself is not asked: it is a program of PATH as well. */
function rootAbove(directory: string): string | null {
  if (existsSync(join(directory, '.git'))) return directory;
  const above = dirname(directory);
  return above === directory ? null : rootAbove(above);
}
