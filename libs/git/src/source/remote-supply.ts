import type { CloneUrl, Credential } from '../clone-url.ts';
import { fetchCommit } from '../fetch-commit.ts';
import { failed, type GitResult } from '../git-error.ts';
import type { Git } from '../git.ts';
import type { Protocol } from '../hygiene.ts';
import { packBytesOf } from '../mirror-directory.ts';
import { oneSafeLine } from '../text-for-people.ts';
import type { SourceSupply } from './complete-source.ts';
import type { LfsCache } from './lfs-cache.ts';
import { fetchLfsObjects } from './lfs-server.ts';
import { sameOwner, submoduleRemote } from './submodule-remote.ts';

export interface RemoteSupplyOptions {
  readonly tested: CloneUrl;
  /** Reads the tested repository. */
  readonly credential: Credential | undefined;
  /** Whether it may be shown to its host for other repositories of the same owner, of which a change can name any. */
  readonly credentialForSubmodules: boolean;
  readonly protocols: readonly Protocol[];
  /** Hosts besides the tested repository's that sources may come from, also at addresses that are not public. */
  readonly hosts: readonly string[];
  readonly cache: LfsCache | null;
  /** For each transfer. */
  readonly timeLimitMs: number;
  /** Of all submodules together, packed. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** Supplies a source from the remotes that its trees name, as far as these may be asked. */
export function remoteSupply(git: Git, options: RemoteSupplyOptions): SourceSupply<CloneUrl> {
  const { tested, protocols, cache, timeLimitMs, signal } = options;
  const hosts = options.hosts.map((host) => host.toLowerCase());
  const policyBeside = (known: readonly string[]) => ({ kind: 'public_only', alsoHosts: known }) as const;
  let bytesLeft = options.maxBytes;
  const credentialFor = (remote: CloneUrl): Credential | undefined => {
    if (remote.url === tested.url) return options.credential;
    return options.credentialForSubmodules && sameOwner(tested, remote) ? options.credential : undefined;
  };
  return {
    submodule: async ({ url, commit }, heldBy, gitDir) => {
      const remote = submoduleRemote(tested, heldBy, url, { protocols, hosts });
      if (!remote.ok) return remote;
      const addressPolicy = policyBeside([tested.host, ...hosts]);
      const access = { remote: remote.value, credential: credentialFor(remote.value), addressPolicy };
      const limits = { maxBytes: bytesLeft, timeLimitMs, signal };
      const fetched = await fetchCommit(git, { access, commit, ref: null, gitDir, ...limits });
      bytesLeft = Math.max(0, bytesLeft - (await packBytesOf(gitDir)));
      return fetched.ok ? remote : whyNot(remote.value, fetched);
    },
    lfs: async (objects, remote, directory) => {
      if (objects.length === 0) return { ok: true, value: undefined };
      if (goesThroughProxy(git)) return failed('lfs_unavailable', 'files of Git LFS are not fetched through a proxy');
      const terms = {
        protocols,
        ownOrigin: new URL(remote.url).origin,
        addressPolicy: policyBeside(hosts),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeLimitMs)]),
      };
      return fetchLfsObjects({ remote, credential: credentialFor(remote), terms, cache }, objects, directory);
    },
  };
}

function whyNot({ url }: CloneUrl, { error }: Extract<GitResult<void>, { ok: false }>): GitResult<never> {
  const shut = error.code === 'access_denied' || error.code === 'repository_not_found';
  const hint = shut ? '; no credential of this job reads it' : '';
  return failed(error.code, `${oneSafeLine(url, 300)}: ${error.message}${hint}`, error.stderr);
}

function goesThroughProxy({ environment }: Git): boolean {
  return ['HTTPS_PROXY', 'https_proxy', 'http_proxy'].some((name) => Boolean(environment[name]));
}
