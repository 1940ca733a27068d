import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { startTicksOf } from '../process-table.ts';
import { removeTree } from '../remove-tree.ts';
import { wardenLives } from '../sandbox-record.ts';

/** What lies at the root of a tree. */
export const TopEntry = z.object({
  name: z.string(),
  kind: z.enum(['directory', 'file', 'symlink']),
  /** Of a link. */
  target: z.string().nullable(),
});
export type TopEntry = z.infer<typeof TopEntry>;

/** What is known of an unpacked tree. */
export const TreeRecord = z.object({ bytes: z.number(), entries: z.number(), top: z.array(TopEntry) });
export type TreeRecord = z.infer<typeof TreeRecord>;

/** What an image comes to: the tree of its layers, and what its configuration says. */
export const ImageRecord = z.object({
  chain: z.string(),
  env: z.record(z.string(), z.string()),
  /** By which name it was asked for when it came; absent in records of earlier stores. */
  name: z.string().optional(),
});
export type ImageRecord = z.infer<typeof ImageRecord>;

/** An image whose tree is here. */
export type KeptImage = {
  /** Of its manifest. */
  readonly digest: string;
  readonly name: string | null;
  /** Of its tree, which other images may have as well. */
  readonly bytes: number;
  readonly usedAtMs: number;
  readonly isInUse: boolean;
};

/** A tree that is not removed before it is released. */
export type ClaimedTree = {
  readonly rootfs: string;
  readonly record: TreeRecord;
  readonly release: () => Promise<void>;
};

const Warden = z.object({ wardenPid: z.number(), wardenStartTicks: z.number().nullable() });

const ownMark = (): string =>
  JSON.stringify({ wardenPid: process.pid, wardenStartTicks: startTicksOf(process.pid) } satisfies z.infer<
    typeof Warden
  >);

async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}

/** A directory that is named after who works in it, so that it is never without that. */
const draftName = (): string => `${process.pid}-${startTicksOf(process.pid) ?? ''}-${randomBytes(8).toString('hex')}`;

function isDraftOfLiving(name: string): boolean {
  const [, pid, ticks] = /^(\d+)-(\d+)-[0-9a-f]{16}$/u.exec(name) ?? [];
  return wardenLives({ wardenPid: Number(pid), wardenStartTicks: Number(ticks) });
}

const isLiving = async (mark: string): Promise<boolean> => {
  const warden = await readJson(mark, Warden);
  return warden !== null && wardenLives(warden);
};

/** Where users of a tree leave their marks; while somebody removes it, it is called after him, and nobody can leave one. */
const USERS = 'users';
const CLOSED = 'closed-';

/** Removing moves a tree away at once. */
const TURNS_MAX = 40;
const TURN_MS = 25;

const namesIn = (directory: string): Promise<readonly string[]> => readdir(directory).catch(() => []);

const hexOf = (digest: string): string => digest.slice(digest.indexOf(':') + 1);

/** Takes back a mark, whether its tree is just looked at by somebody who would remove it or not. */
async function unmark(directory: string, name: string): Promise<void> {
  const closed = (await namesIn(directory)).filter((each) => each.startsWith(CLOSED));
  for (const users of [USERS, ...closed]) await rm(join(directory, users, name), { force: true });
}

/** A tree with a mark of this name among its users. */
const takenBy = (name: string, directory: string, record: TreeRecord): ClaimedTree => ({
  rootfs: join(directory, 'rootfs'),
  record,
  release: () => unmark(directory, name),
});

/**
 * Unpacked images on this host: one tree for each chain of layers, whichever images have it, and what each image comes to.
 * Trees are made elsewhere and moved in whole, so whatever is here is complete; nothing in them is ever changed. Several wardens
 * may use one store: each says which trees it uses, and what a living warden uses is not removed.
 */
export class ImageStore {
  private readonly trees: string;
  private readonly images: string;
  private readonly unfinished: string;
  private readonly bytesMax: number;

  /**
   * @param directory private to the warden's user
   * @param bytesMax beyond which trees that were not used for longest are removed
   */
  constructor(directory: string, bytesMax: number) {
    this.trees = join(directory, 'trees');
    this.images = join(directory, 'images');
    this.unfinished = join(directory, 'unfinished');
    this.bytesMax = bytesMax;
  }

