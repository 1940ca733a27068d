import { DEFAULT_JOB_LIMITS, LOG_BYTES_MAX, type JobLimits } from '@delta-ci/contracts';

const MiB = 1024 * 1024;

/** What one job may use: the plan's limits and those that follow from the host's own interest. */
export type SandboxLimits = JobLimits & {
  /** Files and directories in workspace and home together. */
  readonly inodes: number;
  /** Size of each step's `/tmp` in the isolating tiers. It is memory, and counts as the job's. */
  readonly tmpBytes: number;
  /** Output of one step that is not the job's own; what comes after is counted and dropped. Of a job the log is bounded. */
  readonly outputBytes: number;
};

/**
 * Two million inodes hold the largest `node_modules` we know of ten times over. A quarter of the default memory for
 * `/tmp` leaves the rest to the job itself. Output stops at what one attempt's log may hold.
 */
export const DEFAULT_SANDBOX_LIMITS: SandboxLimits = {
  ...DEFAULT_JOB_LIMITS,
  inodes: 2_000_000,
  tmpBytes: 512 * MiB,
  outputBytes: LOG_BYTES_MAX,
};

/** Browsers and Postgres want more than the 64 MiB that is common for /dev/shm; it is the job's memory as well. */
export const SHARED_MEMORY_BYTES = 256 * MiB;
