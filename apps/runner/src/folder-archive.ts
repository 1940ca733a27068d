import type { CollectedFile } from '@delta-ci/sandbox';

const BLOCK_BYTES = 512;

/**
 * Files of a folder as one archive, in the interchange format of POSIX.1-2017 (`pax`, which every tar reads). The same files
 * give the same bytes: no times, no owners, in the order in which they come. Held in memory, up to a bound.
 */
export class FolderArchive {
  readonly #parts: Uint8Array[] = [];
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Whether files were left out because all together are more than the bound. */
  get isOver(): boolean {
    return this.#bytes > this.#bytesMax;
  }

  async add({ path, sizeBytes, executable, content }: CollectedFile): Promise<void> {
    const long = Buffer.byteLength(path) > NAME_BYTES_MAX || !/^[ -~]*$/u.test(path);
    const pax = long ? paxRecord('path', path) : null;
    const whole = 2 * BLOCK_BYTES + padded(sizeBytes) + (pax === null ? 0 : BLOCK_BYTES + padded(pax.length));
    if (this.#bytes + whole > this.#bytesMax) {
      this.#bytes = this.#bytesMax + 1;
      this.#parts.length = 0;
    }
    if (this.isOver) return;
    if (pax !== null) this.#put(header({ name: 'pax', type: 'x', sizeBytes: pax.length, mode: 0o644 }), pax);
    const read = await contentOf({ sizeBytes, content });
    // A file that shrank while it was read is as long as what was read of it.
    const name = long ? 'file' : path;
    this.#put(header({ name, type: '0', sizeBytes: read.length, mode: executable ? 0o755 : 0o644 }), read);
  }

  /** The archive, whose parts are given up for it: two blocks of nothing end it. */
  finish(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.#bytes + 2 * BLOCK_BYTES);
    let at = 0;
    for (const part of this.#parts.splice(0)) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  #put(head: Buffer, content: Uint8Array): void {
    const padding = Buffer.alloc(padded(content.length) - content.length);
    this.#parts.push(head, content, padding);
    this.#bytes += head.length + content.length + padding.length;
  }
}

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

const padded = (bytes: number): number => Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;

/** Longer names, and those that are not ASCII, stand in a record before the file. */
const NAME_BYTES_MAX = 100;

interface Entry {
  readonly name: string;
  readonly type: '0' | 'x';
  readonly sizeBytes: number;
  readonly mode: number;
}

function header({ name, type, sizeBytes, mode }: Entry): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, at: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'ascii');
  };
  block.write(name, 0, NAME_BYTES_MAX, 'ascii');
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(sizeBytes, 124, 12);
  octal(0, 136, 12);
  block.write(' '.repeat(8), 148, 'ascii');
  block.write(type, 156, 'ascii');
  block.write('ustar\x0000', 257, 'ascii');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'ascii');
  return block;
}

/** `30 path=…\n`, whose number counts all of it, its own digits among them. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return Buffer.from(`${length} ${key}=${value}\n`);
}
