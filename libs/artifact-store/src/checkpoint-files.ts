import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Checkpoint, canonicalJson } from '@delta-ci/contracts';
import { nullWhenMissing } from './content.ts';
import { StoreError } from './store-error.ts';

/** Positions per folder: a folder holds at most so many files, and is found by counting. */
const POSITIONS_PER_FOLDER = 10_000;
/** Enough digits for any position, so that names sort as positions do. */
const POSITION_DIGITS = 16;
const NAME = /^(\d{16})-[0-9a-f]{16}\.json$/;

/**
 * Checkpoints beside the artifacts, one immutable file each, by position. They say what the log was to whoever finds the
 * log shorter or different. Two that differ at one position both stay: that is what nobody should be able to hide.
 */
export class CheckpointFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = join(directory, 'checkpoints');
  }

  /** Whole or not at all, flushed; a repeat is harmless. */
  async put(checkpoint: Checkpoint): Promise<void> {
    const text = `${canonicalJson(checkpoint)}\n`;
    const path = this.#path(checkpoint.position, text);
    await mkdir(dirname(path), { recursive: true });
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

  /**
   * Those after a position, in order, at most `limit`, and then the others of the last position.
   * @throws StoreError `digest_mismatch` for a file that is no checkpoint, or not the one its name says
   */
  async list(afterPosition: number, limit: number): Promise<Checkpoint[]> {
    const found: Checkpoint[] = [];
    for (const folder of await this.#folders(afterPosition)) {
      for (const name of await namesIn(join(this.#directory, folder))) {
        const position = Number(NAME.exec(name)?.[1] ?? 0);
        if (position <= afterPosition) continue;
        if (found.length >= limit && position !== found.at(-1)?.position) return found;
        found.push(await this.#read(join(this.#directory, folder, name), position));
      }
    }
    return found;
  }

  async #folders(afterPosition: number): Promise<string[]> {
    const first = folderOf(afterPosition);
    return (await namesIn(this.#directory)).filter((name) => /^\d{12}$/.test(name) && name >= first);
  }

  async #read(path: string, position: number): Promise<Checkpoint> {
    const text = await readFile(path, 'utf8');
    const checkpoint = Checkpoint.safeParse(jsonIn(text)).data;
    if (checkpoint?.position === position && path === this.#path(position, text)) return checkpoint;
    throw new StoreError('digest_mismatch', `${path} is not the checkpoint that was put there`);
  }

  #path(position: number, text: string): string {
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
    const name = `${String(position).padStart(POSITION_DIGITS, '0')}-${digest}.json`;
    return join(this.#directory, folderOf(position), name);
  }
}

const folderOf = (position: number): string =>
  String(Math.floor(position / POSITIONS_PER_FOLDER)).padStart(POSITION_DIGITS - 4, '0');

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

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
