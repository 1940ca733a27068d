import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileArtifactStore } from '@delta-ci/artifact-store';
import type { AttemptRef } from '@delta-ci/contracts';
import { LogCloser } from './log-closer.ts';

const attempt = (jobKey: string): AttemptRef => ({ runId: `run_${'5'.repeat(32)}`, jobKey, attempt: 1 });
const HOUR_MS = 3_600_000;

describe('closing logs', () => {
  let directory: string;
  let store: FileArtifactStore;
  let warned: unknown[];
  const closer = (isOver: (of: AttemptRef) => Promise<boolean>) =>
    new LogCloser({ store, isOver, logger: { warn: (line: unknown) => void warned.push(line) } as never });
  const isFinal = async (jobKey: string) => (await store.logs.outline(attempt(jobKey))).isFinal;
  const written = async (...jobs: string[]) => {
    for (const job of jobs) await store.logs.append(attempt(job), 0, Buffer.from('the log\n'));
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-closer-'));
    store = new FileArtifactStore(directory);
    warned = [];
  });
  afterEach(async () => rm(directory, { recursive: true, force: true }));

  it('given idle logs, when swept, then those of attempts that are over are archived; trouble with one stops no other', async () => {
    await written('a-broken', 'over', 'under-way', 'z-over');
    const swept = closer(async ({ jobKey }) => {
      if (jobKey === 'a-broken') throw new Error('the database is away');
      return Promise.resolve(jobKey.endsWith('over'));
    });
    expect(await swept.sweep(Date.now())).toBe(0);
    expect(await swept.sweep(Date.now() + HOUR_MS)).toBe(2);
    const final = await Promise.all(['a-broken', 'over', 'under-way', 'z-over'].map(isFinal));
    expect(final).toEqual([false, true, false, true]);
    expect(warned).toMatchObject([{ event: 'log-not-archived' }]);
  });

  it('given a log that was written to just now, when swept, then nobody is asked about it', async () => {
    await written('fresh', 'idle');
    await utimes(join(directory, 'logs', attempt('idle').runId, 'idle', '1.log'), 1, 1);
    const asked: string[] = [];
    await closer(async ({ jobKey }) => Promise.resolve(asked.push(jobKey) > 0)).sweep(Date.now());
    expect(asked).toEqual(['idle']);
  });

  it('given attempts that ended, then their logs are archived one after the other, until it is to end', async () => {
    await written('first', 'second', 'third');
    const closing = closer(async () => Promise.resolve(true));
    const began = Promise.withResolvers<void>();
    const second = Promise.withResolvers<AttemptRef>();
    closing.closeSoon(async () => Promise.resolve(attempt('first')));
    closing.closeSoon(async () => {
      began.resolve();
      return second.promise;
    });
    closing.closeSoon(async () => Promise.resolve(attempt('third')));
    await began.promise;
    expect(await isFinal('first')).toBe(true);
    const ended = closing.end();
    second.resolve(attempt('second'));
    await ended;
    expect([await isFinal('second'), await isFinal('third')]).toEqual([true, false]);
  });
});
