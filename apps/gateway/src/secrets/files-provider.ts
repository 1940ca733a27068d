import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { SECRET_BYTES_MAX } from '@delta-ci/service';
import { textOf } from './secret-text.ts';
import { notFound, type Found, type SecretProvider } from './secret-provider.ts';

/** Files of a directory, one value each: what container engines and orchestrators mount. A place is a path below it. */
export class FilesProvider implements SecretProvider {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async find(place: string): Promise<Found> {
    try {
      const bytes = await readSmall(join(this.#directory, place));
      return bytes === null ? notFound(`the file is none, or has more than ${SECRET_BYTES_MAX} bytes`) : valueOf(bytes);
    } catch (error) {
      return notFound(`the file cannot be read (${codeOf(error)})`);
    }
  }

  whyNoPlace(place: string): string | null {
    const parts = place.split('/');
    const plain = parts.every((part) => /^[A-Za-z0-9._-]{1,100}$/.test(part) && part !== '.' && part !== '..');
    return plain && place.length <= 1_000 ? null : 'expected the path of a file below the directory';
  }
}

/** The content of a file; null when it is not a file, or too large for a secret. */
async function readSmall(path: string): Promise<Uint8Array | null> {
  const file = await open(path, 'r');
  try {
    const facts = await file.stat();
    if (!facts.isFile() || facts.size > SECRET_BYTES_MAX + 2) return null;
    const room = Buffer.alloc(SECRET_BYTES_MAX + 3);
    const { bytesRead } = await file.read(room, 0, room.length, 0);
    return bytesRead === room.length ? null : room.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Editors end a file with a line feed, which is no part of the value. */
function valueOf(bytes: Uint8Array): Found {
  const found = textOf(bytes);
  return found.ok ? { ok: true, value: found.value.replace(/\r?\n$/, '') } : found;
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
}
