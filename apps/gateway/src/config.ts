import {
  artifactSettings,
  busSettings,
  commonSettings,
  databaseSettings,
  durationMs,
  port,
  secretText,
  setting,
  text,
  url,
  wholeNumber,
} from '@delta-ci/service';
import { z } from 'zod';

/** What the gateway reads from its environment. */
export const gatewaySettings = z.object({
  ...commonSettings,
  ...databaseSettings,
  ...busSettings,
  ...artifactSettings,
  httpPort: port().default(7070),
  /** Which forges and repositories are served. */
  forgesFile: text(4_096),
  /** Where the secrets of jobs are, and which repositories get which; without it jobs that name any are refused. */
  secretsFile: text(4_096).optional(),
  /**
   * What identity tokens of jobs name as their issuer: the address under which those who check them reach this gateway. Without
   * it none are issued.
   */
  idTokenIssuer: url(['https', 'http']).optional(),
  /** Identity tokens hold as long as their job may run, and never longer than this. */
  idTokenTtlMaxMs: durationMs({ min: 60_000, max: 86_400_000 }).default(3_600_000),
  /** How long each key signs identity tokens. The keys of a day are published at once: of an hour each, they are some two dozen. */
  idTokenKeyPeriodMs: durationMs({ min: 3_600_000, max: 31_536_000_000 }).default(2_592_000_000),
  /** Keys this gateway made for itself, private to it and its twins. */
  dataDir: text(4_096),
  /** Lets a stranger register as a runner; it buys nothing else. */
  registrationToken: secretText(16),
  /** Where the administrator's token is, or is put at the first start. */
  adminTokenFile: text(4_096),
  /** More tokens, each with a name and a role, as hashes. */
  tokensFile: text(4_096).optional(),
  /** Public keys (*.pem) whose checkpoints count; keys that no longer sign stay there for what they signed. */
  checkpointKeysDir: text(4_096),
  /** Name of this installation, inside runner tokens: those of another are refused even where keys were copied. */
  environment: setting('a name of lower-case letters, digits and "-"', environmentName).default('default'),
  /** One hour bounds what a stolen token is good for; a runner renews it long before. */
  runnerTokenTtlMs: durationMs({ min: 1_000, max: 86_400_000 }).default(3_600_000),
  /**
   * Deliveries per second and source, and how many may come at once. A forge sends all its deliveries from a few
   * addresses: a busy organisation pushes a few per second, and a mass update a few hundred at once.
   */
  webhooksPerSecond: wholeNumber({ min: 1, max: 100_000 }).default(100),
  webhooksAtOnce: wholeNumber({ min: 1, max: 1_000_000 }).default(500),
  /** Registrations per second and source: a host that starts a hundred runners at once is served within its burst. */
  registrationsPerSecond: wholeNumber({ min: 1, max: 100_000 }).default(10),
  registrationsAtOnce: wholeNumber({ min: 1, max: 1_000_000 }).default(200),
  /** Time for a request's body, uploads apart: 25 MB (the largest webhook) at about 840 kB/s. */
  bodyTimeoutMs: durationMs({ min: 100, max: 600_000 }).default(30_000),
  /** Requests of forges, and as many of people and tools, worked on at once: they fill the log's transactions. */
  requestsAtOnce: wholeNumber({ min: 1, max: 100_000 }).default(64),
  /** As many of each wait for their turn: about a second of work. */
  requestsWaitingMax: wholeNumber({ min: 0, max: 100_000 }).default(1_000),
  /** Forges give up after ten seconds, and the answer takes its time as well. */
  requestPatienceMs: durationMs({ min: 1, max: 60_000 }).default(5_000),
  /** Streams of server-sent events open at once: each may ask the database with every event. */
  streamsMax: wholeNumber({ min: 1, max: 100_000 }).default(1_000),
  /** Logs of attempts are removed so many days after their last line. */
  logsKeptDays: wholeNumber({ min: 1, max: 36_500 }).default(90),
  /** One for each kind of removal that is waited for, and one for everything else. */
  databaseConnections: wholeNumber({ min: 3, max: 200 }).default(8),
});
export type GatewayConfig = z.output<typeof gatewaySettings>;

function environmentName(given: string): string | undefined {
  return /^[a-z0-9][a-z0-9-]{0,62}$/.test(given) ? given : undefined;
}
