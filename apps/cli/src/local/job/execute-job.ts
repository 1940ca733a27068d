import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ERROR_MESSAGE_CHARS_MAX,
  maskedCaches,
  maskedEgress,
  maskedError,
  type PlannedJob,
  type RunId,
} from '@delta-ci/contracts';
import type { EgressBounds } from '@delta-ci/egress';
import {
  JobCaches,
  runJob,
  type CacheStore,
  type HeldJob,
  type JobOrder,
  type JobResult,
  type JobSinks,
  type JobSource,
  type SandboxExecutor,
} from '@delta-ci/sandbox';
import { errorMessage } from '../../error-code.ts';
import type { Executed } from './explain-locally.ts';
import type { HandedInSecrets } from '../needs/handed-in-secrets.ts';
import { networkFor, type JobNetwork, type NetworkChoice } from './job-network.ts';
import { JobOutput } from './job-output.ts';
import { artifactsOf, LocalArtifacts } from './local-artifacts.ts';
import type { RunDirectory } from '../run-directory.ts';

/** What all jobs of a local run have in common. */
export interface JobPlace {
  /** As jobs find it: of this run, and of no run of a mesh. */
  readonly runId: RunId;
  readonly executor: SandboxExecutor;
  readonly sourceOf: (job: PlannedJob) => JobSource;
  readonly directory: RunDirectory;
  readonly network: NetworkChoice;
  readonly egress: EgressBounds;
  /** Where a job finds its caches; null when jobs run without. */
  readonly cachesFor: ((job: PlannedJob) => CacheStore) | null;
  readonly toolchainDirs: readonly string[];
  readonly secrets: HandedInSecrets;
  /** Where artifacts are kept, a folder for each job; null when they go with the sandboxes. */
  readonly artifactDir: string | null;
  readonly nowMs: () => number;
}

/** Carries out one job in a sandbox of its own. What keeps it from being judged is part of the result. */
export async function executeJob(
  place: JobPlace,
  job: PlannedJob,
  show: (chunk: Uint8Array) => void,
  signal: AbortSignal,
  whenFailed?: (held: HeldJob) => Promise<void>,
): Promise<Executed> {
  const output = new JobOutput(place.secrets.maskerOf(job), show);
  const artifacts = new LocalArtifacts(artifactsOf(place.artifactDir, job.key), output);
  const startedMs = place.nowMs();
  let finishedMs: number | null = null;
  // Whoever looks around in what a job left does not make it take longer.
  const hold = async (held: HeldJob): Promise<void> => {
    finishedMs = place.nowMs();
    await whenFailed?.(held);
  };
  const network = networkFor(job, place.network, place.egress, (text) => output.say(text));
  const caches = cachesOf(place, job, output, signal);
  const result = await judge(
    place,
    job,
    { network, caches, signal, whenFailed: hold },
    {
      output: async (chunk) => output.write(chunk),
      step: () => output.log.stepBegins(),
      ...(caches === null
        ? {}
        : {
            prepared: async (sandbox) => caches.restore(sandbox),
            succeeded: async (sandbox, leftMs) => caches.save(sandbox, leftMs),
          }),
      artifact: async (request, file) => artifacts.take(request, file),
      collected: async (request, report) => artifacts.collected(request, report),
      outputBytes: () => output.bytes,
    },
  );
  output.end();
  const mask = (text: string): string => output.mask(text);
  const decisions = network.decisions();
  return {
    result: { ...result, infrastructureError: maskedError(result.infrastructureError, mask) },
    log: output.log,
    logIsCut: output.isCut,
    artifacts,
    caches: maskedCaches(caches?.results ?? [], mask),
    egress: decisions === null ? null : maskedEgress(decisions, mask),
    startedMs,
    finishedMs: finishedMs ?? place.nowMs(),
  };
}

function cachesOf(
  { cachesFor, secrets, sourceOf }: JobPlace,
  job: PlannedJob,
  output: JobOutput,
  signal: AbortSignal,
): JobCaches | null {
  if (cachesFor === null) return null;
  const { policy, limits } = job;
  return new JobCaches(job.caches, {
    store: cachesFor(job),
    gitDir: sourceOf(job).gitDir,
    jobTimeoutMs: policy.timeoutMs,
    diskBytes: limits.diskBytes,
    watch: () => secrets.maskerOf(job)?.stream() ?? NO_SECRETS,
    say: async (text) => output.say(text),
    signal,
  });
}

/** What a job without secrets saves has none. */
const NO_SECRETS = { write: () => undefined, end: () => undefined, hasMasked: false };

interface Course extends Required<Pick<JobOrder, 'signal' | 'whenFailed'>> {
  readonly network: JobNetwork;
  readonly caches: JobCaches | null;
}

async function judge(
  place: JobPlace,
  job: PlannedJob,
  { network, caches, ...course }: Course,
  sinks: JobSinks,
): Promise<JobResult> {
  const directory = await place.directory.forJob();
  const workspaceDir = join(directory, 'workspace');
  await mkdir(workspaceDir);
  const order = {
    job,
    trust: 'trusted',
    source: place.sourceOf(job),
    workspaceDir,
    network: network.network,
    toolchainDirs: place.toolchainDirs,
    env: { DELTA_RUN_ID: place.runId, DELTA_JOB: job.key, DELTA_ATTEMPT: '1' },
    secrets: place.secrets.of(job),
    ...course,
  } as const;
  const removals: (() => Promise<readonly string[]>)[] = [];
  caches?.begin(Promise.resolve());
  try {
    return await runJob(place.executor, order, { ...sinks, leaving: (remove) => void removals.push(remove) });
  } catch (error) {
    return notJudged(errorMessage(error));
  } finally {
    await caches?.close();
    network.close();
    await place.directory.clear(directory, removals);
  }
}

function notJudged(message: string): JobResult {
  const infrastructureError = { code: 'internal', message: message.slice(0, ERROR_MESSAGE_CHARS_MAX) } as const;
  return { outcome: 'failed', exitCode: null, signal: null, steps: [], infrastructureError, remarks: [] };
}
