import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  attemptName,
  type ArtifactRecord,
  type ArtifactRequest,
  type CompletionReport,
  type InfrastructureError,
  type LeaseOffer,
} from '@delta-ci/contracts';
import type { Git, Protocol } from '@delta-ci/git';
import { runJob, type CollectedFile, type JobResult, type SandboxExecutor } from '@delta-ci/sandbox';
import type { Logger } from '@delta-ci/service';
import { fetchSource } from './fetch-source.ts';
import type { GatewayCalls } from './gateway-calls.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { LogUpload } from './log-upload.ts';

/** What an attempt needs of its runner. */
export interface AttemptTools {
  executor: SandboxExecutor;
  git: Git;
  gateway: GatewayCalls;
  logger: Logger;
  dataDir: string;
  protocols: readonly Protocol[];
  toolchainDirs: readonly string[];
  egress: 'none' | 'host';
  nowMs: () => number;
  /** Aborted when this runner has to end: the job is handed back. */
  stopping: AbortSignal;
}

/** An artifact is held in memory once while it is hashed and sent. */
const ARTIFACT_FILE_BYTES_MAX = 256 * 1024 * 1024;

/**
 * Carries out one leased attempt and reports how it ended, unless the lease was lost: then it stops, cleans up and says
 * nothing, because somebody else may have the job by now.
 */
export async function carryOutAttempt(lease: LeaseOffer, tools: AttemptTools): Promise<void> {
  const { gateway, logger } = tools;
  const { state } = await gateway.acknowledge(lease.leaseId);
  logger.info({ event: 'lease-acknowledged', state });
  const keeper = new LeaseKeeper(lease, {
    beat: async (beat) => gateway.heartbeat(lease.leaseId, beat),
    nowMs: tools.nowMs,
    onTrouble: (error) => logger.warn({ event: 'heartbeat-failed', err: error }),
  });
  const handBack = (): void => keeper.stopFor('shutdown');
  tools.stopping.addEventListener('abort', handBack);
  keeper.start();
  try {
    const report = await workOn(lease, tools, keeper);
    await keeper.release();
    await deliver(lease, tools, keeper, report);
  } finally {
    tools.stopping.removeEventListener('abort', handBack);
    await keeper.release();
  }
}

async function deliver(
  lease: LeaseOffer,
  tools: AttemptTools,
  keeper: LeaseKeeper,
  report: CompletionReport,
): Promise<void> {
  const { gateway, logger } = tools;
  if (keeper.reason === 'stale' || keeper.reason === 'lost-contact') {
    logger.warn({ event: 'lease-lost', reason: keeper.reason }, 'the lease is gone: nothing is reported');
    return;
  }
  const { outcome } =
    keeper.reason === 'canceled'
      ? await gateway.acknowledgeCancel(lease.leaseId, report)
      : await gateway.complete(lease.leaseId, report);
  logger.info({ event: 'attempt-reported', outcome, reported: report.outcome });
}

async function workOn(lease: LeaseOffer, tools: AttemptTools, keeper: LeaseKeeper): Promise<CompletionReport> {
  const startedAtMs = tools.nowMs();
  const started = performance.now();
  const log = new LogUpload(async (offset, chunk) => tools.gateway.appendLog(lease.leaseId, offset, chunk));
  const artifacts: ArtifactRecord[] = [];
  const directory = join(tools.dataDir, attemptName(lease));
  let result: JobResult;
  try {
    result = await inDirectory(directory, async () => execute(lease, tools, keeper, { log, artifacts, directory }));
    keeper.report({ phase: 'uploading', step: null, logCursor: log.bytes });
    if (keeper.reason !== 'stale') await log.end();
  } catch (error) {
    tools.logger.error({ event: 'attempt-failed', err: error });
    result = notJudged({ code: 'internal', message: error instanceof Error ? error.message : String(error) });
  }
  const judged = keeper.reason === 'shutdown' ? handedBack(result) : result;
  return {
    outcome: judged.outcome,
    exitCode: judged.exitCode,
    signal: judged.signal,
    steps: judged.steps,
    usage: usageOf(judged, performance.now() - started),
    artifacts,
    caches: [],
    infrastructureError: judged.infrastructureError,
    logBytes: log.bytes,
    logTruncated: log.truncated,
    runnerStartedAtMs: startedAtMs,
    runnerFinishedAtMs: tools.nowMs(),
    summary: summaryOf(judged),
  };
}

interface Workplace {
  log: LogUpload;
  artifacts: ArtifactRecord[];
  directory: string;
}

