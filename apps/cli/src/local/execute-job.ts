import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlannedJob } from '@delta-ci/contracts';
import type { EgressBounds } from '@delta-ci/egress';
import {
  JobCaches,
  runJob,
  type CacheStore,
  type CollectedFile,
  type HeldJob,
  type JobOrder,
  type JobResult,
  type JobSinks,
  type JobSource,
  type SandboxExecutor,
} from '@delta-ci/sandbox';
import { errorMessage } from '../error-code.ts';
import type { Executed } from './explain-locally.ts';
import { networkFor, type JobNetwork, type NetworkChoice } from './job-network.ts';
import { LocalLog } from './local-log.ts';
import type { RunDirectory } from './run-directory.ts';

/** What all jobs of a local run have in common. */
export interface JobPlace {
  readonly executor: SandboxExecutor;
  readonly source: JobSource;
  readonly directory: RunDirectory;
  readonly network: NetworkChoice;
  readonly egress: EgressBounds;
  /** Where a job finds its caches; null when jobs run without. */
  readonly cachesFor: ((job: PlannedJob) => CacheStore) | null;
  readonly toolchainDirs: readonly string[];
  readonly nowMs: () => number;
}

/** Test reports larger than this are left out: the analysis reads no more of one. */
const JUNIT_BYTES_MAX = 16 * 1024 * 1024;
/** Reports kept of one job: a suite writes one or a few, and they are held in memory. */
const JUNIT_FILES_MAX = 20;

/** Carries out one job in a sandbox of its own. What keeps it from being judged is part of the result. */
export async function executeJob(
  place: JobPlace,
  job: PlannedJob,
  output: (chunk: Uint8Array) => void,
  signal: AbortSignal,
  whenFailed?: (held: HeldJob) => Promise<void>,
): Promise<Executed> {
  const log = new LocalLog();
  const junit: string[] = [];
  const startedMs = place.nowMs();
  let finishedMs: number | null = null;
  // Whoever looks around in what a job left does not make it take longer.
  const hold = async (held: HeldJob): Promise<void> => {
    finishedMs = place.nowMs();
    await whenFailed?.(held);
  };
  const write = async (chunk: Uint8Array): Promise<void> => {
    log.write(chunk);
    output(chunk);
  };
  const say = async (text: string): Promise<void> => write(Buffer.from(`[delta] ${text}\n`));
  const network = networkFor(job, place.network, place.egress, (text) => void say(text));
  const caches = cachesOf(place, job, say, signal);
  const result = await judge(
    place,
    job,
    { network, caches, signal, whenFailed: hold },
    {
      output: write,
      step: () => log.stepBegins(),
      ...(caches === null
        ? {}
        : {
            prepared: async (sandbox) => caches.restore(sandbox),
            succeeded: async (sandbox, leftMs) => caches.save(sandbox, leftMs),
          }),
      // Nothing outlives a local run but what helps to explain it.
      artifact: async ({ type }, file) => {
        if (type !== 'junit' || file.sizeBytes > JUNIT_BYTES_MAX || junit.length >= JUNIT_FILES_MAX) return;
        junit.push(await textOf(file));
      },
      outputBytes: () => log.bytes,
    },
  );
  log.end();
  return {
    result,
    log,
    junit,
    caches: caches?.results ?? [],
    egress: network?.decisions() ?? null,
    startedMs,
    finishedMs: finishedMs ?? place.nowMs(),
  };
}

function cachesOf(
  { cachesFor, source: { gitDir } }: JobPlace,
  job: PlannedJob,
  say: (text: string) => Promise<void>,
  signal: AbortSignal,
): JobCaches | null {
  if (cachesFor === null) return null;
  const { policy, limits } = job;
  return new JobCaches(job.caches, {
    store: cachesFor(job),
    gitDir,
    jobTimeoutMs: policy.timeoutMs,
    diskBytes: limits.diskBytes,
    watch: () => NO_SECRETS,
    say,
    signal,
  });
}

/** Jobs of a local run are given no secrets that they could leave. */
const NO_SECRETS = { write: () => undefined, end: () => undefined, hasMasked: false };

interface Course extends Required<Pick<JobOrder, 'signal' | 'whenFailed'>> {
  /** Null: the job asks for one and must not have it. */
  readonly network: JobNetwork | null;
  readonly caches: JobCaches | null;
}

async function judge(
  place: JobPlace,
  job: PlannedJob,
  { network, caches, ...course }: Course,
  sinks: JobSinks,
): Promise<JobResult> {
  if (network === null) {
    const hosts = job.egress.allow.join(', ');
    return notJudged('layer_missing', `it needs the network (${hosts}) and --no-network forbids it`);
  }
  const directory = await place.directory.forJob();
  const workspaceDir = join(directory, 'workspace');
  await mkdir(workspaceDir);
  const order = {
    job,
    trust: 'trusted',
    source: place.source,
    workspaceDir,
    network: network.network,
    toolchainDirs: place.toolchainDirs,
    env: { DELTA_JOB: job.key },
    secrets: {},
    ...course,
  } as const;
  const removals: (() => Promise<readonly string[]>)[] = [];
  caches?.begin(Promise.resolve());
  try {
    return await runJob(place.executor, order, { ...sinks, leaving: (remove) => void removals.push(remove) });
  } catch (error) {
    return notJudged('internal', errorMessage(error));
  } finally {
    await caches?.close();
    network.close();
    await place.directory.clear(directory, removals);
  }
}

async function textOf({ content }: CollectedFile): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

function notJudged(code: 'layer_missing' | 'internal', message: string): JobResult {
  const infrastructureError = { code, message: message.slice(0, 5_000) };
  return { outcome: 'failed', exitCode: null, signal: null, steps: [], infrastructureError, remarks: [] };
}
