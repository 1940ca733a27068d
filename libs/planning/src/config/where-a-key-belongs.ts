import { ConfigFile, ConfigFileJob } from '@delta-ci/contracts';
import type { ConfigPath } from './config-problem.ts';

/** Keys of other systems' files, and what is meant by them here. */
const FAMILIAR: Readonly<Record<string, string>> = {
  script: 'steps',
  run: 'steps',
  commands: 'steps',
  before_script: 'steps',
  depends_on: 'needs',
  environment: 'env',
  variables: 'env',
  tags: 'runs_on',
  only: 'paths',
  changes: 'paths',
  parallel: 'matrix',
  network: 'egress: { allow: [...] }, in the file',
  timeout: 'policy: { timeout_seconds: ... }',
  'timeout-minutes': 'policy: { timeout_seconds: ... }',
  'continue-on-error': 'policy: { allow_failure: true }',
};

const runs = ConfigFile.shape.policies.unwrap().shape.runs.unwrap().shape;
const policy = ConfigFileJob.shape.policy.unwrap().shape;

/** Where a key that is unknown at one place of `delta.yaml` is known, or what it is called here; null when nobody knows. */
export function whereAKeyBelongs(key: string, path: ConfigPath): string | null {
  const isOfJob = path[0] === 'jobs' && path.length === 2;
  if (isOfJob && Object.hasOwn(policy, key)) return `it is a key of the job's policy: policy: { ${key}: ... }`;
  if (isOfJob && Object.hasOwn(ConfigFile.shape, key)) return 'it is a key of the file, for all of its jobs';
  if (path.length === 0 && Object.hasOwn(ConfigFileJob.shape, key)) return 'it is a key of a job, below jobs';
  if (path.length < 2 && Object.hasOwn(runs, key))
    return `it is a key of policies: policies: { runs: { ${key}: ... } }`;
  return isOfJob && Object.hasOwn(FAMILIAR, key) ? `here it is ${FAMILIAR[key]}` : null;
}
