import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { done, failed, type GitResult } from '../git-error.ts';
import type { Git } from '../git.ts';
import { encodePath } from '../path-bytes.ts';
import type { RepositoryReader } from '../repository-reader.ts';
import { oneSafeLine } from '../text-for-people.ts';
import type { TreeEntry } from '../tree-listing.ts';
import { complaintAboutPlace } from './declared-submodules.ts';
import { parseLfsPointer, POINTER_BYTES_MAX, type LfsPointer } from './lfs-pointer.ts';

/** A file of a tree whose content Git LFS keeps elsewhere. */
export interface LfsFile extends LfsPointer {
  readonly path: string;
}

/** As many as one repository may have; the largest public ones have some thousands. */
const LFS_FILES_MAX = 10_000;

/**
 * The files of a commit that Git LFS keeps: those its `.gitattributes` name, as far as they hold a pointer. Others that are
 * named lie in the tree themselves, and stay as they are.
 * @param entries of the commit, with their sizes
 */
export async function lfsFilesOf(
  git: Git,
  reader: RepositoryReader,
  commit: string,
  entries: readonly TreeEntry[],
  signal: AbortSignal,
): Promise<GitResult<readonly LfsFile[]>> {
  if (!entries.some(({ path }) => /(?:^|\/)\.gitattributes$/u.test(path))) return done([]);
  const small = entries.filter(
    ({ type, sizeBytes = Infinity }) => (type === 'file' || type === 'executable') && sizeBytes < POINTER_BYTES_MAX,
  );
  const named = await namedByAttributes(git, reader.gitDir, commit, small, signal);
  if (!named.ok) return named;
  if (named.value.length > LFS_FILES_MAX)
    return failed('too_many_entries', `more than ${LFS_FILES_MAX} files are kept by Git LFS`);
  const caps = { maxBlobBytes: POINTER_BYTES_MAX, maxTotalBytes: LFS_FILES_MAX * POINTER_BYTES_MAX };
  const blobs = await reader.readBlobs(
    named.value.map(({ blobId }) => blobId),
    caps,
    { signal },
  );
  if (!blobs.ok) return blobs;
  const files: LfsFile[] = [];
  for (const [at, { path }] of named.value.entries()) {
    const blob = blobs.value[at];
    const pointer = blob?.kind === 'content' ? parseLfsPointer(blob.content) : null;
    if (pointer === null) continue;
    const complaint = complaintAboutPlace(path);
    if (complaint !== null)
      return failed('invalid_path', `a file of Git LFS, "${oneSafeLine(path, 200)}", ${complaint}`);
    files.push({ path, ...pointer });
  }
  return done(files);
}

/** Asked of git itself, over an index of the commit's own: patterns have rules that nobody should know twice. */
async function namedByAttributes(
  git: Git,
  gitDir: string,
  commit: string,
  entries: readonly TreeEntry[],
  signal: AbortSignal,
): Promise<GitResult<TreeEntry[]>> {
  const indexFile = join(gitDir, 'attributes-index');
  try {
    const context = { gitDir, indexFile, signal };
    const read = await git.run({ command: 'read-tree', operands: [commit] }, context);
    if (!read.ok) return read;
    const input = nulTerminated(entries);
    if (!input.ok) return input;
    const command = { command: 'check-attr', flags: ['--cached', '-z', '--stdin', 'filter'] };
    const answer = await git.run(command, { ...context, input: input.value });
    if (!answer.ok) return answer;
    // Path, attribute and value of each, in the order asked.
    const values = answer.value.stdout.toString('latin1').split('\0');
    return done(entries.filter((_, at) => values[at * 3 + 2] === 'lfs'));
  } finally {
    await rm(indexFile, { force: true });
  }
}

function nulTerminated(entries: readonly TreeEntry[]): GitResult<Buffer> {
  const pieces: Buffer[] = [];
  for (const { path } of entries) {
    const bytes = encodePath(path);
    if (!bytes.ok) return bytes;
    pieces.push(bytes.value, Buffer.of(0));
  }
  return done(Buffer.concat(pieces));
}
