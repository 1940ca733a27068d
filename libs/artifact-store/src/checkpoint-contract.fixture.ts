import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Checkpoint } from '@delta-ci/contracts';
import type { CheckpointStore } from './artifact-store.ts';

/** A place that checkpoints are stored in, and how a test gets at it behind the store's back. */
export interface CheckpointPlace {
  readonly checkpoints: CheckpointStore;
  /** Puts another text in the place of the only one that is stored. */
  overwriteTheOne(text: string): Promise<void>;
  end(): Promise<void>;
}

/** What every `CheckpointStore` holds to, whatever it stores in. @param open an empty place */
export function checkpointContract(open: () => Promise<CheckpointPlace>): void {
  let place: CheckpointPlace;
  let checkpoints: CheckpointStore;
  beforeEach(async () => {
    place = await open();
    ({ checkpoints } = place);
  });
  afterEach(async () => place.end());

  const checkpoint = (position: number, hash = 'a'): Checkpoint => ({
    position,
    hash: hash.repeat(64),
    unfinished: `sha256:${'b'.repeat(64)}`,
    time: '2026-11-20T10:00:00.000Z',
    keyId: 'c'.repeat(32),
    signature: `${'A'.repeat(86)}==`,
  });
  const positions = async (after: number, limit: number) =>
    (await checkpoints.list(after, limit)).map(({ position }) => position);

  it('of a store without any are none', async () => {
    expect(await checkpoints.list(0, 10)).toEqual([]);
  });

  it('are listed in the order of their positions, across folders, from anywhere', async () => {
    for (const position of [9_999, 7, 10_000, 123_456_789, 70]) await checkpoints.put(checkpoint(position));
    expect(await positions(0, 10)).toEqual([7, 70, 9_999, 10_000, 123_456_789]);
    expect(await positions(70, 2)).toEqual([9_999, 10_000]);
    expect(await positions(9_999, 1)).toEqual([10_000]);
    expect(await positions(123_456_789, 10)).toEqual([]);
  });

  it('come back as they were, and may be put again', async () => {
    await checkpoints.put(checkpoint(7));
    await checkpoints.put(checkpoint(7));
    expect(await checkpoints.list(0, 10)).toEqual([checkpoint(7)]);
  });

  it('of one position all stay and are given together', async () => {
    for (const hash of ['a', 'd', 'e']) await checkpoints.put(checkpoint(7, hash));
    await checkpoints.put(checkpoint(8));
    const listed = await checkpoints.list(0, 1);
    expect(listed.map(({ position }) => position)).toEqual([7, 7, 7]);
    expect(new Set(listed.map(({ hash }) => hash[0]))).toEqual(new Set(['a', 'd', 'e']));
    expect(await positions(7, 1)).toEqual([8]);
  });

  it('that were changed are refused by name', async () => {
    await checkpoints.put(checkpoint(7));
    await place.overwriteTheOne(JSON.stringify(checkpoint(7, 'f')));
    await expect(checkpoints.list(0, 10)).rejects.toThrow(/7-[0-9a-f]+\.json is not the checkpoint/);
  });
}
