import { describe, expect, it } from '@jest/globals';
import { DEFAULT_JOB_LIMITS, DEFAULT_JOB_POLICY } from '@delta-ci/contracts';
import { endingInWords } from './reported-step.ts';

const MiB = 1024 ** 2;

describe('what the log says of a step that reached a limit', () => {
  it.each([
    ['timeout', 'stopped: the job has used up its time, 90 s (timeout_seconds)'],
    ['idle_timeout', 'stopped: the step printed nothing for too long, 30 s (idle_timeout_seconds)'],
    ['disk_full', 'ended: the job filled its disk, 20Gi or 2000000 files (limits: disk)'],
    [
      'out_of_memory',
      'ended: a process of the step was killed, because the job reached its limit of memory, 1536Mi (limits: memory)',
    ],
  ] as const)('%s: which, and what sets it', (endedBy, words) => {
    const limits = { ...DEFAULT_JOB_LIMITS, memoryBytes: 1_536 * MiB };
    const policy = { ...DEFAULT_JOB_POLICY, timeoutMs: 90_000, idleTimeoutMs: 30_000 };
    expect(endingInWords(endedBy, { limits, policy })).toBe(words);
  });

  it('given that it was stopped, then why, and without a word of that a cancel', () => {
    const job = { limits: DEFAULT_JOB_LIMITS, policy: DEFAULT_JOB_POLICY };
    expect(endingInWords('canceled', job)).toBe('stopped: the job was canceled');
    expect(endingInWords('canceled', job, 'its runner has to end')).toBe('stopped: its runner has to end');
  });
});
