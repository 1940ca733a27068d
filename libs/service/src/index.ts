export { type ConfigProblem, type LoadedConfig, type UnknownVariable } from './config/load-config.ts';
export { describeProblems, loadConfig, unknownVariables, variableOf } from './config/load-config.ts';
export {
  artifactSettings,
  busSettings,
  commonSettings,
  databaseSettings,
  type CommonConfig,
} from './config/common-settings.ts';
export { Secret } from './config/secret.ts';
export {
  decimal,
  durationMs,
  flag,
  list,
  oneOf,
  port,
  secretText,
  secretUrl,
  setting,
  text,
  url,
  wholeNumber,
  type Setting,
} from './config/settings.ts';
export { MASK, type MaskingStream } from './masking/masking-stream.ts';
export { SecretMasker } from './masking/secret-masker.ts';
export {
  SECRETS_BYTES_MAX,
  SECRET_BYTES_MAX,
  SECRET_CHARACTERS_MIN,
  whyNoSecret,
  whyNoSecrets,
} from './masking/secret-forms.ts';
export { createLogger, withIds, type LineSink, type LogIds, type Logger } from './logging/create-logger.ts';
export { leaseHashOf } from './logging/lease-hash.ts';
export { NestLogger } from './logging/nest-logger.ts';
export { createRedactor, type Redactor } from './logging/redaction.ts';
export {
  continueTrace,
  contextFrom,
  TRACEPARENT,
  traceparentFrom,
  traceparentOf,
  withTraceHeaders,
} from './tracing/trace-context.ts';
export { withSpan, type SpanOptions } from './tracing/with-span.ts';
export {
  defineMetrics,
  type Counter,
  type Gauge,
  type Histogram,
  type Level,
  type MetricDefinitions,
  type Metrics,
} from './metrics/define-metrics.ts';
export {
  artifactMetrics,
  busMetrics,
  capacityMetrics,
  forgeMetrics,
  gatewayMetrics,
  httpMetrics,
  orchestrationMetrics,
} from './metrics/metric-catalogue.ts';
export { HealthController } from './health/health-module.ts';
export { type Check } from './health/health.ts';
export { type ServeOptions } from './http/serve-nest.ts';
export { type Close, type Finish } from './process/stop-order.ts';
export { type Service } from './process/service.ts';
export { type ReadyMessage } from './process/announce-ready.ts';
export {
  prepareService,
  type PreparedService,
  type Preparation,
  type ServiceDefinition,
  type ServiceSettings,
  type Surroundings,
} from './process/start-service.ts';
export { type StartOutcome } from './process/running-service.ts';
export { crashOrder, crashWhenOrdered, type CrashOrder } from './process/crash-order.ts';
export { EXIT_CONFIG, runService } from './process/run-service.ts';
export { backoffMs, retryWithBackoff, type BackoffPolicy, type RetryOptions } from './retry-with-backoff.ts';
