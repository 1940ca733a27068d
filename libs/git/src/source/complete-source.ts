import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SOURCE_LAYOUT, type SourceRequest } from '@delta-ci/contracts';
import { done, failed, type GitError, type GitResult } from '../git-error.ts';
import type { Git } from '../git.ts';
import { RepositoryReader } from '../repository-reader.ts';
import { oneSafeLine } from '../text-for-people.ts';
import type { TreeEntry } from '../tree-listing.ts';
import { complaintAboutPlace, declaredSubmodules, type DeclaredSubmodule } from './declared-submodules.ts';
import { lfsFilesOf } from './lfs-files.ts';
import type { LfsPointer } from './lfs-pointer.ts';

/** A submodule as the tree that holds it wants it. */
export interface WantedSubmodule {
  /** From the tested tree's root. */
  readonly path: string;
  /** From the root of the repository that holds it. */
  readonly pathThere: string;
  /** As `.gitmodules` has it: anything. */
  readonly url: string;
  readonly commit: string;
}

/** Where what is missing comes from. `R` is what the supply knows a repository by. */
export interface SourceSupply<R> {
  /** Makes `gitDir` (missing) a bare repository that has the commit. */
  readonly submodule: (wanted: WantedSubmodule, heldBy: R, gitDir: string) => Promise<GitResult<R>>;
  /** Puts objects into the directory, as files by their digests. */
  readonly lfs: (objects: readonly LfsPointer[], of: R, directory: string) => Promise<GitResult<void>>;
}

export interface IncompleteSource<R> {
  /** A bare repository with the tested commit; gets everything else. */
  readonly gitDir: string;
  readonly commit: string;
  readonly repository: R;
}

const SUBMODULES_MAX = 100;
/** Of submodules within submodules. */
const NESTING_MAX = 5;
const GITMODULES_BYTES_MAX = 256 * 1_024;
const LFS_BYTES_MAX = 4 * 1_024 ** 3;

interface Progress {
  submodules: number;
  readonly lines: string[];
  readonly objects: Set<string>;
  lfsBytes: number;
}

interface Holder<R> extends IncompleteSource<R> {
  /** Of its root in the tested tree, with a slash behind it; empty for the tested repository itself. */
  readonly prefix: string;
  readonly depth: number;
}

/**
 * Brings what the tested commit refers to and does not hold: commits of submodules as repositories of their own in `modules/`,
 * objects of Git LFS, and what belongs where, as `SOURCE_LAYOUT` says. Trees and their `.gitmodules` are read as data;
 * nothing is checked out. All of it is bounded, and each refusal names the path it is about.
 */
export async function completeSource<R>(
  git: Git,
  source: IncompleteSource<R>,
  wishes: SourceRequest,
  supply: SourceSupply<R>,
  signal: AbortSignal,
): Promise<GitResult<void>> {
  const progress: Progress = { submodules: 0, lines: [], objects: new Set(), lfsBytes: 0 };
  const work: Work<R> = { git, top: source.gitDir, wishes, supply, signal, progress };
  await mkdir(join(source.gitDir, 'modules'), { recursive: true });
  await mkdir(join(source.gitDir, SOURCE_LAYOUT.lfsObjects), { recursive: true });
  const waiting: Holder<R>[] = [{ ...source, prefix: '', depth: 0 }];
  for (let holder = waiting.shift(); holder !== undefined; holder = waiting.shift()) {
    const reader = new RepositoryReader(git, holder.gitDir);
    try {
      const held = await complete(work, reader, holder);
      if (!held.ok) return held;
      waiting.push(...held.value);
    } finally {
      await reader.close();
    }
  }
  await writeFile(join(source.gitDir, SOURCE_LAYOUT.submodules), progress.lines.join(''));
  return done(undefined);
}

