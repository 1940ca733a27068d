import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlannedJob } from '@delta-ci/contracts';
import {
  runJob,
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
import { LocalLog } from './local-log.ts';

export type NetworkChoice = 'when-asked' | 'always' | 'never';

/** What all jobs of a local run have in common. */
export interface JobPlace {
  readonly executor: SandboxExecutor;
  readonly source: JobSource;
  /** Directory of this run; jobs get theirs in it. */
  readonly directory: string;
  readonly network: NetworkChoice;
  readonly toolchainDirs: readonly string[];
  readonly nowMs: () => number;
}

/** The network a job gets: its host's, or none. Null when it asks and must not have it. */
export function networkFor({ egress }: PlannedJob, choice: NetworkChoice): 'host' | 'none' | null {
  if (choice === 'always') return 'host';
  if (egress.allow.length === 0) return 'none';
  return choice === 'when-asked' ? 'host' : null;
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
  const result = await judge(
    place,
    job,
    { signal, whenFailed: hold },
    {
      output: async (chunk) => {
        log.write(chunk);
        output(chunk);
      },
      step: () => log.stepBegins(),
      // Nothing outlives a local run but what helps to explain it.
      artifact: async ({ type }, file) => {
        if (type !== 'junit' || file.sizeBytes > JUNIT_BYTES_MAX || junit.length >= JUNIT_FILES_MAX) return;
        junit.push(await textOf(file));
      },
      outputBytes: () => log.bytes,
    },
  );
  log.end();
  return { result, log, junit, startedMs, finishedMs: finishedMs ?? place.nowMs() };
}

async function judge(
  place: JobPlace,
  job: PlannedJob,
  course: Required<Pick<JobOrder, 'signal' | 'whenFailed'>>,
  sinks: JobSinks,
): Promise<JobResult> {
  const network = networkFor(job, place.network);
  if (network === null) {
    const hosts = job.egress.allow.join(', ');
    return notJudged('layer_missing', `it needs the network (${hosts}) and --no-network forbids it`);
  }
  const directory = await mkdtemp(join(place.directory, 'job-'));
  const workspaceDir = join(directory, 'workspace');
  await mkdir(workspaceDir);
  const order = {
    job,
    trust: 'trusted',
    source: place.source,
    workspaceDir,
    network,
    toolchainDirs: place.toolchainDirs,
    env: { DELTA_JOB: job.key },
    secrets: {},
    ...course,
  } as const;
  try {
    return await runJob(place.executor, order, sinks);
  } catch (error) {
    return notJudged('internal', errorMessage(error));
  } finally {
    await rm(directory, { recursive: true, force: true });
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
