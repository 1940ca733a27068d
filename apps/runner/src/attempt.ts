import {
  decidingStep,
  ERROR_MESSAGE_CHARS_MAX,
  maskedCaches,
  maskedEgress,
  maskedError,
  usageOfSteps,
  type CompletionReport,
  type DebugEnd,
  type InfrastructureError,
  type LeaseOffer,
} from '@delta-ci/contracts';
import { originOf, type Git } from '@delta-ci/git';
import { JobCaches, runJob, type JobResult, type JobSource, type SandboxExecutor } from '@delta-ci/sandbox';
import { SecretMasker, whyNoSecret, whyNoSecrets, type Logger } from '@delta-ci/service';
import { CacheCalls } from './cache-calls.ts';
import { whenLookedInto, withoutHold } from './debug-hold.ts';
import { KeptArtifacts } from './kept-artifacts.ts';
import { fetchSource, type FetchedSource, type SourceTerms } from './fetch-source.ts';
import { GatewayCalls } from './gateway-calls.ts';
import type { GatewayClient } from './gateway-client.ts';
import { networkFor, type EgressTerms, type JobNetwork } from './job-network.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { LogUpload } from './log-upload.ts';
import { MaskedLog } from './masked-log.ts';
import type { Leavings } from './leavings.ts';
import type { RunnerToken } from './runner-token.ts';
import { stepsOfCutLog } from './steps-of-cut-log.ts';

/** What an attempt needs of its runner. */
export interface AttemptTools {
  executor: SandboxExecutor;
  git: Git;
  client: GatewayClient;
  token: Pick<RunnerToken, 'current'>;
  logger: Logger;
  /** Where the job is carried out; nobody else's. Removed afterwards. */
  leavings: Leavings;
  sources: SourceTerms;
  toolchainDirs: readonly string[];
  egress: EgressTerms;
  nowMs: () => number;
  /** Aborted when this runner has to end: the job is handed back. */
  stopping: AbortSignal;
}

/**
 * Carries out one leased attempt and reports how it ended, unless the lease was lost: then it stops, cleans up and says
 * nothing, because somebody else may have the job by now.
 */
export async function carryOutAttempt(lease: LeaseOffer, tools: AttemptTools): Promise<void> {
  const { logger } = tools;
  const keeper = new LeaseKeeper(lease, {
    beat: async (beat) => gateway.heartbeat(beat),
    onTrouble: (error) => logger.warn({ event: 'heartbeat-failed', err: error }),
  });
  const gateway = new GatewayCalls(tools.client, tools.token, lease, keeper);
  const handBack = (): void => keeper.stopFor('shutdown');
  tools.stopping.addEventListener('abort', handBack);
  try {
    const acknowledged = acknowledge(keeper, gateway, logger);
    // Awaited below and by the job, each at its time; whoever comes too late to hear of a failure is no fault of its own.
    acknowledged.catch(() => undefined);
    if (tools.stopping.aborted) handBack();
    const report = await workOn(lease, { ...tools, gateway, keeper, acknowledged });
    await acknowledged;
    await keeper.stopBeating();
    await deliver(keeper, gateway, logger, report);
  } catch (error) {
    if (!keeper.gone.aborted) throw error;
    logger.warn({ event: 'lease-lost', reason: keeper.reason }, 'the lease is gone: nothing is reported');
  } finally {
    tools.stopping.removeEventListener('abort', handBack);
    await keeper.close();
    await tools.leavings.remove();
  }
}

async function acknowledge(keeper: LeaseKeeper, gateway: GatewayCalls, logger: Logger): Promise<void> {
  const sentAtMs = performance.now();
  const { state } = await gateway.acknowledge();
  logger.info({ event: 'lease-acknowledged', state });
  keeper.start(sentAtMs);
}

async function deliver(
  keeper: LeaseKeeper,
  gateway: GatewayCalls,
  logger: Logger,
  report: CompletionReport,
): Promise<void> {
  keeper.gone.throwIfAborted();
  const { outcome } =
    keeper.reason === 'canceled' ? await gateway.acknowledgeCancel(report) : await gateway.complete(report);
  logger.info({ event: 'attempt-reported', outcome, reported: report.outcome });
}

/** What an attempt works with once it has its lease. */
interface LeasedTools extends AttemptTools {
  gateway: GatewayCalls;
  keeper: LeaseKeeper;
  /** Nothing of the job runs before. */
  acknowledged: Promise<void>;
}

