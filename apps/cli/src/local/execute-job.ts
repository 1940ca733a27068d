import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlannedJob } from '@delta-ci/contracts';
import { runJob, type JobResult, type JobSource, type SandboxExecutor } from '@delta-ci/sandbox';

export type NetworkChoice = 'when-asked' | 'always' | 'never';

/** What all jobs of a local run have in common. */
export interface JobPlace {
  readonly executor: SandboxExecutor;
  readonly source: JobSource;
  /** Directory of this run; jobs get theirs in it. */
  readonly directory: string;
  readonly network: NetworkChoice;
  readonly toolchainDirs: readonly string[];
}

/** The network a job gets: its host's, or none. Null when it asks and must not have it. */
export function networkFor({ egress }: PlannedJob, choice: NetworkChoice): 'host' | 'none' | null {
  if (choice === 'always') return 'host';
  if (egress.allow.length === 0) return 'none';
  return choice === 'when-asked' ? 'host' : null;
}

/** Carries out one job in a sandbox of its own. What keeps it from being judged is part of the result. */
export async function executeJob(
  place: JobPlace,
  job: PlannedJob,
  output: (chunk: Uint8Array) => void,
  signal: AbortSignal,
): Promise<JobResult> {
  const network = networkFor(job, place.network);
  if (network === null) {
    const hosts = job.egress.allow.join(', ');
    return notJudged('layer_missing', `it needs the network (${hosts}) and --no-network forbids it`);
  }
  const workspaceDir = join(await mkdtemp(join(place.directory, 'job-')), 'workspace');
  await mkdir(workspaceDir, { recursive: true });
  let bytes = 0;
  try {
    return await runJob(
      place.executor,
      {
        job,
        trust: 'trusted',
        source: place.source,
        workspaceDir,
        network,
        toolchainDirs: place.toolchainDirs,
        env: { DELTA_JOB: job.key },
        secrets: {},
        signal,
      },
      {
        output: async (chunk) => {
          bytes += chunk.byteLength;
          output(chunk);
        },
        step: () => undefined,
        // Nothing outlives a local run: there is nowhere to record artifacts.
        artifact: async () => undefined,
        outputBytes: () => bytes,
      },
    );
  } catch (error) {
    return notJudged('internal', error instanceof Error ? error.message : String(error));
  } finally {
    await rm(workspaceDir, { recursive: true, force: true });
  }
}

function notJudged(code: 'layer_missing' | 'internal', message: string): JobResult {
  const infrastructureError = { code, message: message.slice(0, 5_000) };
  return { outcome: 'failed', exitCode: null, signal: null, steps: [], infrastructureError, remarks: [] };
}
