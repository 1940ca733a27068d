import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ERROR_MESSAGE_CHARS_MAX,
  type InfrastructureError,
  type LeaseOffer,
  type SourceAccess,
} from '@delta-ci/contracts';
import { COMMIT_TREE, DOWNLOADED_PACK } from '@delta-ci/sandbox';
import {
  completeSource,
  downloadCommit,
  fetchCommit,
  parseCloneUrl,
  remoteSupply,
  RepositoryReader,
  type CloneUrl,
  type Credential,
  type Git,
  type LfsCache,
  type PackCache,
  type Protocol,
} from '@delta-ci/git';
import type { Logger } from '@delta-ci/service';

/** What a runner allows of sources. */
export interface SourceTerms {
  readonly protocols: readonly Protocol[];
  /** Hosts besides a repository's own that its submodules and files of Git LFS may come from. */
  readonly hosts: readonly string[];
  readonly lfsCache: LfsCache | null;
  readonly packCache: PackCache | null;
}

/** What fetching needs of a runner. */
export interface SourceTools {
  readonly git: Git;
  readonly sources: SourceTerms;
  readonly logger: Logger;
}

/** A shallow fetch of the largest repositories takes a few minutes on a slow link. */
const FETCH_MS = 10 * 60_000;

/** For all submodules and files of Git LFS together, however many there are. */
const BESIDE_MS = 20 * 60_000;

/** As large as anybody tests: a pack of one commit, and those of all its submodules together. */
const PACK_BYTES_MAX = 4 * 1024 ** 3;

export type FetchedSource = { ok: true } | { ok: false; error: InfrastructureError };

/**
 * Fetches exactly the tested commit, shallow and by its id, into `gitDir`, an empty directory: its pack as it comes where
 * the remote gives it in one answer, and a bare repository where git has to fetch. Only objects travel: nothing is checked
 * out, no hook or filter runs, and the credential is used for this fetch and written nowhere. Whether the commit has the
 * planned tree is looked at where it is checked out.
 *
 * A job that wants submodules or files of Git LFS gets them beside the commit. What they are is read from the tested tree,
 * which therefore has to be the planned one before anybody else is asked for anything.
 */
export async function fetchSource(
  tools: SourceTools,
  lease: Pick<LeaseOffer, 'source' | 'job' | 'trust'>,
  gitDir: string,
  signal: AbortSignal,
): Promise<FetchedSource> {
  const { git, sources: terms } = tools;
  const url = parseCloneUrl(lease.source.cloneUrl, terms.protocols);
  if (!url.ok) return unavailable(url.error.message);
  const fetching: Fetching = { git, access: lease.source, remote: url.value, gitDir, signal };
  const wishes = lease.job.source;
  if (wishes === undefined) return (await download(fetching, tools)) ? { ok: true } : fetchByGit(fetching);
  const fetched = await fetchByGit(fetching);
  if (!fetched.ok) return fetched;
  const mismatch = await treeMismatch(fetching);
  if (mismatch !== null) return { ok: false, error: mismatch };
  const within = AbortSignal.any([signal, AbortSignal.timeout(BESIDE_MS)]);
  const supply = remoteSupply(git, {
    tested: url.value,
    credential: credentialOf(lease.source),
    // A stranger's change could name any repository of the owner, and show what is in it.
    credentialForSubmodules: lease.trust === 'trusted',
    protocols: terms.protocols,
    hosts: terms.hosts,
    cache: terms.lfsCache,
    timeLimitMs: FETCH_MS,
    maxBytes: PACK_BYTES_MAX,
    signal: within,
  });
  const source = { gitDir, commit: lease.source.commit, repository: url.value };
  const completed = await completeSource(git, source, wishes, supply, within);
  await terms.lfsCache?.sweep(Date.now());
  return completed.ok ? { ok: true } : unavailable(completed.error.message);
}

interface Fetching {
  readonly git: Git;
  readonly access: SourceAccess;
  readonly remote: CloneUrl;
  readonly gitDir: string;
  readonly signal: AbortSignal;
}

async function download(
  { git, access, remote, gitDir, signal }: Fetching,
  { sources: { packCache }, logger }: SourceTools,
): Promise<boolean> {
  const { commit } = access;
  const credential = credentialOf(access);
  const packFile = join(gitDir, DOWNLOADED_PACK);
  // Before the pack: whoever finds one finds it complete.
  await writeFile(join(gitDir, 'shallow'), `${commit}\n`);
  const ask = async () =>
    downloadCommit(git, {
      remote,
      commit,
      packFile,
      authorization: credential === undefined ? null : `Basic ${base64Of(credential)}`,
      maxBytes: PACK_BYTES_MAX,
      timeLimitMs: FETCH_MS,
      signal,
      // Every job of such a remote is asked for twice, and takes longer for it.
      onTrouble: (error) => logger.warn({ event: 'source-not-downloaded', err: error }, 'git fetches it instead'),
    });
  const downloaded =
    packCache === null ? await ask() : await packCache.obtain({ remote, commit, packFile, signal }, ask);
  if (downloaded === null) await rm(join(gitDir, 'shallow'));
  else if (downloaded.tree !== null) await writeFile(join(gitDir, COMMIT_TREE), `${downloaded.tree}\n`);
  return downloaded !== null;
}

async function fetchByGit({ git, access, remote, gitDir, signal }: Fetching): Promise<FetchedSource> {
  const fetched = await fetchCommit(git, {
    // The planner went by the forge settings when it judged where this repository is.
    access: { remote, credential: credentialOf(access), addressPolicy: { kind: 'any' } },
    commit: access.commit,
    ref: access.ref,
    gitDir,
    maxBytes: PACK_BYTES_MAX,
    timeLimitMs: FETCH_MS,
    signal,
  });
  return fetched.ok ? { ok: true } : unavailable(fetched.error.message);
}

async function treeMismatch({ git, access, gitDir }: Fetching): Promise<InfrastructureError | null> {
  const { commit, tree } = access;
  const reader = new RepositoryReader(git, gitDir);
  try {
    const found = await reader.treeId(commit);
    if (found.ok && found.value === tree) return null;
    return { code: 'tree_mismatch', message: `commit ${commit} has not the tree ${tree} of the plan` };
  } finally {
    await reader.close();
  }
}

/** What forges take as the user name beside a token: GitHub asks for it, others do not look at it. */
const TOKEN_USER = 'x-access-token';

function credentialOf({ token }: SourceAccess): Credential | undefined {
  return token === null ? undefined : { username: TOKEN_USER, password: token };
}

function base64Of({ username, password }: Credential): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}

function unavailable(message: string): FetchedSource {
  return { ok: false, error: { code: 'source_unavailable', message: message.slice(0, ERROR_MESSAGE_CHARS_MAX) } };
}
