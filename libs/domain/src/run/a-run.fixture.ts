import {
  DEFAULT_JOB_POLICY,
  DEFAULT_RUN_POLICY,
  type ArtifactRecord,
  CacheRecord,
  type CompletionReport,
  type FailureExplanation,
  type HandOut,
  type JobPolicy,
  type PlannedJobState,
  type RunPolicy,
  type StepResult,
} from '@delta-ci/contracts';
import { aChange } from '../../../../test/support/made-up/change.ts';
import { aReport } from '../../../../test/support/made-up/completion-report.ts';
import { aRepository } from '../../../../test/support/made-up/repository.ts';
import type { RunCommandOf } from './run-command.ts';

/** Things specs talk about: a run, its jobs, what runners say. */

export const T0 = 1_700_000_000_000;
export const RUN = `run_${'1'.repeat(32)}`;
export const NEWER_RUN = `run_${'2'.repeat(32)}`;
export const PLAN = `sha256:${'a'.repeat(64)}`;
/** Where the artifact store has what planning looked at. */
export const INPUTS = `sha256:${'1'.repeat(64)}`;
export const OTHER_PLAN = `sha256:${'b'.repeat(64)}`;
export const REQUIREMENTS = {
  pool: 'default',
  os: 'linux' as const,
  isolation: 'sandbox' as const,
  toolchains: [],
  labels: [],
};

/** Shorter than the defaults, so that every deadline is a different round number. */
export const POLICY: RunPolicy = {
  ...DEFAULT_RUN_POLICY,
  planningTimeoutMs: 1_000,
  leaseAcceptanceMs: 2_000,
  leaseTtlMs: 10_000,
  heartbeatMs: 3_000,
  cancelDeadlineMs: 5_000,
  queueTimeoutMs: 100_000,
  runTimeoutMs: 500_000,
};

export const JOB_TIMEOUT_MS = 50_000;

export const REPOSITORY = aRepository();
export const CHANGE = aChange({ base: 'b'.repeat(40), head: 'c'.repeat(40) });

export function job(key: string, needs: string[] = [], policy: Partial<JobPolicy> = {}): PlannedJobState {
  return {
    key,
    needs,
    policy: { ...DEFAULT_JOB_POLICY, timeoutMs: JOB_TIMEOUT_MS, ...policy },
    requirements: REQUIREMENTS,
  };
}

export function createRun(policy: Partial<RunPolicy> = {}): RunCommandOf<'create-run'> {
  return {
    type: 'create-run',
    data: { runId: RUN, repository: REPOSITORY, change: CHANGE, policy: { ...POLICY, ...policy }, rerun: null },
  };
}

/** A run in which job `a` of another one is looked into. */
export function createDebugRun(policy: Partial<RunPolicy> = {}): RunCommandOf<'create-run'> {
  const { type, data } = createRun(policy);
  const debug = { attempt: 1, by: 'olga', reason: 'it fails at night', heldMs: 600_000 };
  return { type, data: { ...data, rerun: { of: NEWER_RUN, only: 'all', planDigest: PLAN, jobs: ['a'], debug } } };
}

export function recordPlan(jobs: PlannedJobState[], policy: Partial<RunPolicy> = {}): RunCommandOf<'record-plan'> {
  return {
    type: 'record-plan',
    planDigest: PLAN,
    policy: { ...POLICY, ...policy },
    jobs,
    summary: 'what changed',
    inputsDigest: INPUTS,
  };
}

/** The hash of the lease of one attempt: different for each. */
export function leaseHash(jobKey: string, attempt = 1): string {
  const digits = Array.from(`${attempt}.${jobKey}`, (character) => (character.codePointAt(0) ?? 0).toString(16));
  return digits.reverse().join('').padEnd(64, '0').slice(0, 64);
}

/** The runner that takes an attempt, unless a spec says otherwise. */
export function runner(jobKey: string, attempt = 1): string {
  return `rnr_${leaseHash(jobKey, attempt).slice(0, 32)}`;
}

export function grantLease(jobKey: string, attempt = 1): RunCommandOf<'grant-lease'> {
  return {
    type: 'grant-lease',
    jobKey,
    attempt,
    leaseHash: leaseHash(jobKey, attempt),
    runnerId: runner(jobKey, attempt),
  };
}

export function handOutSecrets(jobKey: string, attempt = 1): RunCommandOf<'hand-out-secrets'> {
  return {
    type: 'hand-out-secrets',
    leaseHash: leaseHash(jobKey, attempt),
    runnerId: runner(jobKey, attempt),
    handOut: HAND_OUT,
  };
}

export function openDebug(jobKey: string, attempt = 1): RunCommandOf<'open-debug'> {
  return {
    type: 'open-debug',
    leaseHash: leaseHash(jobKey, attempt),
    runnerId: runner(jobKey, attempt),
    logOffset: 40,
  };
}

export function endUnbegunAttempt(
  jobKey: string,
  report: CompletionReport = NO_SOURCE,
  attempt = 1,
): RunCommandOf<'end-unbegun-attempt'> {
  return {
    type: 'end-unbegun-attempt',
    leaseHash: leaseHash(jobKey, attempt),
    runnerId: runner(jobKey, attempt),
    report,
  };
}

export function acknowledgeLease(jobKey: string, attempt = 1): RunCommandOf<'acknowledge-lease'> {
  return { type: 'acknowledge-lease', leaseHash: leaseHash(jobKey, attempt), runnerId: runner(jobKey, attempt) };
}