interface Work<R> {
  readonly git: Git;
  readonly top: string;
  readonly wishes: SourceRequest;
  readonly supply: SourceSupply<R>;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

async function complete<R>(
  work: Work<R>,
  reader: RepositoryReader,
  holder: Holder<R>,
): Promise<GitResult<Holder<R>[]>> {
  const { wishes, signal } = work;
  const listed = await reader.listTree(holder.commit, { sizes: wishes.lfs === true, signal });
  if (!listed.ok) return listed;
  if (wishes.lfs === true) {
    const brought = await bringLfs(work, reader, holder, listed.value);
    if (!brought.ok) return brought;
  }
  const enters = wishes.submodules === 'recursive' || (wishes.submodules === 'direct' && holder.depth === 0);
  return enters ? bringSubmodules(work, reader, holder, listed.value) : done([]);
}

async function bringLfs<R>(
  { git, top, supply, signal, progress }: Work<R>,
  reader: RepositoryReader,
  { gitDir, commit, repository }: Holder<R>,
  entries: readonly TreeEntry[],
): Promise<GitResult<void>> {
  const files = await lfsFilesOf(git, reader, commit, entries, signal);
  if (!files.ok) return files;
  const missing = new Map(files.value.filter(({ oid }) => !progress.objects.has(oid)).map((file) => [file.oid, file]));
  const objects = [...missing.values()];
  progress.lfsBytes += objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (progress.lfsBytes > LFS_BYTES_MAX)
    return failed('repository_too_large', `files of Git LFS have more than ${LFS_BYTES_MAX} bytes`);
  const brought = await supply.lfs(objects, repository, join(top, SOURCE_LAYOUT.lfsObjects));
  if (!brought.ok) return brought;
  for (const oid of missing.keys()) progress.objects.add(oid);
  await writeFile(
    join(gitDir, SOURCE_LAYOUT.lfsFiles),
    files.value.map(({ oid, path }) => `${oid} ${path}\n`).join(''),
  );
  return done(undefined);
}

async function bringSubmodules<R>(
  work: Work<R>,
  reader: RepositoryReader,
  holder: Holder<R>,
  entries: readonly TreeEntry[],
): Promise<GitResult<Holder<R>[]>> {
  const links = entries.filter(({ type }) => type === 'submodule');
  if (links.length === 0) return done([]);
  if (holder.depth >= NESTING_MAX)
    return failed(
      'invalid_submodule',
      `submodules within submodules go deeper than ${NESTING_MAX}, at ${holder.prefix}`,
    );
  const declared = await readDeclared(work, reader, entries);
  if (!declared.ok) return about(holder.prefix, declared);
  const brought: Holder<R>[] = [];
  for (const { path, blobId: commit } of links) {
    const one = await bringSubmodule(work, holder, { path, commit, declared: declared.value.get(path) });
    if (!one.ok) return about(holder.prefix + path, one);
    brought.push(one.value);
  }
  return done(brought);
}

async function readDeclared<R>(
  { git, signal }: Work<R>,
  reader: RepositoryReader,
  entries: readonly TreeEntry[],
): Promise<GitResult<ReadonlyMap<string, DeclaredSubmodule>>> {
  const file = entries.find(({ path }) => path === '.gitmodules');
  if (file === undefined) return done(new Map());
  if (file.type !== 'file' && file.type !== 'executable')
    return failed('invalid_submodule', '.gitmodules is no ordinary file');
  const caps = { maxBlobBytes: GITMODULES_BYTES_MAX, maxTotalBytes: GITMODULES_BYTES_MAX };
  const read = await reader.readBlobs([file.blobId], caps, { signal });
  if (!read.ok) return read;
  if (read.value[0]?.kind !== 'content')
    return failed('invalid_submodule', `.gitmodules has more than ${GITMODULES_BYTES_MAX} bytes`);
  const command = { command: 'config', flags: ['--null', '--list', '--no-includes', `--blob=${file.blobId}`] };
  const listing = await git.run(command, { gitDir: reader.gitDir, signal });
  if (!listing.ok) return failed('invalid_submodule', `.gitmodules cannot be read: ${listing.error.message}`);
  return declaredSubmodules(listing.value.stdout);
}

async function bringSubmodule<R>(
  { top, supply, progress }: Work<R>,
  holder: Holder<R>,
  { path, commit, declared }: { path: string; commit: string; declared: DeclaredSubmodule | undefined },
): Promise<GitResult<Holder<R>>> {
  const complaint = complaintAboutPlace(path);
  if (complaint !== null) return failed('invalid_submodule', `it ${complaint}`);
  if (declared === undefined) return failed('invalid_submodule', 'no .gitmodules says where it comes from');
  progress.submodules += 1;
  if (progress.submodules > SUBMODULES_MAX)
    return failed('too_many_entries', `more than ${SUBMODULES_MAX} submodules are not fetched`);
  const place = `modules/${progress.submodules}.git`;
  const gitDir = join(top, place);
  const wanted = { path: holder.prefix + path, pathThere: path, url: declared.url, commit };
  const repository = await supply.submodule(wanted, holder.repository, gitDir);
  if (!repository.ok) return repository;
  const depth = holder.depth + 1;
  progress.lines.push(`${depth} ${commit} ${place} ${wanted.path}\n`);
  return done({ gitDir, commit, repository: repository.value, prefix: `${wanted.path}/`, depth });
}

function about(path: string, { error }: { readonly error: GitError }): GitResult<never> {
  if (path === '') return { ok: false, error };
  return failed(error.code, `submodule ${oneSafeLine(path, 300)}: ${error.message}`, error.stderr);
}
