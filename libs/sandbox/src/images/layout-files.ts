import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isNativeError } from 'node:util/types';
import { join, posix } from 'node:path';
import type { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { refused } from './image-refused.ts';

/** Files of an image store by their path in it, whether it is a directory or an archive. */
export type LayoutFiles = {
  /** Null when there is no such file. */
  size(path: string): Promise<number | null>;
  open(path: string): Readable;
};

const isFile = async (path: string): Promise<number | null> => {
  const found = await stat(path).catch(() => null);
  return found?.isFile() === true ? found.size : null;
};

export const filesOfDirectory = (directory: string): LayoutFiles => ({
  size: (path) => isFile(join(directory, path)),
  open: (path) => createReadStream(join(directory, path)),
});

type Extent = { readonly offset: number; readonly bytes: number };

/** Entries that an archive of images may have: its blobs and what names them. */
const ENTRIES_MAX = 100_000;

/** Layers of one content are stored once, and led to by links. */
const throughLinks = (path: string, links: ReadonlyMap<string, string>): string => {
  const target = links.get(path);
  return target === undefined ? path : posix.join(posix.dirname(path), target);
};

async function indexOf(archive: string): Promise<(path: string) => Extent | null> {
  const extents = new Map<string, Extent>();
  const links = new Map<string, string>();
  const parser = extract();
  const source = createReadStream(archive);
  source.once('error', (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    for await (const entry of parser) {
      const { name, type, size, linkname } = entry.header;
      // Where an entry's content begins is told by the parser and missing from its types.
      const { byteOffset } = entry.header as typeof entry.header & { readonly byteOffset: number };
      const path = posix.normalize(name);
      if (type === 'file') extents.set(path, { offset: byteOffset, bytes: size ?? 0 });
      if (type === 'symlink') links.set(path, linkname ?? '');
      if (extents.size + links.size > ENTRIES_MAX) throw refused(`${archive} has more than ${ENTRIES_MAX} entries`);
      entry.resume();
    }
  } finally {
    source.destroy();
  }
  return (path) => extents.get(throughLinks(path, links)) ?? null;
}

/**
 * Files of a tar archive, which is read through once to know where each lies, and then again where it is asked for. Archives
 * that are compressed as a whole cannot be read so and are refused.
 */
export async function filesOfArchive(archive: string): Promise<LayoutFiles> {
  const extentOf = await indexOf(archive).catch((reason: unknown) => {
    throw refused(`${archive} is no plain tar archive (${isNativeError(reason) ? reason.message : String(reason)})`);
  });
  return {
    size: async (path) => extentOf(path)?.bytes ?? null,
    open: (path) => {
      const { offset, bytes } = extentOf(path) ?? { offset: 0, bytes: 0 };
      return createReadStream(archive, { start: offset, end: offset + bytes - 1 });
    },
  };
}
