import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readSmall, upwardsFrom } from '../api/access.ts';
import { errorCode } from '../error-code.ts';
import { Problem } from '../problem.ts';
import { variable, type Surroundings } from '../surroundings.ts';
import { databaseUrlOf, type DatabaseOptions } from './with-log.ts';

export interface ArtifactOptions {
  /** Directory of the artifact store. */
  readonly artifacts?: string;
}

/** Where a mesh that was started in a checkout leaves the address of a role that may read its log. */
const READER_URL_FILE = join('.delta', 'reader-url');
const ARTIFACTS = join('.delta', 'artifacts');

/** The database to read the log from: what was named, otherwise that of the mesh in a folder above. @throws Problem */
export async function databaseUrlFor(surroundings: Surroundings, options: DatabaseOptions): Promise<string> {
  const named = databaseUrlOf(surroundings, options);
  if (named !== null) return named;
  for (const directory of upwardsFrom(surroundings.directory)) {
    const text = await readSmall(join(directory, READER_URL_FILE), 'no_database');
    if (text !== null) return text.trim();
  }
  throw new Problem('no_database', 'no database to read the log from', {
    next: `name a role that may read with --database-url or DELTA_DATABASE_URL; in a checkout with a running mesh ${READER_URL_FILE} is used`,
  });
}

/** The directory of the artifact store, found in the same way; null when there is none. */
export async function artifactDirFor(
  surroundings: Surroundings,
  { artifacts }: ArtifactOptions,
): Promise<string | null> {
  const named = artifacts ?? variable(surroundings, 'DELTA_ARTIFACT_DIR');
  return named === null ? directoryAbove(surroundings, ARTIFACTS) : resolve(surroundings.directory, named);
}

/** The nearest directory of this name, here or in a folder above; null when there is none. */
export async function directoryAbove(surroundings: Surroundings, name: string): Promise<string | null> {
  return foundAbove(surroundings, name, (found) => found.isDirectory());
}

/** The nearest file of this name, in the same way. */
export async function fileAbove(surroundings: Surroundings, name: string): Promise<string | null> {
  return foundAbove(surroundings, name, (found) => found.isFile());
}

async function foundAbove(
  { directory }: Surroundings,
  name: string,
  fits: (found: Stats) => boolean,
): Promise<string | null> {
  for (const folder of upwardsFrom(directory)) {
    const found = await statOf(join(folder, name));
    if (found !== null && fits(found)) return join(folder, name);
  }
  return null;
}

async function statOf(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return null;
    throw error;
  }
}
