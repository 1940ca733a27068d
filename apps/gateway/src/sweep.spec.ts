import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FileArtifactStore } from '@delta-ci/artifact-store';
import { SigningKeys } from './id-tokens/signing-keys.ts';
import { LogCloser } from './logs/log-closer.ts';
import { keepSwept } from './sweep.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('a gateway that runs for long', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'delta-sweep-'));
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
  });
  afterEach(() => {
    jest.useRealTimers();
    rmSync(directory, { recursive: true, force: true });
  });

  it('given a key whose last token is over, then its file goes within the hour, whatever becomes of the store', async () => {
    let nowMs = 20_000 * DAY_MS;
    const keys = new SigningKeys(directory, DAY_MS, () => nowMs);
    await keys.published();
    const files = () => readdirSync(directory).filter((name) => name.endsWith('.pem'));
    const [first, second, ...more] = files();
    const said: unknown[] = [];
    const store = new FileArtifactStore(join(directory, 'store'));
    store.content.removeAbandoned = () => Promise.reject(new Error('the store is away'));
    const say = (line: unknown) => void said.push(line);
    const logger = { info: say, warn: say } as never;
    const logCloser = new LogCloser({ store, isOver: () => Promise.resolve(false), logger });
    const end = keepSwept({ store, keys, logCloser, logger, logsKeptMs: DAY_MS, nowMs: () => nowMs });
    nowMs += 2 * DAY_MS + HOUR_MS;
    jest.advanceTimersByTime(HOUR_MS);
    await end();
    expect([files(), more]).toEqual([[second], []]);
    expect(first).toBeDefined();
    expect(said).toContainEqual({ event: 'signing-keys-removed', files: 1 });
  });
});
