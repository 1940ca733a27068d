import type { InfrastructureError, SourceAccess } from '@delta-ci/contracts';
import { layOutBareRepository, parseCloneUrl, type ConfigSetting, type Git, type Protocol } from '@delta-ci/git';

/** A shallow fetch of the largest repositories takes a few minutes on a slow link. */
const FETCH_MS = 10 * 60_000;

/** Of a job's own repository nothing has to survive a crash, and there is nothing to tend in it. */
const THROW_AWAY: readonly ConfigSetting[] = [['core.fsync', 'none']];

const FLAGS = ['--quiet', '--depth=1', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance'];

export type FetchedSource = { ok: true } | { ok: false; error: InfrastructureError };

/**
 * Fetches exactly the tested commit, shallow and by its id, into a bare repository of this job at `gitDir`, an empty
 * directory. Only objects travel: nothing is checked out, no hook or filter runs, and the credential is used for this one
 * fetch and written nowhere. Whether the commit has the planned tree is looked at where it is checked out.
 */
export async function fetchSource(
  git: Git,
  access: SourceAccess,
  gitDir: string,
  protocols: readonly Protocol[],
  signal: AbortSignal,
): Promise<FetchedSource> {
  const url = parseCloneUrl(access.cloneUrl, protocols);
  if (!url.ok) return unavailable(url.error.message);
  await layOutBareRepository(gitDir, access.commit.length === 64 ? 'sha256' : 'sha1');
  const authorization = access.token === null ? [] : [header(access.cloneUrl, access.token)];
  const fetched = await git.run(
    { command: 'fetch', flags: FLAGS, operands: [access.cloneUrl, access.commit] },
    {
      gitDir,
      protocols,
      config: [...THROW_AWAY, ...authorization],
      timeLimitMs: FETCH_MS,
      signal,
      secrets: access.token === null ? [] : [access.token],
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
