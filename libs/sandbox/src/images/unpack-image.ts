import { lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { applyLayer, type StoredLayer, type Unpacking } from './apply-layer.ts';
import { ETC_OF_A_SANDBOX, LOADER_PRELOADS } from './etc-of-a-sandbox.ts';
import type { ImageLimits } from './image-limits.ts';
import { refused } from './image-refused.ts';
import type { TreeRecord } from './image-store.ts';
import { LayerTree } from './layer-tree.ts';

/** What is to become one tree. */
export type UnpackOrder = {
  /** In this order. Each file is removed once it is unpacked. */
  readonly layers: readonly StoredLayer[];
  /** An empty directory that nobody else can reach. */
  readonly rootfs: string;
  readonly limits: ImageLimits;
  /** Whether everybody may write what its owner may write: where every job has a user id of its own. */
  readonly sharedByModes: boolean;
};

const isDirectory = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/**
 * Makes places for what is laid over an image's own files, and a `/var/tmp` that is the job's. They are plain files of ours, so
 * that no link of the image decides where something is mounted.
 */
function makePlaces(rootfs: string): void {
  const etc = join(rootfs, 'etc');
  if (lstatSync(etc, { throwIfNoEntry: false }) === undefined) mkdirSync(etc, { mode: 0o755 });
  if (!isDirectory(etc)) throw refused('the /etc of the image is no directory');
  const preloads = lstatSync(join(etc, LOADER_PRELOADS), { throwIfNoEntry: false });
  for (const name of [...ETC_OF_A_SANDBOX, ...(preloads === undefined ? [] : [LOADER_PRELOADS])]) {
    rmSync(join(etc, name), { recursive: true, force: true });
    writeFileSync(join(etc, name), '', { flag: 'wx', mode: 0o644 });
  }
  if (!isDirectory(join(rootfs, 'var'))) return;
  rmSync(join(rootfs, 'var', 'tmp'), { recursive: true, force: true });
  symlinkSync('../tmp', join(rootfs, 'var', 'tmp'));
}

/**
 * Unpacks the layers of an image over one another. What it does to the disk it does synchronously, and that may take as long as a
 * hostile image wants: it is for a thread that has nothing else to do.
 *
 * @throws ImageRefused, or what the host refuses (a full disk)
 */
export async function unpackImage({ layers, rootfs, limits, sharedByModes }: UnpackOrder): Promise<TreeRecord> {
  const tree = new LayerTree();
  const unpacking: Unpacking = { root: rootfs, tree, limits, sharedByModes, unpackedBytes: 0, entries: 0 };
  for (const layer of layers) {
    await applyLayer(layer, unpacking);
    await rm(layer.file);
  }
  if (tree.find('bin/sh')?.kind !== 'file') throw refused('the image has no /bin/sh, which steps are run by');
  makePlaces(rootfs);
  // Made after the tree was looked at: nothing of the image is called so.
  const top = tree.top().filter(({ name }) => name !== 'etc');
  return {
    bytes: unpacking.unpackedBytes,
    entries: unpacking.entries,
    top: [...top, { name: 'etc', kind: 'directory', target: null }],
  };
}
