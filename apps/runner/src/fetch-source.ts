import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InfrastructureError, SourceAccess } from '@delta-ci/contracts';
import { DOWNLOADED_PACK } from '@delta-ci/sandbox';
import {
  downloadCommit,
  layOutBareRepository,
  parseCloneUrl,
  type ConfigSetting,
  type Git,
  type Protocol,
} from '@delta-ci/git';

/** A shallow fetch of the largest repositories takes a few minutes on a slow link. */
const FETCH_MS = 10 * 60_000;

/** Of a job's own repository nothing has to survive a crash, and there is nothing to tend in it. */
const THROW_AWAY: readonly ConfigSetting[] = [['core.fsync', 'none']];

const FLAGS = ['--quiet', '--depth=1', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance'];

/** As large a pack of one commit as anybody tests; beyond it git fetches, which the time limit ends. */
const PACK_BYTES_MAX = 4 * 1024 ** 3;

export type FetchedSource = { ok: true } | { ok: false; error: InfrastructureError };

/**
 * Fetches exactly the tested commit, shallow and by its id, into `gitDir`, an empty directory: its pack as it comes where
 * the remote gives it in one answer, and a bare repository where git has to fetch. Only objects travel: nothing is checked
 * out, no hook or filter runs, and the credential is used for this one fetch and written nowhere. Whether the commit has the
 * planned tree is looked at where it is checked out.
 */
export async function fetchSource(
  git: Git,
  access: SourceAccess,
  gitDir: string,
  protocols: readonly Protocol[],
  signal: AbortSignal,
): Promise<FetchedSource> {
  const { cloneUrl, commit, token } = access;
  const url = parseCloneUrl(cloneUrl, protocols);
  if (!url.ok) return unavailable(url.error.message);
  // Before the pack: whoever finds one finds it complete.
  await writeFile(join(gitDir, 'shallow'), `${commit}\n`);
  const downloaded = await downloadCommit(git, {
    remote: url.value,
    commit,
    packFile: join(gitDir, DOWNLOADED_PACK),
    authorization: token === null ? null : `Bearer ${token}`,
    maxBytes: PACK_BYTES_MAX,
    timeLimitMs: FETCH_MS,
    signal,
  });
  if (downloaded) return { ok: true };
  await rm(join(gitDir, 'shallow'));
  return fetchByGit(git, access, gitDir, protocols, signal);
}

async function fetchByGit(
  git: Git,
  { cloneUrl, commit, token }: SourceAccess,
  gitDir: string,
  protocols: readonly Protocol[],
  signal: AbortSignal,
): Promise<FetchedSource> {
  await layOutBareRepository(gitDir, commit.length === 64 ? 'sha256' : 'sha1');
  const fetched = await git.run(
    { command: 'fetch', flags: FLAGS, operands: [cloneUrl, commit] },
    {
      gitDir,
      protocols,
      config: token === null ? THROW_AWAY : [...THROW_AWAY, header(cloneUrl, token)],
      timeLimitMs: FETCH_MS,
      signal,
      secrets: token === null ? [] : [token],
    },
  );
  return fetched.ok ? { ok: true } : unavailable(fetched.error.message);
}

function unavailable(message: string): FetchedSource {
  return { ok: false, error: { code: 'source_unavailable', message: message.slice(0, 5_000) } };
}

/** The credential as a header for this address alone: git would send it nowhere else, not even after a redirect. */
function header(cloneUrl: string, token: string): ConfigSetting {
  return [`http.${new URL(cloneUrl).origin}/.extraHeader`, `Authorization: Bearer ${token}`];
}
