import { describe, expect, it } from '@jest/globals';
import { CompletionReport, RUNNER_BODY_BYTES_MAX, type ArtifactRecord } from '@delta-ci/contracts';
import { ArtifactList } from './artifact-list.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const recordOf = (name: string): ArtifactRecord => ({
  name,
  type: 'coverage',
  digest,
  sizeBytes: Number.MAX_SAFE_INTEGER,
  retentionDays: 3_650,
});

/** What a job that leaves `count` files of such names gets into its list. */
function filled(count: number, nameOf: (at: number) => string): ArtifactList {
  const list = new ArtifactList();
  for (let at = 0; at < count; at += 1) if (list.whyNoRoomFor(nameOf(at)) === null) list.add(recordOf(nameOf(at)));
  return list;
}

describe('artifacts of an attempt', () => {
  it('given more files than a report may name, then the report still has its shape', () => {
    const list = filled(5_000, (at) => `out/${at}.txt`);
    expect(list.records).toHaveLength(1_000);
    expect(CompletionReport.shape.artifacts.safeParse(list.records).success).toBe(true);
    expect(list.whyNoRoomFor('one-more.txt')).toContain('at most 1000');
  });

  it.each([
    ['long', 'é'],
    ['unprintable', '\u0001'],
  ])('given %s names, then the list stays within half of what a report may weigh', (_what, character) => {
    const list = filled(1_000, (at) => `${at}${character.repeat(990)}`);
    expect([0, 1_000]).not.toContain(list.records.length);
    expect(Buffer.byteLength(JSON.stringify(list.records))).toBeLessThan(RUNNER_BODY_BYTES_MAX / 2);
  });
});
