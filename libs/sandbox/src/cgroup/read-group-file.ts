import { readFile } from 'node:fs/promises';

/** What a file of a control group says; null where the kernel has no such file. */
export async function readOrNull(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return null;
  }
}
