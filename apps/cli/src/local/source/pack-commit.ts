import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Git, GitResult } from '@delta-ci/git';

/** Packing half a million files on a slow disk. */
const PACK_MS = 10 * 60_000;

/** Makes `gitDir` (missing) a bare repository with nothing but one commit of the repository at `from`. */
export async function packCommit(
  git: Git,
  from: string,
  commit: string,
  gitDir: string,
  signal: AbortSignal,
): Promise<GitResult<unknown>> {
  const format = commit.length === 64 ? 'sha256' : 'sha1';
  const flags = ['--quiet', '--bare', '--template=', `--object-format=${format}`];
  const made = await git.run({ command: 'init', flags, operands: [gitDir] }, { signal });
  if (!made.ok) return made;
  await mkdir(join(gitDir, 'objects', 'pack'), { recursive: true });
  const packed = await git.run(
    {
      command: 'pack-objects',
      flags: ['--revs', '--quiet', '--delta-base-offset'],
      operands: [join(gitDir, 'objects', 'pack', 'pack')],
    },
    { gitDir: from, input: Buffer.from(`--shallow ${commit}\n${commit}\n`), timeLimitMs: PACK_MS, signal },
  );
  if (packed.ok) await writeFile(join(gitDir, 'shallow'), `${commit}\n`);
  return packed;
}
