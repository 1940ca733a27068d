import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** As `git init` writes it; sha256 is an extension, which only the newer format version has. */
function configOf(format: 'sha1' | 'sha256'): string {
  const sha256 = format === 'sha256';
  const core = `[core]\n\trepositoryformatversion = ${sha256 ? 1 : 0}\n\tfilemode = true\n\tbare = true\n`;
  return sha256 ? `${core}[extensions]\n\tobjectFormat = sha256\n` : core;
}

/**
 * Makes an empty bare repository at `gitDir`, which may be there if it is empty: the few files that `git init` writes
 * without a template, for a fraction of what starting it costs.
 */
export async function layOutBareRepository(gitDir: string, format: 'sha1' | 'sha256'): Promise<void> {
  await Promise.all([
    mkdir(join(gitDir, 'objects', 'pack'), { recursive: true }),
    mkdir(join(gitDir, 'refs'), { recursive: true }),
  ]);
  await Promise.all([
    writeFile(join(gitDir, 'HEAD'), 'ref: refs/heads/main\n'),
    writeFile(join(gitDir, 'config'), configOf(format)),
  ]);
}
