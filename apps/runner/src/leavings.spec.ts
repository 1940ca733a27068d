import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger, createRedactor } from '@delta-ci/service';
import { jobDirectoryIn } from './job-directory.ts';
import { Leavings } from './leavings.ts';

describe('what an attempt leaves', () => {
  let workDir: string;
  let said: Record<string, unknown>[];
  beforeEach(async () => {
    workDir = await mkdtemp(join(tmpdir(), 'delta-leavings-'));
    said = [];
  });
  afterEach(async () => rm(workDir, { recursive: true, force: true }));

  /** @param timeMs how long its removal may take */
  async function leavings(timeMs?: number): Promise<Leavings> {
    const sink = { write: (line: string) => void said.push(JSON.parse(line) as Record<string, unknown>) };
    const logger = createLogger({
      service: 'runner',
      instance: 'spec',
      level: 'info',
      pretty: false,
      redactor: createRedactor(),
      sink,
    });
    const left = new Leavings(jobDirectoryIn(workDir), logger, timeMs);
    await left.makeDirectory();
    return left;
  }

  it('given what can be removed, then it is, and nothing is said', async () => {
    const left = await leavings();
    left.take(async () => Promise.resolve([]));
    await left.remove();
    expect([existsSync(left.jobDir.directory), said]).toEqual([false, []]);
  });

  it('given a removal that never ends, when its time is up, then nobody waits for it, it is told, and nothing is deleted', async () => {
    const left = await leavings(20);
    left.take(async () => new Promise(() => undefined));
    await left.remove();
    left.take(async () => Promise.resolve([]));
    await left.remove();
    expect(said).toMatchObject([{ event: 'removal-not-ended', afterMs: 20 }]);
    expect(existsSync(left.jobDir.directory)).toBe(true);
  });
});
