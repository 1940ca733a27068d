import { parseCloneUrl, type CloneUrl } from '../clone-url.ts';
import { failed, type GitResult } from '../git-error.ts';
import type { Protocol } from '../hygiene.ts';
import { oneSafeLine } from '../text-for-people.ts';

/** Where submodules may come from. */
export interface SubmoduleTerms {
  readonly protocols: readonly Protocol[];
  /** Hosts besides that of the tested repository, lower case; whoever names them vouches for their addresses. */
  readonly hosts: readonly string[];
}

/**
 * Where a submodule is: its URL, or the place that a relative one means beside the repository that declares it. An ssh
 * address of the same host means the repository of that path over the protocol in use, as no key for it is here.
 * Errors: those of `parseCloneUrl`, and `host_refused`.
 */
export function submoduleRemote(
  tested: CloneUrl,
  declaredBy: CloneUrl,
  url: string,
  { protocols, hosts }: SubmoduleTerms,
): GitResult<CloneUrl> {
  const absolute = /^\.\.?\//u.test(url) ? besides(declaredBy.url, url) : url;
  if (absolute === null) return failed('invalid_url', `"${oneSafeLine(url, 200)}" leads out of the host`);
  const parsed = parseCloneUrl(absolute, [...protocols, 'ssh']);
  if (!parsed.ok) return parsed;
  const remote = overItsHost(tested, parsed.value) ?? parsed.value;
  const allowed = parseCloneUrl(remote.url, protocols);
  if (!allowed.ok) return allowed;
  if (sameOrigin(tested, remote) || hosts.includes(remote.host)) return allowed;
  return failed(
    'host_refused',
    `${remote.host} is neither the host of the tested repository nor one that sources may come from`,
  );
}

/** A relative URL from the repository that has it; null when it climbs above the host. */
function besides(base: string, relative: string): string | null {
  const [, origin, path] = /^([a-z]+:\/\/[^/]*|[^/]*:)(.*)$/su.exec(base.replace(/\/+$/u, '')) ?? [];
  if (origin === undefined || path === undefined) return null;
  const parts = path.split('/');
  const steps = relative.split('/');
  for (let step = steps[0]; step === '.' || step === '..'; step = steps[0]) {
    steps.shift();
    if (step === '.') continue;
    if (parts.length <= 1) return null;
    parts.pop();
  }
  return `${origin}${[...parts, ...steps].join('/')}`;
}

/** What an ssh address on the tested repository's host is over the tested repository's protocol; null for others. */
function overItsHost(tested: CloneUrl, remote: CloneUrl): CloneUrl | null {
  if (remote.protocol !== 'ssh' || tested.protocol === 'ssh' || remote.host !== tested.host) return null;
  const path = remote.url.replace(/^ssh:\/\/[^/]*\/|^[^:/]*:\/?/u, '');
  return { ...tested, url: `${new URL(tested.url).origin}/${path}` };
}

export function sameOrigin(one: CloneUrl, other: CloneUrl): boolean {
  return one.protocol === other.protocol && one.host === other.host && one.port === other.port;
}

/** Whether a credential for one repository may be shown for another: the same host, and the same owner there. */
export function sameOwner(one: CloneUrl, other: CloneUrl): boolean {
  return sameOrigin(one, other) && ownerOf(one) === ownerOf(other);
}

/** Everything before the last part of the path. */
function ownerOf({ url }: CloneUrl): string {
  const trimmed = url.replace(/\/+$/u, '');
  return trimmed.slice(0, trimmed.lastIndexOf('/')).toLowerCase();
}
