import { lstat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { Problem } from '../../problem.ts';
import { isEmpty } from '../../save-artifact.ts';
import { isWithin, realOf } from '../machine/own-directories.ts';

/**
 * Where artifacts of a local run are kept: a directory that has nothing in it, so that what lies there afterwards is of this run, and
 * takes the place of nothing.
 * @param directory where the person is, absolute
 * @param named what the person calls it
 * @param root top directory of the repository
 * @returns its path
 * @throws Problem `directory_not_empty`; `directory_linked` when a link of the repository leads there: whoever wrote the repository would
 * choose where files of its jobs come to lie
 */
export async function artifactDirectory(directory: string, named: string, root: string): Promise<string> {
  const path = resolve(directory, named);
  const link = await linkOfRepository(path, realOf(root));
  if (link !== null) {
    throw new Problem('directory_linked', `artifacts do not go to where a link of the repository leads: ${link}`, {
      next: 'name the directory that is meant, or one that is new',
    });
  }
  if (await isEmpty(path)) return path;
  throw new Problem('directory_not_empty', `artifacts go into a directory that is new or empty, and ${path} is not`);
}

/** The first link on a path that lies within the repository; null when there is none. */
async function linkOfRepository(path: string, root: string): Promise<string | null> {
  let at = '/';
  for (const part of path.split(sep).filter((each) => each !== '')) {
    const next = join(at, part);
    const facts = await lstat(next).catch(() => null);
    if (facts?.isSymbolicLink() === true && isWithin(at, root)) return next;
    at = realOf(next);
  }
  return null;
}
