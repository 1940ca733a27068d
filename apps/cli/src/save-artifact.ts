import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, realpath, rename, rm } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { staysBelow, type ArtifactView } from '@delta-ci/contracts';
import { errorCode, errorMessage } from './error-code.ts';
import { EXIT, Problem } from './problem.ts';

/** Where artifacts are put, and whether they may take the place of files that are there. */
export interface SavePlace {
  /** Is there, or is made. */
  readonly directory: string;
  readonly force: boolean;
}

type Artifact = Pick<ArtifactView, 'name' | 'digest' | 'sizeBytes'>;

/** What has the name `HEAD` makes its directory a repository to git, with the job's own commands in its configuration. */
export const isRepositoryHead = (name: string): boolean => /(?:^|[/\\])head$/iu.test(name);

/**
 * Looks at names that a job chose before anything is written: see `isRepositoryHead`. What begins with a dot is read by shells and
 * tools that happen to run where it lies, so it is saved only where nothing was yet.
 * @throws Problem `artifact_unsafe` for the first name that may not lie there
 */
export async function refuseUnsafe(names: readonly string[], directory: string): Promise<void> {
  const head = names.find(isRepositoryHead);
  if (head !== undefined) {
    throw new Problem(
      'artifact_unsafe',
      `"${head}" may make its directory a repository that runs commands of the job`,
      {
        next: 'nothing was saved: name the artifacts that you want, without this one',
      },
    );
  }
  const hidden = names.find((name) => name.startsWith('.'));
  if (hidden !== undefined && !(await isEmpty(directory))) {
    throw new Problem('artifact_unsafe', `"${hidden}" begins with a dot, and ${directory} is not empty`, {
      next: 'nothing was saved: give a directory that is new or empty with --output',
    });
  }
}

/** Or not there. */
export async function isEmpty(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length === 0;
  } catch (error) {
    return errorCode(error) === 'ENOENT';
  }
}

/**
 * Puts the bytes of an artifact below a directory, under its name. They come to lie beside their place and get it once they have the
 * size and the digest that were recorded: what is under the name is the artifact or what was there before.
 * @returns the path
 * @throws Problem `artifact_unfit` when the bytes are others, `file_unwritable` when the place is taken or cannot be had
 */
export async function saveArtifact(
  artifact: Artifact,
  bytes: AsyncIterable<Uint8Array>,
  { directory, force }: SavePlace,
): Promise<string> {
  if (!staysBelow(artifact.name)) {
    throw new Problem('artifact_unfit', `"${artifact.name}" is no name that stays below a directory`);
  }
  const path = join(directory, artifact.name);
  try {
    const parent = await parentOf(artifact.name, directory);
    const beside = join(parent, `.${randomUUID()}.part`);
    try {
      await write(artifact, bytes, beside);
      const place = join(parent, basename(path));
      if (force) await rename(beside, place);
      else await link(beside, place);
    } finally {
      await rm(beside, { force: true });
    }
    return path;
  } catch (error) {
    if (error instanceof Problem) throw error;
    const taken = errorCode(error) === 'EEXIST';
    const why = taken ? 'it exists already' : (errorCode(error) ?? errorMessage(error));
    throw new Problem('file_unwritable', `${path} cannot be written: ${why}`, {
      next: taken ? 'put them elsewhere with --output, or replace what is there with --force' : null,
    });
  }
}

/** The directory of a file, made if need be. A link on the way may lead about in the directory, and not out of it. */
async function parentOf(name: string, directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  const top = await realpath(directory);
  let parent = top;
  for (const part of name.split('/').slice(0, -1)) {
    const next = join(parent, part);
    await mkdir(next).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
    parent = await realpath(next);
    if (parent !== top && !parent.startsWith(top === sep ? top : `${top}${sep}`)) {
      throw new Problem('file_unwritable', `${next} leads out of ${directory}, to ${parent}`);
    }
  }
  return parent;
}

async function write(
  { name, digest, sizeBytes }: Artifact,
  bytes: AsyncIterable<Uint8Array>,
  path: string,
): Promise<void> {
  const unfit = (what: string): Problem =>
    new Problem('artifact_unfit', `${name} is not what was recorded: ${what}`, { exitCode: EXIT.notJudged });
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o644);
  try {
    let written = 0;
    for await (const chunk of bytes) {
      written += chunk.byteLength;
      if (written > sizeBytes) throw unfit(`it has more than ${sizeBytes} bytes`);
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    if (written !== sizeBytes) throw unfit(`it has ${written} bytes, and not ${sizeBytes}`);
    if (`sha256:${hash.digest('hex')}` !== digest) throw unfit(`its digest is not ${digest}`);
    await file.sync();
  } finally {
    await file.close();
  }
}
