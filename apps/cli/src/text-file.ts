import { open, writeFile } from 'node:fs/promises';
import { errorCode, errorMessage } from './error-code.ts';
import { Problem } from './problem.ts';

/** More than any file that people write by hand: what is larger was named by mistake. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;

/** The text of a file; null when there is none. @throws Problem `file_unreadable` for what is no file, or too large */
export async function textOfFile(path: string): Promise<string | null> {
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw new Problem('file_unreadable', `${path} cannot be read: ${error.code ?? error.message}`);
  });
  if (handle === null) return null;
  try {
    const facts = await handle.stat();
    if (!facts.isFile()) throw new Problem('file_unreadable', `${path} is not a file`);
    if (facts.size > FILE_BYTES_MAX) throw new Problem('file_unreadable', `${path} has ${facts.size} bytes`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** Writes a file that is not there yet. @throws Problem `file_unwritable`, also when it exists */
export async function writeNewFile(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flag: 'wx' }).catch((error: unknown) => {
    const why = errorCode(error) === 'EEXIST' ? 'it exists already' : (errorCode(error) ?? errorMessage(error));
    throw new Problem('file_unwritable', `${path} cannot be written: ${why}`);
  });
}
