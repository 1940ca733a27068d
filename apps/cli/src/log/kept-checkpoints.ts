import { readFile, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Checkpoint } from '@delta-ci/contracts';
import { errorCode, errorMessage } from '../error-code.ts';
import { Problem } from '../problem.ts';

/**
 * Checkpoints somebody kept: a file of one, or of what `delta audit checkpoints --json` printed, or a folder with such
 * files in it, like the one in the artifact store.
 * @throws Problem when there is none, or a file holds something else
 */
export async function readKeptCheckpoints(directory: string, path: string): Promise<readonly Checkpoint[]> {
  const at = resolve(directory, path);
  try {
    const files = (await stat(at)).isDirectory() ? await jsonFilesIn(at) : [at];
    const found = (
      await Promise.all(files.map(async (file) => checkpointsIn(await readFile(file, 'utf8'), file)))
    ).flat();
    if (found.length === 0) throw new Problem('no_checkpoint', `${path} holds no checkpoint`);
    return found;
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('file_unreadable', `${path} cannot be read: ${errorCode(error) ?? errorMessage(error)}`);
  }
}

async function jsonFilesIn(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true });
  return names.filter((name) => name.endsWith('.json')).map((name) => join(directory, name));
}

function checkpointsIn(text: string, file: string): Checkpoint[] {
  const value: unknown = jsonIn(text);
  const listed = typeof value === 'object' && value !== null && 'checkpoints' in value ? value.checkpoints : [value];
  const parsed = Array.isArray(listed) ? listed.map((one: unknown) => LISTED.safeParse(one).data) : [undefined];
  const whole = parsed.filter((one) => one !== undefined);
  if (whole.length === parsed.length) return whole;
  throw new Problem('file_unreadable', `${file} holds something else than checkpoints`);
}

/** A list says besides where a checkpoint was found; a checkpoint is what was signed. */
const LISTED = Checkpoint.strip();

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
