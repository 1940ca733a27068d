import { PoolName } from '@delta-ci/contracts';
import { commonSettings, durationMs, list, oneOf, secretText, setting, text, url } from '@delta-ci/service';
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
  /** `process` runs jobs as this very user, without any isolation: only for code that is trusted as much as the runner. */
  isolation: oneOf(['sandbox', 'container', 'process']).default('sandbox'),
  /** Path or name of bubblewrap. */
  bwrap: text(4_096).default('bwrap'),
  /** Unix socket of the engine, for isolation `container`. */
  containerEngine: text(4_096).default('/var/run/docker.sock'),
  /** An image the engine has, with a shell and git; without one, jobs see this host's own system, read-only. */
  containerImage: text(500).optional(),
  /** `host` lets trusted jobs whose plan asks for it reach the network of this host. */
  egress: oneOf(['none', 'host']).default('none'),
  /** Prefixes with toolchains outside the system directories, each with `bin`. */
  toolchainDirs: list().default([]),
  labels: list().default([]),
  /** How sources may be fetched; the forge's own protocol besides these is refused. */
  cloneProtocols: list().default(['https']),
  /** A runner that gets no work for so long ends: the controller starts another when there is some. */
  idleTimeoutMs: durationMs({ min: 100 }).default(600_000),
  killGraceMs: durationMs({ min: 10, max: 60_000 }).default(10_000),
});
export type RunnerConfig = z.output<typeof runnerSettings>;

function poolName(given: string): string | undefined {
  const parsed = PoolName.safeParse(given);
  return parsed.success ? parsed.data : undefined;
}
