import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from '@delta-ci/contracts';
import type { CheckpointStore } from './artifact-store.ts';
import {
  checkpointFolder,
  checkpointIn,
  checkpointName,
  isCheckpointFolder,
  positionInName,
  textOfCheckpoint,
} from './checkpoint-names.ts';
import { nullWhenMissing } from './null-when-missing.ts';

/** Checkpoints as files, one each, flushed. */
export class CheckpointFiles implements CheckpointStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = join(directory, 'checkpoints');
  }

  async put(checkpoint: Checkpoint): Promise<void> {
    const text = textOfCheckpoint(checkpoint);
    const folder = join(this.#directory, checkpointFolder(checkpoint.position));
    const path = join(folder, checkpointName(checkpoint.position, text));
    await mkdir(folder, { recursive: true });
    const aside = `${path}.${randomUUID()}`;
    try {
      await writeAside(aside, text);
      await link(aside, path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
    } finally {
      await rm(aside, { force: true });
    }
  }

  async list(afterPosition: number, limit: number): Promise<Checkpoint[]> {
    const found: Checkpoint[] = [];
    for (const folder of await this.#folders(afterPosition)) {
      for (const name of await namesIn(join(this.#directory, folder))) {
        const position = positionInName(name);
        if (position <= afterPosition) continue;
        if (found.length >= limit && position !== found.at(-1)?.position) return found;
        found.push(checkpointIn(await readFile(join(this.#directory, folder, name), 'utf8'), name));
      }
    }
    return found;
  }

  async #folders(afterPosition: number): Promise<string[]> {
    const first = checkpointFolder(afterPosition);
    return (await namesIn(this.#directory)).filter((name) => isCheckpointFolder(name) && name >= first);
  }
}

/** Sorted; of a directory that is not there, none. */
async function namesIn(directory: string): Promise<string[]> {
  return ((await readdir(directory).catch(nullWhenMissing)) ?? []).sort();
}

async function writeAside(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o640);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