export function reportProgress(
  jobKey: string,
  phase: RunCommandOf<'report-progress'>['phase'],
  attempt = 1,
): RunCommandOf<'report-progress'> {
  return { type: 'report-progress', leaseHash: leaseHash(jobKey, attempt), runnerId: runner(jobKey, attempt), phase };
}

export function completeAttempt(
  jobKey: string,
  report: CompletionReport = SUCCESS,
  attempt = 1,
): RunCommandOf<'complete-attempt'> {
  return { type: 'complete-attempt', leaseHash: leaseHash(jobKey, attempt), runnerId: runner(jobKey, attempt), report };
}

export function acknowledgeCancel(
  jobKey: string,
  report: CompletionReport = STOPPED,
  attempt = 1,
): RunCommandOf<'acknowledge-cancel'> {
  return {
    type: 'acknowledge-cancel',
    leaseHash: leaseHash(jobKey, attempt),
    runnerId: runner(jobKey, attempt),
    report,
  };
}

export function recordArtifact(
  jobKey: string,
  artifact: ArtifactRecord = ARTIFACT,
  attempt = 1,
): RunCommandOf<'record-artifact'> {
  return {
    type: 'record-artifact',
    leaseHash: leaseHash(jobKey, attempt),
    runnerId: runner(jobKey, attempt),
    artifact,
  };
}

export function recordCache(jobKey: string, cache: CacheRecord = CACHE, attempt = 1): RunCommandOf<'record-cache'> {
  return {
    type: 'record-cache',
    leaseHash: leaseHash(jobKey, attempt),
    runnerId: runner(jobKey, attempt),
    cache,
  };
}

export function expireLease(jobKey: string, attempt = 1, wasActive = true): RunCommandOf<'expire-lease'> {
  return { type: 'expire-lease', jobKey, attempt, fence: attempt, wasActive, silentSinceMs: T0 };
}

export const cancelRun = { type: 'cancel-run', reason: 'somebody asked' } as const;
export const supersedeRun = { type: 'supersede-run', by: NEWER_RUN } as const;
export const enforceDeadlines = { type: 'enforce-deadlines' } as const;

export function publish(
  final: RunCommandOf<'record-publication'>['data']['final'],
  status: RunCommandOf<'record-publication'>['data']['status'] = 'published',
): RunCommandOf<'record-publication'> {
  return {
    type: 'record-publication',
    data: {
      target: 'check:delta-ci',
      externalId: '17',
      viewPosition: 40,
      digest: `sha256:${'d'.repeat(64)}`,
      status,
      detail: '',
      final,
    },
  };
}

export function explain(jobKey: string, attempt = 1): RunCommandOf<'record-explanation'> {
  return { type: 'record-explanation', jobKey, attempt, explanation: EXPLANATION };
}

export const EXPLANATION: FailureExplanation = {
  class: 'user',
  category: 'test',
  confidence: 'high',
  headline: 'one test fails',
  sentences: [],
  location: null,
  failedTests: [],
  rules: [],
  nextStep: 'run it',
  incomplete: [],
};

export const HAND_OUT: HandOut = {
  secrets: [{ name: 'NPM_TOKEN', provider: 'mounted' }],
  idTokens: [{ name: 'CLOUD', audience: ['https://cloud.example.org'], tokenId: 'jti-1', expiresAtMs: T0 + 9 }],
};

export const ARTIFACT: ArtifactRecord = {
  name: 'junit.xml',
  type: 'junit',
  digest: `sha256:${'e'.repeat(64)}`,
  sizeBytes: 10,
  retentionDays: 14,
};

const CHUNK = { digest: `sha256:${'c'.repeat(64)}`, sizeBytes: 10, contentBytes: 100 };
export const CACHE: CacheRecord = {
  key: 'npm-packages-1',
  digest: `sha256:${'d'.repeat(64)}`,
  sizeBytes: 10,
  contentBytes: 100,
  content: { home: [CHUNK], workspace: [] },
};

const USAGE = { wallMs: 5, cpuMs: null, memoryPeakBytes: null };

export const STEP: StepResult = {
  name: 'test',
  exitCode: 0,
  signal: null,
  timedOut: false,
  oomKilled: false,
  usage: USAGE,
  logRange: { from: 0, to: 10 },
};

export const SUCCESS = aReport('succeeded', { steps: [STEP], usage: USAGE, logBytes: 10, runnerFinishedAtMs: 5 });

/** A test fails: the user's. */
export const FAILURE: CompletionReport = {
  ...SUCCESS,
  outcome: 'failed',
  exitCode: 1,
  steps: [{ ...STEP, exitCode: 1 }],
};

/** The runner could not fetch the sources: infrastructure. */
export const NO_SOURCE: CompletionReport = {
  ...SUCCESS,
  outcome: 'failed',
  exitCode: null,
  steps: [],
  infrastructureError: { code: 'source_unavailable', message: 'connection refused' },
};

export const TOO_LONG: CompletionReport = {
  ...SUCCESS,
  outcome: 'timed_out',
  exitCode: null,
  steps: [{ ...STEP, exitCode: null, signal: 'SIGKILL', timedOut: true }],
};

export const STOPPED: CompletionReport = { ...SUCCESS, outcome: 'canceled', exitCode: null, steps: [] };
