import type { ArtifactStore } from '@delta-ci/artifact-store';
import type { Bus, CommandClient } from '@delta-ci/bus';
import type { LogBell, LogConnection, LogReader, TrustedKeys } from '@delta-ci/event-log';
import type { ForgeSettings } from '@delta-ci/forge';
import type { Counter, Histogram, Level, Logger } from '@delta-ci/service';
import type { Proofs } from './access/authorisation-guard.ts';
import type { EventStreams } from './http/event-streams.ts';
import type { IdTokenIssuer } from './id-tokens/id-token-issuer.ts';
import type { PlanShelf } from './runners/lease-offer.ts';
import type { LogCloser } from './logs/log-closer.ts';
import type { SecretStore } from './secrets/secret-store.ts';

/** What the gateway's controllers work with; opened once at the start and handed to all of them. */
export interface GatewayParts {
  readonly logger: Logger;
  /** Commands to the orchestrator: the only way anything here changes the system. */
  readonly commands: CommandClient;
  readonly bus: Bus;
  /** The read model, with rights to read alone. */
  readonly log: LogConnection;
  readonly reader: LogReader;
  readonly bell: LogBell;
  /** Plans of jobs that were leased a while ago. */
  readonly plans: PlanShelf;
  readonly store: ArtifactStore;
  /** Archives the logs of attempts that are over. */
  readonly logCloser: LogCloser;
  readonly forges: readonly ForgeSettings[];
  /** What jobs may be given beside their source. */
  readonly secrets: SecretStore;
  /** Null when no identity tokens are issued. */
  readonly idTokens: IdTokenIssuer | null;
  readonly proofs: Proofs;
  /** Whose checkpoints count. */
  readonly checkpointKeys: TrustedKeys;
  /** To people and their programs. */
  readonly streams: EventStreams;
  /** To runners, of what is typed into shells: few, and none that somebody who follows a run would lack. */
  readonly shellStreams: EventStreams;
  readonly metrics: GatewayMetrics;
  /** Aborts when the service stops: streams and long polls end on it. */
  readonly stopping: AbortSignal;
}

export interface GatewayMetrics {
  readonly caches: Counter<'result'>;
  readonly deliveries: Counter<'result'>;
  readonly rateLimited: Counter<'access'>;
  readonly followers: Level<'what'>;
  readonly uploadDuration: Histogram<'result'>;
  readonly uploadSize: Histogram<never>;
}

/** Injection token of `GatewayParts`. */
export const PARTS = Symbol('gateway parts');
