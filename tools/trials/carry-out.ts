import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJunit, type TestReport } from '@delta-ci/analysis';
import { CappedLog, LOG_BYTES_MAX, type Plan, type PlannedJob } from '@delta-ci/contracts';
import { runJob, type CollectedFile, type JobSource, type SandboxExecutor } from '@delta-ci/sandbox';

/** What one job of a plan came to. */
export interface Carried {
  readonly job: PlannedJob;
  readonly outcome: 'succeeded' | 'failed' | 'timed_out' | 'canceled';
  /** Why it could not be judged; null when it was. */
  readonly notJudged: string | null;
  /** Whether its last step ran, for which the job is there. */
  readonly ranAll: boolean;
  /** All that its steps said. */
  readonly output: string;
  /** Files by their path, of those that the plan asks for. */
  readonly reports: readonly ReadReport[];
}

/** A report of tests that a job left; null for one that cannot be read. */
export interface ReadReport {
  readonly path: string;
  /** Which request of the plan it answers. */
  readonly asked: string;
  readonly text: string;
  readonly report: TestReport | null;
}

export interface Place {
  readonly executor: SandboxExecutor;
  /** On a disk; workspaces are made in it and gone afterwards. */
  readonly directory: string;
  /** Prefixes of toolchains, each with `bin`. */
  readonly toolchainDirs: readonly string[];
  readonly signal: AbortSignal;
}

/** Carries out all jobs of a plan, one after the other, each as a runner does, without a network. */
export async function carryOut(place: Place, source: JobSource, { jobs }: Plan): Promise<Carried[]> {
  const carried: Carried[] = [];
  for (const job of jobs) carried.push(await carryOutOne(place, source, job));
  return carried;
}

async function carryOutOne(place: Place, source: JobSource, job: PlannedJob): Promise<Carried> {
  const { executor, directory, toolchainDirs, signal } = place;
  const outer = await mkdtemp(join(directory, 'job-'));
  const workspaceDir = join(outer, 'workspace');
  await mkdir(workspaceDir);
  // The job may be another user, who has to pass through.
  await chmod(outer, 0o711);
  const chunks: Uint8Array[] = [];
  const capped = new CappedLog(LOG_BYTES_MAX);
  const reports: ReadReport[] = [];
  try {
    const result = await runJob(
      executor,
      {
        job,
        trust: 'trusted',
        source,
        workspaceDir,
        network: 'none',
        toolchainDirs,
        signal,
        env: {},
        secrets: {},
      },
      {
        output: async (chunk) => capped.take(chunk).forEach((part) => chunks.push(Uint8Array.from(part))),
        step: () => undefined,
        artifact: async ({ type, path: asked }, file) => {
          const text = await textOf(file);
          const parsed = type === 'junit' ? parseJunit(text) : null;
          if (parsed !== null) {
            reports.push({ path: file.path, asked, text, report: parsed.ok ? parsed.report : null });
          }
        },
        outputBytes: () => chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0),
      },
    );
    const notJudged = result.infrastructureError?.message ?? null;
    const output = Buffer.concat([...chunks, ...capped.end()]).toString('utf8');
    const ranAll = result.steps.length >= job.steps.length;
    return { job, outcome: result.outcome, notJudged, ranAll, output, reports };
  } finally {
    await rm(outer, { recursive: true, force: true });
  }
}

async function textOf({ content }: CollectedFile): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}
