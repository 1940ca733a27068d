import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { prepareRegistrationToken } from './registration-token.ts';

describe('the token by which runners register', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-registration-'));
  });
  afterEach(async () => rm(directory, { recursive: true, force: true }));

  const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777;

  it('is made once, and stays, for its owner alone, whatever became of its file', async () => {
    const file = join(directory, 'gateway', 'registration-token');
    const made = prepareRegistrationToken(file);
    expect(made).toMatch(/^[0-9a-f]{64}$/);
    await chmod(file, 0o644);
    expect(prepareRegistrationToken(file)).toBe(made);
    expect([await modeOf(file), await readdir(join(directory, 'gateway'))]).toEqual([0o600, ['registration-token']]);
  });

  it('given a file that has none, as of a start on a full disk, then one is made', async () => {
    const file = join(directory, 'registration-token');
    await writeFile(file, '\n', { mode: 0o644 });
    const made = prepareRegistrationToken(file);
    expect([made.length, prepareRegistrationToken(file) === made, await modeOf(file)]).toEqual([64, true, 0o600]);
  });
});
