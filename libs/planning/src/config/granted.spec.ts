import { describe, expect, it } from '@jest/globals';
import { DEFAULT_JOB_LIMITS, DEFAULT_JOB_POLICY, type Plan } from '@delta-ci/contracts';
import { PRIORITY_MAX } from '../construction/job-decisions.ts';
import { inputsFor, planned, type Files } from '../planned-repository.fixture.ts';

const fileWith = (policy: string, limits: string): Files => ({
  'delta.yaml': `version: 1\njobs:\n  unit: { steps: [make test], policy: ${policy} }\nlimits: ${limits}\n`,
});

const GREEDY = fileWith(
  '{ timeout_seconds: 86400, retries: 10, retry_timeouts: true, priority: 100 }',
  '{ cpu: "64", memory: 512Gi, disk: 1Ti }',
);
const MODEST = fileWith('{}', '{}');
const GENEROUS = fileWith(
  '{ timeout_seconds: 7200, retries: 3, retry_timeouts: true, priority: 50 }',
  '{ cpu: "8", memory: 1Gi }',
);

function jobOf(before: Files | null, after: Files, trust: 'trusted' | 'untrusted'): Plan['jobs'][number] | undefined {
  const { change } = inputsFor(before, after);
  return planned(before, after, { change: { ...change, trust } }).jobs[0];
}

describe('what a change may ask of runners', () => {
  it('given somebody trusted, then what the file says', () => {
    expect(jobOf(MODEST, GREEDY, 'trusted')).toMatchObject({
      limits: { cpuCount: 64, memoryBytes: 512 * 1024 ** 3, diskBytes: 1024 ** 4 },
      policy: { timeoutMs: 86_400_000, retries: 10, retryTimeouts: true, priority: 100 },
    });
  });

  it.each<[string, Files | null]>([
    ['the base asks for nothing', MODEST],
    ['there is no base', null],
    ['the base has no such file', { 'README.md': 'x' }],
    ['the file of the base cannot be followed', { 'delta.yaml': 'version: 1\njobs: {a: {}}\nlimits: {cpu: "64"}\n' }],
  ])('given a stranger, when %s, then what any job gets', (_, before) => {
    expect(jobOf(before, GREEDY, 'untrusted')).toMatchObject({
      limits: DEFAULT_JOB_LIMITS,
      policy: { ...DEFAULT_JOB_POLICY, priority: PRIORITY_MAX },
    });
  });

  it('given a stranger, when the base has given more already, then as much as that and no less than any job gets', () => {
    expect(jobOf(GENEROUS, GREEDY, 'untrusted')).toMatchObject({
      limits: { ...DEFAULT_JOB_LIMITS, cpuCount: 8 },
      policy: { timeoutMs: 7_200_000, retries: 3, retryTimeouts: true, priority: 50 },
    });
  });

  it('given labels of runners, then a stranger has those that the base has sent some job to, and a trusted change all', () => {
    const on = (labels: string): Files => ({
      'delta.yaml': `version: 1\njobs:\n  unit: { steps: [make test], runs_on: [${labels}] }\n`,
    });
    const labelsOf = (trust: 'trusted' | 'untrusted') => jobOf(on('arm'), on('arm, gpu'), trust)?.requirements.labels;
    expect(labelsOf('trusted')).toEqual(['arm', 'gpu']);
    expect(labelsOf('untrusted')).toEqual(['arm']);
  });

  it('given a stranger who asks for less, then that', () => {
    const less = fileWith('{ timeout_seconds: 60, retries: 0, priority: -5 }', '{ cpu: "1" }');
    expect(jobOf(MODEST, less, 'untrusted')).toMatchObject({
      limits: { cpuCount: 1 },
      policy: { timeoutMs: 60_000, retries: 0, priority: -5 },
    });
  });
});
