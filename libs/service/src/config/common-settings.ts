import { hostname } from 'node:os';
import { z } from 'zod';
import { durationMs, flag, oneOf, port, secretText, secretUrl, text, url, wholeNumber } from './settings.ts';

/**
 * What every process reads. An app extends it: `z.object({ ...commonSettings, ...databaseSettings, leaseTtlMs: ... })`.
 * The service's name is not a setting: it is what the code is, and processes share an environment.
 */
export const commonSettings = {
  /** Which of several equal processes this is: in logs, metrics and lock holders. */
  instanceId: text(200).default(() => `${hostname()}-${process.pid}`),
  /** Loopback unless somebody decides otherwise: nothing is reachable from outside by accident. */
  httpHost: text(255).default('127.0.0.1'),
  /** 0 takes any free port; the ready announcement says which. */
  httpPort: port().default(0),
  logLevel: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
  /** `pretty` is honoured only on a terminal: files and collectors always get JSON. */
  logFormat: oneOf(['json', 'pretty']).default('json'),
  traceExporter: oneOf(['none', 'console', 'otlp']).default('none'),
  /** Where OTLP over HTTP takes traces: the whole URL. The default is the collector's registered port on this host. */
  traceEndpoint: url(['http', 'https']).default('http://127.0.0.1:4318/v1/traces'),
  /**
   * How long a stopping process may finish or hand back its work. Below the 30 s that Kubernetes and Compose wait (by
   * default or by our files) before they kill, so that telemetry can still be flushed.
   */
  shutdownGraceMs: durationMs({ min: 100, max: 600_000 }).default(20_000),
  /** How long to answer "not ready" before the listener closes; load balancers need a moment to look elsewhere. */
  shutdownDelayMs: durationMs({ max: 60_000 }).default(0),
  /** Stop when the IPC channel to the parent closes: a supervisor that dies leaves no orphans. */
  exitWithParent: flag().default(false),
  /** File descriptor that gets one JSON line when ready, for supervisors without an IPC channel. */
  readyFd: wholeNumber({ min: 3, max: 1_023 }).optional(),
} satisfies z.core.$ZodShape;

/** For whoever talks to Postgres. */
export const databaseSettings = {
  databaseUrl: secretUrl(['postgres', 'postgresql']),
} satisfies z.core.$ZodShape;

/** For whoever talks to the bus. */
export const busSettings = {
  natsUrl: secretUrl(['nats', 'tls']),
} satisfies z.core.$ZodShape;

/** For whoever reads or keeps artifacts. */
export const artifactSettings = {
  /** Where artifacts are as files; the logs of attempts are there in any case. */
  artifactDir: text(4_096),
  artifactStore: oneOf(['files', 's3']).default('files'),
  artifactS3Bucket: text(255).optional(),
  /** What all keys begin with, for a bucket that others use as well. */
  artifactS3Prefix: text(255).optional(),
  artifactS3Region: text(64).default('us-east-1'),
  /** Of a server that is not Amazon's. */
  artifactS3Endpoint: url(['http', 'https']).optional(),
  /** The bucket in the path and not in the host name: for most servers that are not Amazon's. */
  artifactS3PathStyle: flag().default(false),
  /** Both or neither: without them the usual chain is asked (environment, profile, role of the machine or pod). */
  artifactS3AccessKeyId: secretText().optional(),
  artifactS3SecretAccessKey: secretText().optional(),
} satisfies z.core.$ZodShape;

const CommonConfigSchema = z.object(commonSettings);

/** The values every process has; see `commonSettings` for their meaning. */
export type CommonConfig = z.output<typeof CommonConfigSchema>;
