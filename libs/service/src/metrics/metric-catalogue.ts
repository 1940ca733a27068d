/**
 * Every metric of the product by name, so that dashboards, alerts and their tests have one table to agree with. Names
 * follow OpenTelemetry's CI/CD conventions where they have one; there a run is a "pipeline run" and a runner a "worker".
 * Our own begin with `delta.` and end in their unit. Labels are closed sets: never a run, a job or a text of strangers.
 */

/** From a cached step to the six-hour limit of a run. */
const WORK_SECONDS = [1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 21_600];

/** From a local call to the half-minute of a long poll; 0.5 and 2 are the thresholds of the latency alerts. */
const CALL_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30];

/** From an empty report to the largest upload. */
const OBJECT_BYTES = [1_024, 16_384, 262_144, 1_048_576, 16_777_216, 67_108_864, 268_435_456, 1_073_741_824];

/** Group commits hold from one event to a full batch. */
const BATCH_SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/** Served requests; measured for every service by `serve`. */
export const httpMetrics = {
  serverRequestDuration: {
    kind: 'histogram',
    name: 'http.server.request.duration',
    unit: 's',
    help: 'Time to answer an HTTP request',
    labels: ['http.request.method', 'http.route', 'http.response.status_code'],
    buckets: CALL_SECONDS,
  },
} as const;

/** For the sole writer of the log. */
export const orchestrationMetrics = {
  runsCreated: {
    kind: 'counter',
    name: 'delta.runs_created',
    unit: '{run}',
    help: 'Runs created, by what caused them',
    labels: ['trigger'],
  },
  runsFinished: {
    kind: 'counter',
    name: 'delta.runs_finished',
    unit: '{run}',
    help: 'Runs finished, by outcome',
    labels: ['cicd.pipeline.result'],
  },
  runDuration: {
    kind: 'histogram',
    name: 'cicd.pipeline.run.duration',
    unit: 's',
    help: 'Time from creation to end of a run',
    labels: ['cicd.pipeline.result'],
    buckets: WORK_SECONDS,
  },
  runsActive: {
    kind: 'gauge',
    name: 'cicd.pipeline.run.active',
    unit: '{run}',
    help: 'Runs that have not finished, by state',
    labels: ['cicd.pipeline.run.state'],
  },
  jobsByState: {
    kind: 'gauge',
    name: 'delta.jobs',
    unit: '{job}',
    help: 'Jobs of unfinished runs, by state',
    labels: ['state'],
  },
  jobDuration: {
    kind: 'histogram',
    name: 'delta.attempt_duration_seconds',
    unit: 's',
    help: 'Time from lease to end of an attempt',
    labels: ['outcome'],
    buckets: WORK_SECONDS,
  },
  retries: {
    kind: 'counter',
    name: 'delta.retries',
    unit: '{attempt}',
    help: 'Attempts made again, by failure class',
    labels: ['class'],
  },
  leasesGranted: {
    kind: 'counter',
    name: 'delta.leases_granted',
    unit: '{lease}',
    help: 'Leases granted',
    labels: ['pool'],
  },
  leasesExpired: {
    kind: 'counter',
    name: 'delta.leases_expired',
    unit: '{lease}',
    help: 'Leases that ran out without a heartbeat',
    labels: ['pool'],
  },
  staleReportsRefused: {
    kind: 'counter',
    name: 'delta.stale_reports_refused',
    unit: '{report}',
    help: 'Reports refused because their lease no longer holds',
    labels: ['reason'],
  },
  cancels: {
    kind: 'counter',
    name: 'delta.cancels',
    unit: '{attempt}',
    help: 'Canceled attempts: acknowledged by the runner, or forced at the deadline',
    labels: ['how'],
  },
  queueDepth: {
    kind: 'gauge',
    name: 'delta.queue_depth',
    unit: '{attempt}',
    help: 'Attempts waiting for a runner',
    labels: ['pool'],
  },
  backlogDuration: {
    kind: 'gauge',
    name: 'delta.backlog_duration_seconds',
    unit: 's',
    help: 'Age of the oldest waiting attempt',
    labels: ['pool'],
  },
  appendBatchSize: {
    kind: 'histogram',
    name: 'delta.log_append_batch_events',
    unit: '{event}',
    help: 'Events per transaction of the log',
    labels: [],
    buckets: BATCH_SIZES,
  },
  databaseWriteDuration: {
    kind: 'histogram',
    name: 'delta.database_write_seconds',
    unit: 's',
    help: 'Time of one write transaction',
    labels: [],
    buckets: CALL_SECONDS,
  },
  appendFailures: {
    kind: 'counter',
    name: 'delta.log_append_failures',
    unit: '{transaction}',
    help: 'Transactions of the log that failed',
    labels: [],
  },
  relayLag: {
    kind: 'gauge',
    name: 'delta.relay_lag_events',
    unit: '{event}',
    help: 'Events recorded and not yet published',
    labels: [],
  },
  databaseConnections: {
    kind: 'gauge',
    name: 'delta.database_connections',
    unit: '{connection}',
    help: 'Connections of the pool, by use',
    labels: ['use'],
  },
} as const;

