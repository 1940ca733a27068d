import {
  DEFAULT_IDLE_TIMEOUT_MS,
  type InfrastructureError,
  type PlannedJob,
  type StepEnding,
  type StepResult as ReportedStep,
  type UsedImage,
} from '@delta-ci/contracts';
import { DEFAULT_SANDBOX_LIMITS } from '../limits.ts';
import type { StepResult } from '../sandbox-executor.ts';

/** How a job ended, as far as whoever carried it out can tell. */
export interface JobResult {
  outcome: 'succeeded' | 'failed' | 'timed_out' | 'canceled';
  exitCode: number | null;
  signal: string | null;
  steps: ReportedStep[];
  infrastructureError: InfrastructureError | null;
  /** What could not be collected or cleaned up; for the log. */
  remarks: string[];
  /** What the image of the plan led to; absent for a job without one. */
  image?: UsedImage;
}

/** Whether a step was stopped because of its time, or of the job's. */
export function isTimeout(result: StepResult): boolean {
  return result.endedBy === 'timeout' || result.endedBy === 'idle_timeout';
}

/** A step as it is reported: what it ended with, what it used, and which bytes of the log are its own. */
export function reported(name: string, result: StepResult, from: number, to: number): ReportedStep {
  return {
    name,
    exitCode: result.exitCode,
    signal: result.signal,
    timedOut: isTimeout(result),
    oomKilled: result.oomKilled === true,
    endedBy: result.endedBy,
    usage: { wallMs: result.wallMs, cpuMs: result.cpuMs, memoryPeakBytes: result.memoryPeakBytes, io: result.io },
    logRange: { from, to },
  };
}

/** What the log says of a step that did not simply end: which limit it reached, and what sets that. */
export function endingInWords(
  endedBy: Exclude<StepEnding, 'exit'>,
  { limits, policy }: Pick<PlannedJob, 'limits' | 'policy'>,
  whyStopped: string | null = null,
): string {
  switch (endedBy) {
    case 'timeout':
      return `stopped: the job has used up its time, ${policy.timeoutMs / 1_000} s (timeout_seconds)`;
    case 'idle_timeout': {
      const idleMs = policy.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS;
      return `stopped: the step printed nothing for too long, ${idleMs / 1_000} s (idle_timeout_seconds)`;
    }
    case 'canceled':
      return `stopped: ${whyStopped ?? 'the job was canceled'}`;
    case 'disk_full':
      return `ended: the job filled its disk, ${sizeInWords(limits.diskBytes)} or ${DEFAULT_SANDBOX_LIMITS.inodes} files (limits: disk)`;
    case 'out_of_memory':
      return `ended: a process of the step was killed, because the job reached its limit of memory, ${sizeInWords(limits.memoryBytes)} (limits: memory)`;
    case 'signal':
      return 'ended: the step died of a signal that was not sent by its runner';
  }
}

const MiB = 1024 ** 2;

/** As a limit is written in a configuration: `2Gi`, `512Mi`. */
function sizeInWords(bytes: number): string {
  const [unit, name] = bytes % (1024 * MiB) === 0 ? [1024 * MiB, 'Gi'] : [MiB, 'Mi'];
  return `${Math.round((bytes / unit) * 100) / 100}${name}`;
}

/** The end of a job whose step ended so. */
export function endOf(result: StepResult, steps: ReportedStep[]): JobResult {
  const outcome = result.endedBy === 'canceled' ? 'canceled' : isTimeout(result) ? 'timed_out' : 'failed';
  const { exitCode, signal } = result;
  return { outcome, exitCode, signal, steps, infrastructureError: null, remarks: [] };
}

export const SUCCEEDED: Omit<JobResult, 'steps'> = {
  outcome: 'succeeded',
  exitCode: 0,
  signal: null,
  infrastructureError: null,
  remarks: [],
};

export const CANCELED: JobResult = {
  outcome: 'canceled',
  exitCode: null,
  signal: null,
  steps: [],
  infrastructureError: null,
  remarks: [],
};

/** The end of a job that nobody could judge. */
export function notJudged(infrastructureError: InfrastructureError): JobResult {
  return { outcome: 'failed', exitCode: null, signal: null, steps: [], infrastructureError, remarks: [] };
}
