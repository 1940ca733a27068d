import { resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import type { z } from 'zod';
import type { CommonConfig, commonSettings } from '../config/common-settings.ts';
import { loadConfig, secretsIn, type ConfigProblem, type UnknownVariable } from '../config/load-config.ts';
import { createLogger, type LineSink, type Logger } from '../logging/create-logger.ts';
import { createRedactor, type Redactor } from '../logging/redaction.ts';
import { startMetrics } from '../metrics/start-metrics.ts';
import { startTracing } from '../tracing/start-tracing.ts';
import { RunningService, type StartOutcome, type Telemetry } from './running-service.ts';
import type { Service } from './service.ts';

/** Any settings that contain the common ones. */
export type ServiceSettings = z.ZodObject<typeof commonSettings>;

export interface ServiceDefinition<S extends ServiceSettings> {
  /** What the code is: `gateway`, `planner`. */
  name: string;
  settings: S;
  /** Opens everything, in order, and serves last. Throwing ends the process after what was opened is closed. */
  start: (service: Service<z.output<S> & CommonConfig>) => Promise<void>;
}

export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  /** Where log lines go; standard output unless told otherwise. */
  sink?: LineSink;
  /** Is a person looking at the sink? */
  terminal?: boolean;
}

/** A service that has been prepared: configuration read, telemetry on, nothing opened yet. */
export interface PreparedService {
  readonly config: CommonConfig;
  readonly logger: Logger;
  /** Runs the definition's `start`. Rejects with its failure after closing what was opened. */
  start(): Promise<StartOutcome>;
  /** Stops in order and flushes telemetry; answers the names of what did not end cleanly. Stops once, however often asked. */
  stop(reason: string): Promise<string[]>;
  /** Settles when stopping has finished, whoever asked for it; never after a failed start. */
  readonly stopped: Promise<string[]>;
}

export type Preparation = { ok: true; service: PreparedService } | { ok: false; problems: ConfigProblem[] };

/**
 * Reads the configuration and prepares a service without touching the process (no signals, no exit): the part of
 * `runService` that tests use. Telemetry is global to the process, so tests should run one traced service at a time.
 */
export function prepareService<S extends ServiceSettings>(
  definition: ServiceDefinition<S>,
  surroundings: Surroundings,
): Preparation {
  const loaded = loadConfig(definition.settings, surroundings.env);
  if (!loaded.ok) return { ok: false, problems: loaded.problems };
  const config: z.output<S> & CommonConfig = loaded.config;
  const redactor = createRedactor(secretsIn(config));
  const logger = createLogger({
    service: definition.name,
    instance: config.instanceId,
    level: config.logLevel,
    pretty: config.logFormat === 'pretty' && surroundings.terminal === true,
    redactor,
    ...(surroundings.sink === undefined ? {} : { sink: surroundings.sink }),
  });
  warnOfUnknown(logger, loaded.unknown);
  const telemetry = startTelemetry(definition.name, config, logger, redactor);
  const service = new RunningService({ name: definition.name, config, logger, redactor, telemetry });
  return {
    ok: true,
    service: {
      config,
      logger,
      start: () => service.begin(definition.start),
      stop: (reason) => service.end(reason),
      stopped: service.ended,
    },
  };
}

function startTelemetry(name: string, config: CommonConfig, logger: Logger, redactor: Redactor): Telemetry {
  const resource = resourceOf(name, config);
  return { tracing: startTracing({ config, resource, logger, redactor }), metrics: startMetrics(resource) };
}

function resourceOf(name: string, config: CommonConfig): Resource {
  return resourceFromAttributes({
    'service.namespace': 'delta-ci',
    'service.name': name,
    'service.instance.id': config.instanceId,
  });
}

/** Other services' variables are in the same environment, so only a probable slip of the hand is worth a warning. */
function warnOfUnknown(logger: Logger, unknown: readonly UnknownVariable[]): void {
  const slips = unknown.filter(({ nearest }) => nearest !== undefined);
  if (slips.length > 0) logger.warn({ event: 'unknown-variables', variables: slips }, 'variables nobody reads here');
  if (unknown.length > slips.length) logger.debug({ event: 'foreign-variables', variables: unknown });
}
