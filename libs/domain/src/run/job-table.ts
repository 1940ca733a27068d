import { present } from '../broken-invariant.ts';
import type { JobProgress } from './job-progress.ts';

/**
 * The jobs of a run by their place in the plan, in chunks: replacing one copies one chunk and the list of chunks, not
 * all jobs. 64 keeps both copies short for the largest plan (10,000 jobs: 157 chunks).
 */
export type JobTable = readonly (readonly JobProgress[])[];

const CHUNK_JOBS = 64;

export function jobTableOf(jobs: readonly JobProgress[]): JobTable {
  const chunks: JobProgress[][] = [];
  for (let from = 0; from < jobs.length; from += CHUNK_JOBS) chunks.push(jobs.slice(from, from + CHUNK_JOBS));
  return chunks;
}

export function jobAt(table: JobTable, index: number): JobProgress {
  return present(table[Math.floor(index / CHUNK_JOBS)]?.[index % CHUNK_JOBS], `job at ${index}`);
}

export function withJobAt(table: JobTable, index: number, job: JobProgress): JobTable {
  const chunks = table.slice();
  const at = Math.floor(index / CHUNK_JOBS);
  const chunk = present(chunks[at], `jobs from ${at * CHUNK_JOBS}`).slice();
  chunk[index % CHUNK_JOBS] = job;
  chunks[at] = chunk;
  return chunks;
}

/** Changes several jobs, copying each chunk at most once; `change` answers the same object to leave a job as it is. */
export function withJobsAt(
  table: JobTable,
  indexes: readonly number[],
  change: (job: JobProgress) => JobProgress,
): JobTable {
  const chunks = table.slice();
  const copied = new Map<number, JobProgress[]>();
  for (const index of indexes) {
    const at = Math.floor(index / CHUNK_JOBS);
    const chunk = copied.get(at) ?? present(table[at], `jobs from ${at * CHUNK_JOBS}`).slice();
    const job = present(chunk[index % CHUNK_JOBS], `job at ${index}`);
    chunk[index % CHUNK_JOBS] = change(job);
    copied.set(at, chunk);
    chunks[at] = chunk;
  }
  return chunks;
}