  /** What an image comes to, by the digest of its manifest; null when it was never here. */
  recorded(digest: string): Promise<ImageRecord | null> {
    return readJson(join(this.images, `${hexOf(digest)}.json`), ImageRecord);
  }

  async record(digest: string, image: ImageRecord): Promise<void> {
    await mkdir(this.images, { recursive: true, mode: 0o700 });
    const draft = join(this.images, `.${randomBytes(8).toString('hex')}`);
    await writeFile(draft, JSON.stringify(image), { mode: 0o600 });
    await rename(draft, join(this.images, `${hexOf(digest)}.json`));
  }

  /** Images whose trees are here, the longest unused last. */
  async list(): Promise<KeptImage[]> {
    const images = await Promise.all(
      (await this.all()).map(async ({ digest, image: { chain, name } }): Promise<KeptImage[]> => {
        const tree = hexOf(chain);
        if (!existsSync(join(this.trees, tree))) return [];
        const { bytes, usedAtMs } = await this.weigh(tree);
        return [{ digest, name: name ?? null, bytes, usedAtMs, isInUse: await this.isUsed(join(this.trees, tree)) }];
      }),
    );
    return images.flat().sort((one, other) => other.usedAtMs - one.usedAtMs);
  }

  /** Removes an image, and its tree unless another image has it too. False, and nothing is removed, while somebody uses the tree. */
  async remove(digest: string): Promise<boolean> {
    const all = await this.all();
    const chain = all.find((each) => each.digest === digest)?.image.chain;
    if (chain === undefined) return true;
    const isShared = all.some((other) => other.digest !== digest && other.image.chain === chain);
    const tree = hexOf(chain);
    if (!isShared && existsSync(join(this.trees, tree)) && !(await this.removeUnused(tree))) return false;
    await rm(join(this.images, `${hexOf(digest)}.json`), { force: true });
    return true;
  }

  private async all(): Promise<{ readonly digest: string; readonly image: ImageRecord }[]> {
    const read = await Promise.all(
      (await namesIn(this.images)).map(async (file) => {
        const [, hex] = /^((?:[0-9a-f]{64}){1,2})\.json$/u.exec(file) ?? [];
        const image = hex === undefined ? null : await readJson(join(this.images, file), ImageRecord);
        return image === null || hex === undefined
          ? []
          : [{ digest: `${hex.length === 64 ? 'sha256' : 'sha512'}:${hex}`, image }];
      }),
    );
    return read.flat();
  }

  /** Takes a tree into use; null when there is none, or it is just being removed. */
  async claim(chain: string): Promise<ClaimedTree | null> {
    const directory = join(this.trees, hexOf(chain));
    const name = randomBytes(8).toString('hex');
    const mark = join(directory, USERS, name);
    // Whoever looks for users meanwhile finds all of it or nothing: half of it would be taken for a dead one's.
    const draft = join(directory, `.${name}`);
    const isMarked = await writeFile(draft, ownMark(), { mode: 0o600 })
      .then(() => rename(draft, mark))
      .then(
        () => existsSync(mark),
        () => false,
      );
    const record = isMarked ? await readJson(join(directory, 'tree.json'), TreeRecord) : null;
    if (record === null) {
      await rm(draft, { force: true });
      await unmark(directory, name);
      return null;
    }
    const now = new Date();
    await utimes(directory, now, now).catch(() => undefined);
    return takenBy(name, directory, record);
  }

  /** Whether anybody was given all that a tree was made of. */
  isOpen(chain: string): boolean {
    return existsSync(join(this.trees, hexOf(chain), 'open'));
  }

  /** Notes of a tree in use that anybody is given all that it was made of. */
  async markOpen(chain: string): Promise<void> {
    await writeFile(join(this.trees, hexOf(chain), 'open'), '', { mode: 0o600 });
  }

