import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Checkpoint } from '@delta-ci/contracts';
import { CheckpointFiles } from './checkpoint-files.ts';

describe('checkpoints beside the artifacts', () => {
  let directory: string;
  let files: CheckpointFiles;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-checkpoints-'));
    files = new CheckpointFiles(directory);
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const checkpoint = (position: number, hash = 'a'): Checkpoint => ({
    position,
    hash: hash.repeat(64),
    unfinished: `sha256:${'b'.repeat(64)}`,
    time: '2026-11-20T10:00:00.000Z',
    keyId: 'c'.repeat(32),
    signature: `${'A'.repeat(86)}==`,
  });
  const positions = async (after: number, limit: number) =>
    (await files.list(after, limit)).map(({ position }) => position);

  it('of a store without any are none', async () => {
    expect(await files.list(0, 10)).toEqual([]);
  });

  it('are listed in the order of their positions, across folders, from anywhere', async () => {
    for (const position of [9_999, 7, 10_000, 123_456_789, 70]) await files.put(checkpoint(position));
    expect(await positions(0, 10)).toEqual([7, 70, 9_999, 10_000, 123_456_789]);
    expect(await positions(70, 2)).toEqual([9_999, 10_000]);
    expect(await positions(9_999, 1)).toEqual([10_000]);
    expect(await positions(123_456_789, 10)).toEqual([]);
  });

  it('come back as they were, and may be put again', async () => {
    await files.put(checkpoint(7));
    await files.put(checkpoint(7));
    expect(await files.list(0, 10)).toEqual([checkpoint(7)]);
  });

  it('of one position all stay and are given together', async () => {
    for (const hash of ['a', 'd', 'e']) await files.put(checkpoint(7, hash));
    await files.put(checkpoint(8));
    const listed = await files.list(0, 1);
    expect(listed.map(({ position }) => position)).toEqual([7, 7, 7]);
    expect(new Set(listed.map(({ hash }) => hash[0]))).toEqual(new Set(['a', 'd', 'e']));
    expect(await positions(7, 1)).toEqual([8]);
  });

  it('that were changed are refused by name', async () => {
    await files.put(checkpoint(7));
    const folder = join(directory, 'checkpoints', '000000000000');
    const [name = ''] = await readdir(folder);
    await writeFile(join(folder, name), JSON.stringify(checkpoint(7, 'f')));
    await expect(files.list(0, 10)).rejects.toThrow(/7-[0-9a-f]+\.json is not the checkpoint/);
  });
});
