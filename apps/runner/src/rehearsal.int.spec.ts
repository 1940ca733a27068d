import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
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
  afterEach(() => void jest.restoreAllMocks());
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

  it.each(['ack', 'log'])(
    'given work when it says %s, then it reports nothing any more, and leaves nothing',
    async (word) => {
      const over = new AbortController();
      const said: string[] = [];
      const send = globalThis.fetch;
      jest.spyOn(globalThis, 'fetch').mockImplementation(async (address, request) => {
        const { pathname } = new URL(address instanceof Request ? address.url : address);
        said.push(pathname.split('/').at(-1) ?? '');
        if (said.at(-1) === word) over.abort();
        return send(address, request);
      });
      await rehearse(workDir, logger, over.signal);
      expect(said).toContain(word);
      expect(said).not.toContain('complete');
      expect([await readdir(workDir), lines]).toEqual([[], []]);
    },
  );
});