  /** Has a tree made by `make` in the directory it is given, and takes it into use. What is left when that fails is removed. */
  async add(
    chain: string,
    make: (place: { rootfs: string; blobs: string }) => Promise<TreeRecord>,
  ): Promise<ClaimedTree> {
    const draft = join(this.unfinished, draftName());
    await mkdir(draft, { recursive: true, mode: 0o700 });
    try {
      const tree = join(draft, 'tree');
      const place = { rootfs: join(tree, 'rootfs'), blobs: join(draft, 'blobs') };
      for (const directory of [tree, join(tree, USERS), place.blobs]) await mkdir(directory, { mode: 0o700 });
      await mkdir(place.rootfs, { mode: 0o755 });
      const record = await make(place);
      await writeFile(join(tree, 'tree.json'), JSON.stringify(record), { mode: 0o600 });
      const name = randomBytes(8).toString('hex');
      await writeFile(join(tree, USERS, name), ownMark(), { mode: 0o600 });
      await mkdir(this.trees, { recursive: true, mode: 0o700 });
      return (await this.moveIn(tree, chain)) ?? takenBy(name, join(this.trees, hexOf(chain)), record);
    } finally {
      await removeTree(draft);
    }
  }

  /**
   * Another warden may have been first: its tree is as good. One that is being removed is out of the way in no time.
   * @returns the tree of another, taken into use; null when this one is in
   */
  private async moveIn(tree: string, chain: string): Promise<ClaimedTree | null> {
    for (let turn = 0; turn < TURNS_MAX; turn += 1) {
      const isIn = await rename(tree, join(this.trees, hexOf(chain))).then(
        () => true,
        () => false,
      );
      const claimed = isIn ? null : await this.claim(chain);
      if (isIn || claimed !== null) return claimed;
      await this.removeUnused(hexOf(chain));
      await delay(TURN_MS);
    }
    throw new Error('the tree that was just unpacked has no place: another is neither used nor removed');
  }

  /** Removes what dead wardens left half done, and then trees that nobody uses, the longest unused first, down to the bound. */
  async sweep(): Promise<void> {
    for (const name of await namesIn(this.unfinished)) {
      if (!isDraftOfLiving(name)) await removeTree(join(this.unfinished, name));
    }
    const kept = await Promise.all((await namesIn(this.trees)).map((name) => this.weigh(name)));
    let bytes = kept.reduce((sum, tree) => sum + tree.bytes, 0);
    for (const tree of kept.sort((one, other) => one.usedAtMs - other.usedAtMs)) {
      if (bytes <= this.bytesMax) return;
      if (await this.removeUnused(tree.name)) bytes -= tree.bytes;
    }
  }

  private async weigh(
    name: string,
  ): Promise<{ readonly name: string; readonly bytes: number; readonly usedAtMs: number }> {
    const directory = join(this.trees, name);
    const [record, found] = await Promise.all([
      readJson(join(directory, 'tree.json'), TreeRecord),
      stat(directory).catch(() => null),
    ]);
    return { name, bytes: record?.bytes ?? 0, usedAtMs: found?.mtimeMs ?? 0 };
  }

  private async isUsed(tree: string, among = USERS): Promise<boolean> {
    const users = join(tree, among);
    for (const name of await namesIn(users)) {
      if (await isLiving(join(users, name))) return true;
      await rm(join(users, name), { force: true });
    }
    return false;
  }

  /** A tree that somebody uses stays where it is, all the time. Whoever would claim it meanwhile finds that nobody may. */
  private async removeUnused(name: string): Promise<boolean> {
    const tree = join(this.trees, name);
    if (await this.isUsed(tree)) return false;
    const draft = join(this.unfinished, draftName());
    await mkdir(draft, { recursive: true, mode: 0o700 });
    try {
      const closed = await this.close(tree);
      if (closed === null) return !existsSync(tree);
      const isWanted = await this.isUsed(tree, closed);
      await (isWanted ? rename(join(tree, closed), join(tree, USERS)) : rename(tree, join(draft, 'tree')));
      return !isWanted;
    } finally {
      await removeTree(draft);
    }
  }

  /** Of several who would remove a tree one may. What one that died has closed is another's to go on with. Null for all others. */
  private async close(tree: string): Promise<string | null> {
    const closed = `${CLOSED}${draftName()}`;
    const left = (await namesIn(tree)).filter(
      (each) => each.startsWith(CLOSED) && !isDraftOfLiving(each.slice(CLOSED.length)),
    );
    for (const each of [USERS, ...left]) {
      const isClosed = await rename(join(tree, each), join(tree, closed)).then(
        () => true,
        () => false,
      );
      if (isClosed) return closed;
    }
    return null;
  }
}
