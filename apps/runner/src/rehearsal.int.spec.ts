import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger, createRedactor } from '@delta-ci/service';
import { rehearse } from './rehearsal.ts';

describe('a rehearsal', () => {
  let workDir: string;
  let lines: string[];
  let logger: ReturnType<typeof createLogger>;

  beforeEach(async () => {
    workDir = await mkdtemp(join(tmpdir(), 'delta-rehearsal-'));
    lines = [];
    const sink = { write: (line: string): void => void lines.push(line) };
    const redactor = createRedactor();
    logger = createLogger({ service: 'runner', instance: 'spec', level: 'trace', pretty: false, redactor, sink });
  });
  afterEach(async () => rm(workDir, { recursive: true, force: true }));

  it('given nothing to do, then an attempt is leased, carried out and reported, and nothing of it is left or told', async () => {
    await rehearse(workDir, logger, new AbortController().signal);
    expect([await readdir(workDir), lines]).toEqual([[], []]);
  });

  it('given work before it began, then it does nothing', async () => {
    const rehearsed = rehearse(workDir, logger, AbortSignal.abort());
    await expect(rehearsed).rejects.toThrow('This operation was aborted');
    expect(await readdir(workDir)).toEqual([]);
  });

  it('given work in the middle of it, then it ends soon, and leaves nothing', async () => {
    const over = new AbortController();
    const rehearsed = rehearse(workDir, logger, over.signal).catch(() => 'broken off');
    setImmediate(() => over.abort());
    await rehearsed;
    expect([await readdir(workDir), lines]).toEqual([[], []]);
  });
});
