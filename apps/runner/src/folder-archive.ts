import { pack } from 'tar-stream';
import type { CollectedFile } from '@delta-ci/sandbox';

/** The most that an entry takes besides its content and its name: two headers, and what fills up to whole blocks after each. */
const ENTRY_BYTES_MAX = 4 * 512;

/**
 * Files of a folder as one tar archive. The same files give the same bytes: no times, no owners, in the order in which they
 * come. Held in memory, up to a bound.
 */
export class FolderArchive {
  readonly #pack = pack();
  readonly #parts: Buffer[] = [];
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#pack.on('data', (part) => this.#parts.push(part as Buffer));
  }

  /** Whether files were left out because all together are more than the bound. */
  get isOver(): boolean {
    return this.#bytes > this.#bytesMax;
  }

  async add({ path, sizeBytes, executable, content }: CollectedFile): Promise<void> {
    this.#bytes += ENTRY_BYTES_MAX + Buffer.byteLength(path) + sizeBytes;
    if (this.isOver) {
      this.#parts.length = 0;
      return;
    }
    // A file that shrank while it was read is as long as what was read of it.
    const read = await contentOf({ sizeBytes, content });
    const head = { name: path, size: read.length, mode: executable ? 0o755 : 0o644, mtime: NO_TIME };
    await new Promise<void>((resolve, reject) => {
      this.#pack.entry(head, Buffer.from(read.buffer, read.byteOffset, read.length), (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  /** The archive, whose parts are given up for it. */
  async finish(): Promise<Uint8Array<ArrayBuffer>> {
    const ended = new Promise<void>((resolve, reject) => {
      this.#pack.once('end', resolve).once('error', reject);
    });
    this.#pack.finalize();
    await ended;
    return Buffer.concat(this.#parts.splice(0));
  }
}

const NO_TIME = new Date(0);

/** All of a collected file, in memory once. */
export async function contentOf({
  sizeBytes,
  content,
}: Pick<CollectedFile, 'sizeBytes' | 'content'>): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(sizeBytes);
  let at = 0;
  for await (const part of content) {
    whole.set(part, at);
    at += part.length;
  }
  return whole.subarray(0, at);
}
