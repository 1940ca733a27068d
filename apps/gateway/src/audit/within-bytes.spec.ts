import { describe, expect, it } from '@jest/globals';
import type { AuditRecord } from '@delta-ci/contracts';
import { withinBytes } from './within-bytes.ts';

const record = (position: number, length: number): AuditRecord => ({
  position,
  canonical: 'x'.repeat(length),
  prevHash: '',
  hash: '',
  columns: { id: '', stream: '', version: 1, type: '', schemaVersion: 1, time: '', correlation: null },
});
const positions = (lengths: readonly number[]) =>
  withinBytes(
    lengths.map((length, index) => record(index + 1, length)),
    100,
  ).map(({ position }) => position);

describe('a page of records', () => {
  it('ends before the record that no longer fits, and holds one that fits nowhere', () => {
    expect(positions([])).toEqual([]);
    expect(positions([40, 60])).toEqual([1, 2]);
    expect(positions([40, 60, 1])).toEqual([1, 2]);
    expect(positions([500, 1])).toEqual([1]);
  });
});