async function workOn(lease: LeaseOffer, tools: LeasedTools): Promise<CompletionReport> {
  const { gateway, keeper } = tools;
  const startedAtMs = tools.nowMs();
  const started = performance.now();
  const masker = new SecretMasker(secretsOf(lease));
  const upload = new LogUpload(async (offset, chunk) => gateway.appendLog(offset, chunk));
  const log = new MaskedLog(masker, upload);
  const artifacts = new KeptArtifacts(gateway, masker, async (name, why) => {
    await log.say(`artifact ${name} was left behind: ${why}`);
    keeper.report({ logCursor: log.bytes });
  });
  const caches = new JobCaches(lease.job.caches, {
    store: new CacheCalls(tools.client, tools.token, lease.leaseId, keeper),
    gitDir: tools.leavings.jobDir.gitDir,
    jobTimeoutMs: lease.job.policy.timeoutMs,
    diskBytes: lease.job.limits.diskBytes,
    // The token of the source is nowhere that the job could have put it from into a cache.
    watch: () => new SecretMasker(Object.values(lease.secrets)).stream(),
    say: async (text) => {
      // What cannot be written any more has failed elsewhere already.
      await log.say(text).catch(() => undefined);
      keeper.report({ logCursor: log.bytes });
    },
    signal: keeper.signal,
  });
  const network = networkFor(lease, tools.egress, (said) => {
    // What cannot be written any more has failed elsewhere already.
    log.say(said).catch(() => undefined);
  });
  // From the acknowledgement on, so that the control plane's count is no shorter.
  const timeUpAt = started + lease.job.policy.timeoutMs;
  const place: Workplace = { log, artifacts, caches, network, timeUpAt, debug: null };
  const result = await resultOf(lease, tools, place);
  const mask = (text: string): string => masker.mask(text);
  const ended = keeper.reason === 'shutdown' ? handedBack(result) : result;
  // Words about a job may repeat what its programs said. Names of steps are the plan's, which everybody may read.
  const judged = { ...ended, infrastructureError: maskedError(ended.infrastructureError, mask) };
  const decisions = 'decisions' in network ? network.decisions() : undefined;
  return {
    outcome: judged.outcome,
    exitCode: judged.exitCode,
    signal: judged.signal,
    steps: log.cutAt === null ? judged.steps : stepsOfCutLog(judged.steps, log.cutAt, log.bytes),
    usage: usageOfSteps(judged.steps, performance.now() - started),
    artifacts: artifacts.list.records,
    caches: maskedCaches(caches.results, mask),
    infrastructureError: judged.infrastructureError,
    logBytes: log.bytes,
    logTruncated: log.cutAt !== null,
    runnerStartedAtMs: startedAtMs,
    runnerFinishedAtMs: tools.nowMs(),
    summary: summaryOf(judged),
    egress: decisions === undefined ? undefined : maskedEgress(decisions, mask),
    ...(judged.image === undefined ? {} : { image: judged.image }),
    ...(place.debug === null ? {} : { debug: place.debug }),
  };
}

interface Workplace {
  log: MaskedLog;
  artifacts: KeptArtifacts;
  caches: JobCaches;
  network: JobNetwork | InfrastructureError;
  /** No later than this the job's time is up for the control plane, as `performance.now()`. */
  timeUpAt: number;
  /** How a shell ended, where there was to be one. */
  debug: DebugEnd | null;
}

/** How the job ended, with its log sent. Rejects when the lease is gone: then nobody wants to know. */
async function resultOf(lease: LeaseOffer, tools: LeasedTools, place: Workplace): Promise<JobResult> {
  const { keeper, logger, leavings } = tools;
  try {
    let result: JobResult;
    try {
      await leavings.makeDirectory();
      result = await execute(lease, tools, place);
    } finally {
      await place.caches.close();
      keeper.report({ phase: 'uploading', step: null, logCursor: place.log.bytes });
      // Before the log ends: what is decided is said in it.
      if ('close' in place.network) place.network.close();
    }
    await place.log.end();
    return result;
  } catch (error) {
    keeper.gone.throwIfAborted();
    logger.error({ event: 'attempt-failed', err: error });
    return notJudged({ code: 'internal', message: error instanceof Error ? error.message : String(error) });
  }
}

function testedIn({ source: { cloneUrl, commit, tree } }: LeaseOffer): Omit<JobSource, 'gitDir'> {
  const origin = originOf(cloneUrl);
  return { commit, tree, ...(origin === undefined ? {} : { origin }) };
}