/** For the runner controller. */
export const capacityMetrics = {
  replicaCount: {
    kind: 'gauge',
    name: 'delta.replica_count',
    unit: '{runner}',
    help: 'Runners of a pool: wanted and present',
    labels: ['pool', 'which'],
  },
  workersByState: {
    kind: 'gauge',
    name: 'cicd.worker.count',
    unit: '{count}',
    help: 'Runners by state: available, busy, offline',
    labels: ['pool', 'cicd.worker.state'],
  },
  scaleEvents: {
    kind: 'counter',
    name: 'delta.scale_events',
    unit: '{decision}',
    help: 'Scaling decisions that changed something, by direction',
    labels: ['pool', 'direction'],
  },
  costEstimate: {
    kind: 'gauge',
    name: 'delta.cost_estimate',
    unit: '{currency}',
    help: 'Cost so far in the current budget period',
    labels: ['pool'],
  },
  runnerStartFailures: {
    kind: 'counter',
    name: 'delta.runner_start_failures',
    unit: '{runner}',
    help: 'Runners that could not be started',
    labels: ['pool'],
  },
} as const;

/** For whoever stores artifacts. */
export const artifactMetrics = {
  uploadDuration: {
    kind: 'histogram',
    name: 'delta.artifact_upload_seconds',
    unit: 's',
    help: 'Time to store one artifact',
    labels: ['result'],
    buckets: CALL_SECONDS,
  },
  uploadSize: {
    kind: 'histogram',
    name: 'delta.artifact_upload_bytes',
    unit: 'By',
    help: 'Size of one stored artifact',
    labels: [],
    buckets: OBJECT_BYTES,
  },
} as const;

/** For the public listener. */
export const gatewayMetrics = {
  caches: {
    kind: 'counter',
    name: 'delta.caches',
    unit: '{cache}',
    help: 'Caches that jobs asked for or left, by result: hit, miss, saved, damaged',
    labels: ['result'],
  },
  deliveries: {
    kind: 'counter',
    name: 'delta.webhook_deliveries',
    unit: '{delivery}',
    help: 'Webhook deliveries, by result: accepted, ignored, refused, failed',
    labels: ['result'],
  },
  rateLimited: {
    kind: 'counter',
    name: 'delta.requests_rate_limited',
    unit: '{request}',
    help: 'Requests refused because their source sends too many, by what opens the route',
    labels: ['access'],
  },
  followers: {
    kind: 'level',
    name: 'delta.followers',
    unit: '{stream}',
    help: 'Open streams of server-sent events, by what is followed: events, log',
    labels: ['what'],
  },
} as const;

/** For whoever calls a forge. */
export const forgeMetrics = {
  calls: {
    kind: 'histogram',
    name: 'delta.forge_call_seconds',
    unit: 's',
    help: 'Time of one call to a forge',
    labels: ['vcs.provider.name', 'operation', 'result'],
    buckets: CALL_SECONDS,
  },
} as const;

/** For whoever consumes from the bus. */
export const busMetrics = {
  messages: {
    kind: 'counter',
    name: 'delta.bus_messages',
    unit: '{message}',
    help: 'Messages handled, by result: done, redelivered, parked',
    labels: ['stream', 'result'],
  },
  handlingDuration: {
    kind: 'histogram',
    name: 'delta.bus_handling_seconds',
    unit: 's',
    help: 'Time to handle one message',
    labels: ['stream'],
    buckets: CALL_SECONDS,
  },
} as const;
