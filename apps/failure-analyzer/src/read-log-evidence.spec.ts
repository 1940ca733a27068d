import { describe, expect, it } from '@jest/globals';
import type { AttemptRef } from '@delta-ci/contracts';
import { aReport } from '../../../test/support/made-up/completion-report.ts';
import { BLOCK_BYTES, readLogEvidence } from './read-log-evidence.ts';

const ATTEMPT = { runId: 'run_1', jobKey: 'unit', attempt: 1 } as AttemptRef;

/** The lines of the failed step, of a log in which it stands between what is before it and after it. */
async function linesOf(before: string, step: string, after: string): Promise<string[]> {
  const log = Buffer.from(before + step + after);
  const usage = { wallMs: 900, cpuMs: null, memoryPeakBytes: null };
  const ended = { name: 'test', exitCode: 1, signal: null, timedOut: false, oomKilled: false, usage };
  const logRange = { from: before.length, to: before.length + step.length };
  const report = aReport('failed', { steps: [{ ...ended, logRange }] });
  const logs = {
    read: async (_: AttemptRef, from: number, lengthMax: number) =>
      Promise.resolve(log.subarray(from, from + lengthMax)),
  };
  const { failedStep } = await readLogEvidence(logs, ATTEMPT, report, new AbortController().signal);
  return log
    .toString()
    .split('\n')
    .slice((failedStep?.from ?? 1) - 1, failedStep?.to ?? 0);
}

describe('the lines of the failed step', () => {
  it.each([
    ['ends its last line', 'one\ntwo\n', ['one', 'two']],
    ['does not end its last line', 'one\ntwo', ['one', 'two']],
    ['has one line', 'one\n', ['one']],
    ['has one line that it does not end', 'one', ['one']],
  ])('given one that %s, then they are its own, wherever blocks end', async (_, step, lines) => {
    const after = `${step.endsWith('\n') ? '' : '\n'}[delta] artifact a: no file of the workspace matches\n`;
    expect(await linesOf('[delta] $ test\n', step, after)).toEqual(lines);
    for (const over of [0, 1, 3, 4, 5, 8]) {
      const before = `${'x'.repeat(BLOCK_BYTES - 1 - over)}\n`;
      expect(await linesOf(before, step, after)).toEqual(lines);
    }
  });

  it('given one that is the end of the log, then they go to its end', async () => {
    expect(await linesOf('before\n', 'one\ntwo', '')).toEqual(['one', 'two']);
  });
});