async function execute(
  lease: LeaseOffer,
  tools: AttemptTools,
  keeper: LeaseKeeper,
  place: Workplace,
): Promise<JobResult> {
  const network = networkFor(lease, tools.egress);
  if (typeof network !== 'string') return notJudged(network);
  const workspaceDir = join(place.directory, 'workspace');
  await mkdir(workspaceDir, { recursive: true });
  keeper.report({ phase: 'running', step: 'fetch' });
  const fetched = await fetchSource(tools.git, lease.source, place.directory, tools.protocols, keeper.signal);
  if (!fetched.ok) return keeper.signal.aborted ? interrupted() : notJudged(fetched.error);
  const { runId, jobKey, attempt, job, trust, secrets } = lease;
  return runJob(
    tools.executor,
    {
      job,
      trust,
      source: fetched.source,
      workspaceDir,
      network,
      toolchainDirs: tools.toolchainDirs,
      env: { DELTA_RUN_ID: runId, DELTA_JOB: jobKey, DELTA_ATTEMPT: String(attempt) },
      secrets,
      signal: keeper.signal,
    },
    {
      output: async (chunk) => {
        await place.log.write(chunk);
        keeper.report({ logCursor: place.log.bytes });
      },
      step: (step) => keeper.report({ step: step.slice(0, 200) }),
      artifact: async (request, file) => {
        place.artifacts.push(await upload(lease, tools.gateway, request, file));
      },
      outputBytes: () => place.log.bytes,
    },
  );
}

/** Which network a job gets; an error when the plan asks for what this runner may not give. */
function networkFor(lease: LeaseOffer, egress: AttemptTools['egress']): 'none' | 'host' | InfrastructureError {
  if (lease.job.egress.allow.length === 0) return 'none';
  if (lease.trust === 'trusted' && egress === 'host') return 'host';
  const message =
    `the job asks for the network (${lease.job.egress.allow.join(', ')}) and this runner allows ` +
    (egress === 'host' ? 'it to trusted changes only' : 'none: start it with DELTA_EGRESS=host to allow it');
  return { code: 'layer_missing', message };
}

async function upload(
  lease: LeaseOffer,
  gateway: GatewayCalls,
  request: ArtifactRequest,
  file: CollectedFile,
): Promise<ArtifactRecord> {
  const bytes = await contentOf(file);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const { type, retentionDays } = request;
  const { sizeBytes } = await gateway.uploadArtifact(lease.leaseId, {
    name: file.path,
    type,
    retentionDays,
    digest,
    bytes,
  });
  return { name: file.path, type, digest, sizeBytes, retentionDays };
}

async function contentOf(file: CollectedFile): Promise<Uint8Array<ArrayBuffer>> {
  if (file.sizeBytes > ARTIFACT_FILE_BYTES_MAX) {
    throw new Error(`artifact ${file.path} has ${file.sizeBytes} bytes, the limit is ${ARTIFACT_FILE_BYTES_MAX}`);
  }
  const parts: Buffer[] = [];
  for await (const part of file.content) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}

async function inDirectory<T>(directory: string, work: () => Promise<T>): Promise<T> {
  await mkdir(directory, { recursive: true, mode: 0o711 });
  try {
    return await work();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function notJudged(infrastructureError: InfrastructureError): JobResult {
  return { outcome: 'failed', exitCode: null, signal: null, steps: [], infrastructureError, remarks: [] };
}

function interrupted(): JobResult {
  return { outcome: 'canceled', exitCode: null, signal: null, steps: [], infrastructureError: null, remarks: [] };
}

/** A job that was stopped because its runner had to end was not judged: it is the runner's fault. */
function handedBack(result: JobResult): JobResult {
  if (result.outcome !== 'canceled') return result;
  return {
    ...result,
    outcome: 'failed',
    infrastructureError: { code: 'runner_shutdown', message: 'the runner was told to stop' },
  };
}

function usageOf(result: JobResult, wallMs: number): CompletionReport['usage'] {
  const cpu = result.steps.map(({ usage }) => usage.cpuMs);
  const peaks = result.steps.map(({ usage }) => usage.memoryPeakBytes).filter((peak) => peak !== null);
  return {
    wallMs,
    cpuMs: cpu.some((ms) => ms === null) ? null : cpu.reduce<number>((sum, ms) => sum + (ms ?? 0), 0),
    memoryPeakBytes: peaks.length === 0 ? null : Math.max(...peaks),
  };
}

function summaryOf(result: JobResult): string {
  if (result.infrastructureError !== null) return result.infrastructureError.message;
  const last = result.steps.at(-1);
  if (result.outcome === 'succeeded') return `${result.steps.length} steps succeeded`;
  return last === undefined
    ? result.outcome
    : `step "${last.name}" ${result.outcome} with ${last.exitCode ?? last.signal}`;
}
