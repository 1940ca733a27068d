import { PoolName } from '@delta-ci/contracts';
import { readAllowList, readRanges } from '@delta-ci/egress';
import {
  commonSettings,
  durationMs,
  list,
  oneOf,
  secretText,
  secretUrl,
  setting,
  text,
  url,
  wholeNumber,
  type Setting,
} from '@delta-ci/service';
import { z } from 'zod';

/** What a runner reads from its environment. */
export const runnerSettings = z.object({
  ...commonSettings,
  gatewayUrl: url(['http', 'https']),
  /** Lets a stranger register as a runner; it buys nothing else. */
  registrationToken: secretText(16),
  pool: setting('a pool name of lower-case letters, digits, "-" or "_"', poolName).default('default'),
  runnerName: text(200).optional(),
  /** Workspaces, sources and the records of sandboxes; private to this runner. */
  dataDir: text(4_096),
  /** Images, and what was downloaded, for all runners of this host that are given the same; left out, in `dataDir`. */
  sharedDir: text(4_096).optional(),
  /** `process` runs jobs as this very user, without any isolation: only for code that is trusted as much as the runner. */
  isolation: oneOf(['sandbox', 'gvisor', 'container', 'process']).default('sandbox'),
  /** Path or name of bubblewrap. */
  bwrap: text(4_096).default('bwrap'),
  /** Path or name of gVisor's `runsc`, for isolation `gvisor`. */
  runsc: text(4_096).default('runsc'),
  /** Unix socket of the engine, for isolation `container`. */
  containerEngine: text(4_096).default('/var/run/docker.sock'),
  /** An image the engine has, with a shell and git; without one, jobs see this host's own system, read-only. */
  containerImage: text(500).optional(),
  /** A JSON file that says which images jobs may have, for isolation `sandbox`; without one, none. */
  imagesFile: text(4_096).optional(),
  /**
   * `proxy` lets jobs reach the hosts that both their plan and `egressAllow` name. `host` lets trusted jobs whose plan asks for
   * any host reach the whole network of this host.
   */
  egress: oneOf(['none', 'proxy', 'host']).default('none'),
  /** Hosts that any job may ask for: `host`, `host:port`, `*.host`, or `*` for whatever a plan names. */
  egressAllow: hosts().default(['*']),
  /** Ranges of addresses that are not public and may be reached all the same: those of a registry of one's own. */
  egressRanges: ranges().default([]),
  /** A proxy through which alone this host reaches the internet; addresses are then for it to judge. */
  egressUpstream: secretUrl(['http']).optional(),
  /** Prefixes with toolchains outside the system directories, each with `bin`. */
  toolchainDirs: list().default([]),
  labels: list().default([]),
  /** How sources may be fetched; the forge's own protocol besides these is refused. */
  cloneProtocols: list().default(['https']),
  /** Hosts besides a repository's own that its submodules and files of Git LFS may come from, at whatever address. */
  sourceHosts: list().default([]),
  /** Bytes of Git LFS files that are kept for later jobs; 0 keeps none. */
  lfsCacheBytes: wholeNumber({ min: 0, max: 2 ** 45, unit: 'bytes' }).default(10 * 1024 ** 3),
  /** Bytes of commits that are kept for other jobs of the same commit; 0 keeps none. */
  packCacheBytes: wholeNumber({ min: 0, max: 2 ** 45, unit: 'bytes' }).default(10 * 1024 ** 3),
  /** A runner that gets no work for so long ends: the controller starts another when there is some. */
  idleTimeoutMs: durationMs({ min: 100 }).default(600_000),
  killGraceMs: durationMs({ min: 10, max: 60_000 }).default(10_000),
});
export type RunnerConfig = z.output<typeof runnerSettings>;

function poolName(given: string): string | undefined {
  const parsed = PoolName.safeParse(given);
  return parsed.success ? parsed.data : undefined;
}

function itemsOf(given: string): string[] {
  return given
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function hosts(): Setting<string[]> {
  return setting('a comma-separated list of hosts: "host", "host:port", "*.host" or "*"', (given) =>
    readAllowList(itemsOf(given)).unread.length === 0 ? itemsOf(given) : undefined,
  );
}

function ranges(): Setting<string[]> {
  return setting('a comma-separated list of ranges of addresses, such as 10.1.0.0/16', (given) => {
    try {
      readRanges(itemsOf(given));
      return itemsOf(given);
    } catch {
      return undefined;
    }
  });
}
