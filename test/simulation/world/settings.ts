import { createPrivateKey, createPublicKey } from 'node:crypto';

/** The installation that is simulated: one forge, three repositories, one pool, the protocol's own timings where they matter. */

export const WEBHOOK_SECRET = 'simulated-webhook-secret';
export const FORGE_TOKEN = 'simulated-forge-token';
export const REGISTRATION_TOKEN = 'simulated-registration-token';
export const FORGE_URL = 'http://forge.test/api';
export const GATEWAY_URL = 'http://gateway.test';
const ARTIFACT_DIR = '/artifacts';

export const REPOSITORIES = ['demo/shop', 'demo/till', 'demo/stock'] as const;

/** As the settings file of the services reads. */
export const FORGES_FILE_TEXT = JSON.stringify({
  forges: [
    {
      kind: 'github',
      name: 'github',
      apiUrl: FORGE_URL,
      webhookSecret: { env: 'WEBHOOK_SECRET' },
      token: { env: 'FORGE_TOKEN' },
      repositories: REPOSITORIES.map((fullName) => ({
        id: `github/${fullName}`,
        cloneUrl: `https://forge.test/${fullName}.git`,
      })),
    },
  ],
});

export const ENVIRONMENT = { WEBHOOK_SECRET, FORGE_TOKEN, PATH: '/bin' };

/**
 * Lease, heartbeat, acceptance, cancel and sweep as the protocol has them. The long ones (6 h for a run, 24 h in the
 * queue) are scaled down, so that they are reached within a seed.
 */
export const TIMINGS = {
  leaseTtlMs: 120_000,
  heartbeatMs: 20_000,
  leaseAcceptanceMs: 30_000,
  cancelDeadlineMs: 30_000,
  planningTimeoutMs: 120_000,
  runTimeoutMs: 6 * 60_000,
  queueTimeoutMs: 4 * 60_000,
  sweepIntervalMs: 5_000,
  artifactSweepIntervalMs: 60_000,
  cachesKeptDays: 30,
  cacheRepositoryBytes: 10 * 1024 ** 3,
  redriveAfterMs: 30_000,
  dispatchVisibilityMs: 150_000,
  heartbeatJitterMs: 20_000,
} as const;

const common = {
  instanceId: 'simulated',
  httpHost: '127.0.0.1',
  httpPort: 0,
  logLevel: 'info',
  logFormat: 'json',
  traceExporter: 'none',
  traceEndpoint: 'http://127.0.0.1:4318/v1/traces',
  shutdownGraceMs: 20_000,
  shutdownDelayMs: 0,
  exitWithParent: false,
  databaseUrl: hidden('postgres://simulated'),
  natsUrl: hidden('nats://simulated'),
  artifactDir: ARTIFACT_DIR,
  artifactStore: 'files',
  artifactS3Region: 'nowhere',
  artifactS3PathStyle: false,
  forgesFile: '/forges.json',
  gatewayUrl: GATEWAY_URL,
  registrationToken: hidden(REGISTRATION_TOKEN),
  pool: 'default',
  dataDir: '/data',
};

function hidden(value: string) {
  return { reveal: () => value };
}

/** An Ed25519 key that everybody knows: 32 bytes of one digit, in the frame that PKCS 8 puts around them. */
const CHECKPOINT_KEY = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]),
  format: 'der',
  type: 'pkcs8',
})
  .export({ format: 'pem', type: 'pkcs8' })
  .toString();

/** Its public half, as verifiers keep it. */
export const CHECKPOINT_PUBLIC_KEY = createPublicKey(CHECKPOINT_KEY).export({ format: 'pem', type: 'spki' }).toString();

export const CONFIGS = {
  orchestrator: {
    ...common,
    ...TIMINGS,
    pools: ['default'],
    databaseConnections: 10,
    checkpointKey: hidden(CHECKPOINT_KEY),
    checkpointEvents: 200,
    checkpointIntervalMs: 60_000,
  },
  gateway: {
    ...common,
    adminTokenFile: '/admin.token',
    checkpointKeysDir: '/checkpoint-keys',
    environment: 'simulated',
    runnerTokenTtlMs: 3_600_000,
    streamsMax: 100,
    logsKeptDays: 90,
    databaseConnections: 8,
  },
  reporter: {
    ...common,
    sweepIntervalMs: 30_000,
    coalesceMs: 1_000,
    forgeTimeoutMs: 15_000,
    retryInitialMs: 1_000,
    retryCapMs: 30_000,
  },
  controller: {
    ...common,
    runnerEntry: '/runner.js',
    runnersMin: 1,
    runnersMax: 4,
    runnersWarm: 1,
    runnerMinutePrice: 0,
    costCap: 1_000_000,
    scaleDownWindowMs: 60_000,
    decisionIntervalMs: 5_000,
    isolation: 'process',
    egress: 'none',
    toolchainDirs: [],
    cloneProtocols: ['https'],
  },
  runner: {
    ...common,
    isolation: 'process',
    bwrap: 'bwrap',
    egress: 'none',
    egressAllow: ['*'],
    egressRanges: [],
    toolchainDirs: [],
    labels: [],
    cloneProtocols: ['https'],
    idleTimeoutMs: 300_000,
    killGraceMs: 10_000,
  },
} as const;

export type ServiceName = keyof typeof CONFIGS;
