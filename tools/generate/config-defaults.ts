import {
  DEFAULT_IDLE_TIMEOUT_MS,
  DEFAULT_JOB_LIMITS,
  DEFAULT_JOB_POLICY,
  DEFAULT_RUN_POLICY,
  DEFAULT_SHADOW_RULES,
} from '@delta-ci/contracts';
import { HEALTH_SECONDS_DEFAULT, RETENTION_DAYS_DEFAULT } from '@delta-ci/planning';
import { code } from './markdown.ts';

const seconds = (ms: number): string => code(String(ms / 1_000));
const said = (value: boolean | number): string => code(String(value));
const gibibytes = (bytes: number): string => code(`${bytes / 1_024 ** 3}Gi`);
const installations = (value: string): string => `${value}, or what the installation says`;

/** What holds where a key of the config file is left out. Keys with further keys, and those that have to be there, have none. */
export const CONFIG_DEFAULTS: Readonly<Record<string, string>> = {
  'jobs.*.image': 'the runner’s own files',
  'jobs.*.toolchain': 'what the runner has',
  'jobs.*.runs_on': 'any runner of the pool',
  'jobs.*.workdir': code('.'),
  'jobs.*.needs': 'none',
  'jobs.*.source.submodules': 'none of them',
  'jobs.*.source.lfs': said(false),
  'jobs.*.paths': 'it runs for every change',
  'jobs.*.matrix': 'one job',
  'jobs.*.env': 'none',
  'jobs.*.secrets': 'none',
  'jobs.*.id_tokens': 'none',
  'jobs.*.services': 'none',
  'jobs.*.services.*.ports': 'none',
  'jobs.*.services.*.env': 'none',
  'jobs.*.services.*.health.timeout_seconds': said(HEALTH_SECONDS_DEFAULT),
  'jobs.*.artifacts': 'none',
  'jobs.*.artifacts.*.retention_days': said(RETENTION_DAYS_DEFAULT),
  'jobs.*.caches': 'none',
  'jobs.*.policy.required': `${said(DEFAULT_JOB_POLICY.required)}, and ${said(false)} for a job that may fail`,
  'jobs.*.policy.allow_failure': said(DEFAULT_JOB_POLICY.allowFailure),
  'jobs.*.policy.retries': said(DEFAULT_JOB_POLICY.retries),
  'jobs.*.policy.retry_timeouts': said(DEFAULT_JOB_POLICY.retryTimeouts),
  'jobs.*.policy.timeout_seconds': seconds(DEFAULT_JOB_POLICY.timeoutMs),
  'jobs.*.policy.idle_timeout_seconds': seconds(DEFAULT_IDLE_TIMEOUT_MS),
  'jobs.*.policy.priority': said(DEFAULT_JOB_POLICY.priority),
  'policies.runs.cancel_superseded': installations(said(DEFAULT_RUN_POLICY.cancelSuperseded)),
  'policies.runs.max_runtime_seconds': installations(seconds(DEFAULT_RUN_POLICY.runTimeoutMs)),
  'policies.runs.max_concurrency': installations(said(DEFAULT_RUN_POLICY.maxConcurrency)),
  'policies.runs.fail_fast': installations(said(DEFAULT_RUN_POLICY.failFast)),
  'policies.shadow.rate': installations(said(DEFAULT_SHADOW_RULES.rate)),
  'policies.shadow.max_escape_rate': installations(said(DEFAULT_SHADOW_RULES.escapeRateMax)),
  'policies.shadow.min_samples': installations(said(DEFAULT_SHADOW_RULES.samplesMin)),
  'limits.cpu': said(DEFAULT_JOB_LIMITS.cpuCount),
  'limits.memory': gibibytes(DEFAULT_JOB_LIMITS.memoryBytes),
  'limits.disk': gibibytes(DEFAULT_JOB_LIMITS.diskBytes),
  'source.submodules': 'none of them',
  'source.lfs': said(false),
};
