import { join } from 'node:path';
import type { InfrastructureError, SourceAccess } from '@delta-ci/contracts';
import { parseCloneUrl, type ConfigSetting, type Git, type Protocol } from '@delta-ci/git';
import { rm } from 'node:fs/promises';
import type { JobSource } from '@delta-ci/sandbox';

/** A shallow fetch of the largest repositories takes a few minutes on a slow link. */
const FETCH_MS = 10 * 60_000;

export type FetchedSource = { ok: true; source: JobSource } | { ok: false; error: InfrastructureError };

/**
 * Fetches exactly the tested commit, shallow and by its id, into a bare repository of this job. Only objects travel:
 * nothing is checked out, no hook or filter runs, and the credential is used for this one fetch and written nowhere.
 */
export async function fetchSource(
  git: Git,
  access: SourceAccess,
  directory: string,
  protocols: readonly Protocol[],
  signal: AbortSignal,
): Promise<FetchedSource> {
  const url = parseCloneUrl(access.cloneUrl, protocols);
  if (!url.ok) return unavailable(url.error.message);
  const gitDir = join(directory, 'source.git');
  await rm(gitDir, { recursive: true, force: true });
  const format = access.commit.length === 64 ? ['--object-format=sha256'] : [];
  const made = await git.run(
    { command: 'init', flags: ['--quiet', '--bare', '--template=', ...format], operands: [gitDir] },
    { signal },
  );
  if (!made.ok) return unavailable(made.error.message);
  const authorization = access.token === null ? [] : [header(access.cloneUrl, access.token)];
  const fetched = await git.run(
    { command: 'fetch', flags: ['--quiet', '--depth=1', '--no-tags'], operands: [access.cloneUrl, access.commit] },
    {
      gitDir,
      protocols,
      config: authorization,
      timeLimitMs: FETCH_MS,
      signal,
      secrets: access.token === null ? [] : [access.token],
    },
  );
  if (!fetched.ok) return unavailable(fetched.error.message);
  const tree = await git.line(
    { command: 'rev-parse', flags: ['--verify', '--quiet'], operands: [`${access.commit}^{tree}`] },
    { gitDir, signal },
  );
  if (!tree.ok) return unavailable(tree.error.message);
  const found = tree.value.replace(/^--end-of-options\n/, '');
  if (found !== access.tree) {
    const message = `commit ${access.commit} has the tree ${found}, the plan was made for ${access.tree}`;
    return { ok: false, error: { code: 'tree_mismatch', message } };
  }
  return { ok: true, source: { gitDir, commit: access.commit, tree: access.tree } };
}

function unavailable(message: string): FetchedSource {
  return { ok: false, error: { code: 'source_unavailable', message: message.slice(0, 5_000) } };
}

/** The credential as a header for this address alone: git would send it nowhere else, not even after a redirect. */
function header(cloneUrl: string, token: string): ConfigSetting {
  return [`http.${new URL(cloneUrl).origin}/.extraHeader`, `Authorization: Bearer ${token}`];
}
