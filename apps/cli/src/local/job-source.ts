import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Git } from '@delta-ci/git';
import type { JobSource } from '@delta-ci/sandbox';
import { valueOf } from './git-answers.ts';
import type { LocalChange } from './local-change.ts';

/** Packing half a million files on a slow disk. */
const PACK_MS = 10 * 60_000;

/**
 * A bare repository with nothing but the tested commit: what a runner would have fetched. Jobs see it read-only, and
 * none of the person's repository: neither its history nor its configuration.
 */
export async function makeJobSource(
  git: Git,
  { commit, tree, snapshot }: LocalChange,
  directory: string,
  signal: AbortSignal,
): Promise<JobSource> {
  const gitDir = join(directory, 'source.git');
  const format = commit.length === 64 ? 'sha256' : 'sha1';
  const flags = ['--quiet', '--bare', '--template=', `--object-format=${format}`];
  valueOf(await git.run({ command: 'init', flags, operands: [gitDir] }, { signal }));
  await mkdir(join(gitDir, 'objects', 'pack'), { recursive: true });
  valueOf(
    await git.run(
      {
        command: 'pack-objects',
        flags: ['--revs', '--quiet', '--delta-base-offset'],
        operands: [join(gitDir, 'objects', 'pack', 'pack')],
      },
      {
        gitDir: snapshot.reader.gitDir,
        input: Buffer.from(`--shallow ${commit}\n${commit}\n`),
        timeLimitMs: PACK_MS,
        signal,
      },
    ),
  );
  await writeFile(join(gitDir, 'shallow'), `${commit}\n`);
  return { gitDir, commit, tree };
}