async function execute(lease: LeaseOffer, tools: LeasedTools, place: Workplace): Promise<JobResult> {
  const { keeper } = tools;
  const missing = secretsUnfit(lease) ?? servicesMissing(lease);
  if (missing !== null) return notJudged(missing);
  const { network } = place;
  if ('code' in network) return notJudged(network);
  const { workspaceDir, gitDir } = tools.leavings.jobDir;
  keeper.report({ phase: 'running', step: 'fetch' });
  // The sandbox is made ready while the lease is acknowledged and the source is on its way; nothing runs in it before.
  const sourceReady = readiness(tools, fetchSource(tools, lease, gitDir, keeper.signal));
  place.caches.begin(tools.acknowledged);
  const { runId, jobKey, attempt, job, trust, secrets } = lease;
  const output = async (chunk: Uint8Array): Promise<void> => {
    await place.log.write(chunk);
    keeper.report({ logCursor: place.log.bytes });
  };
  return runJob(
    tools.executor,
    {
      job: withoutHold(job),
      trust,
      source: { gitDir, ...testedIn(lease) },
      sourceReady,
      workspaceDir,
      network: network.network,
      toolchainDirs: tools.toolchainDirs,
      env: { DELTA_RUN_ID: runId, DELTA_JOB: jobKey, DELTA_ATTEMPT: String(attempt) },
      secrets,
      signal: keeper.signal,
      whyStopped: () => (keeper.reason === 'shutdown' ? 'the runner has to end, and hands the job back' : null),
      ...whenLookedInto(job.debug, { ...place, gateway: tools.gateway, keeper, tier: tools.executor.tier }, (end) => {
        place.debug = end;
      }),
    },
    {
      output,
      step: (step) => keeper.report({ step: step.slice(0, 200) }),
      prepared: async (sandbox) => place.caches.restore(sandbox),
      succeeded: async (sandbox, leftMs) => place.caches.save(sandbox, leftMs),
      artifact: async (request, file) => place.artifacts.take(request, file),
      collected: async (request, report) => place.artifacts.collected(request, report),
      outputBytes: () => place.log.bytes,
      closing: () => place.log.hurry(),
      leaving: (remove) => tools.leavings.take(remove),
    },
  );
}

/** Null when the lease is acknowledged and the source is there. Rejects when the lease cannot be acknowledged. */
function readiness(
  { acknowledged }: LeasedTools,
  fetching: Promise<FetchedSource>,
): Promise<InfrastructureError | null> {
  const ready = Promise.all([fetching, acknowledged]).then(([fetched]) => (fetched.ok ? null : fetched.error));
  // Nobody may be waiting yet, or any more, when the sandbox cannot be opened.
  ready.catch(() => undefined);
  return ready;
}

/** What has to be kept out of everything that is said. A job whose secrets are refused is given none that it could say. */
function secretsOf(lease: LeaseOffer): string[] {
  const { token } = lease.source;
  const ofSource = token === null || whyNoSecret(token) !== null ? [] : [token];
  return secretsUnfit(lease) === null ? [...Object.values(lease.secrets), ...ofSource] : ofSource;
}

/** Secrets that could not be kept out of the log are not given to the job. */
function secretsUnfit({ secrets }: LeaseOffer): InfrastructureError | null {
  const why = whyNoSecrets(secrets);
  return why === null ? null : { code: 'secret_unavailable', message: why };
}

/** A job that is to have something beside it is not run without: it would be judged by what its runner lacks. */
function servicesMissing({ job: { services = [] } }: LeaseOffer): InfrastructureError | null {
  if (services.length === 0) return null;
  const named = services.map(({ name, image }) => `${name} (${image})`).join(', ');
  return { code: 'not_offered', message: `the job is to run beside ${named}, and this runner starts no services` };
}

function notJudged({ code, message }: InfrastructureError): JobResult {
  const infrastructureError = { code, message: message.slice(0, ERROR_MESSAGE_CHARS_MAX).toWellFormed() };
  return { outcome: 'failed', exitCode: null, signal: null, steps: [], infrastructureError, remarks: [] };
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

function summaryOf(result: JobResult): string {
  if (result.infrastructureError !== null) return result.infrastructureError.message;
  const last = decidingStep(result.steps);
  if (result.outcome === 'succeeded') return `${result.steps.length} steps succeeded`;
  return last === undefined
    ? result.outcome
    : `step "${last.name}" ${result.outcome} with ${last.exitCode ?? last.signal}`;
}
