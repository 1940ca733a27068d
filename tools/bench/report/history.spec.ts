import { describe, expect, it } from '@jest/globals';
import { fileNameOf, figuresOf, merged, parseRecorded, type Measured, type Recorded } from './history.ts';

const machine = {
  platform: 'linux 6.1 x64',
  cpu: 'a processor',
  cores: 2,
  memoryGiB: 24,
  versions: { node: 'v24.21.0' },
};
const measured = (measure: string, value: number): Measured => ({
  measure,
  at: '2026-03-04T05:06:07.000Z',
  loadBefore: 0.1,
  quick: false,
  figures: [{ name: `${measure}.rate`, value, unit: '/s' }],
});
const run = (...all: Measured[]): Recorded => ({
  version: 1,
  commit: 'ab'.repeat(20),
  changed: false,
  machine,
  measured: all,
});

describe('a recorded run', () => {
  it('is named by its day and its commit', () => {
    expect(fileNameOf(run(measured('append', 1)))).toBe('2026-03-04-abababababab.json');
  });

  it('given another go of the same commit, then what was measured again replaces what was measured before', () => {
    const both = merged(run(measured('append', 1), measured('replay', 2)), run(measured('append', 3)));
    expect(figuresOf(both).map(({ name, value }) => [name, value])).toEqual([
      ['replay.rate', 2],
      ['append.rate', 3],
    ]);
  });

  it('given the first go, then it stands as it is', () => {
    expect(merged(null, run(measured('append', 1)))).toEqual(run(measured('append', 1)));
  });

  it('given that one go was taken with uncommitted changes, then the whole is said to be', () => {
    const changed = { ...run(measured('append', 1)), changed: true };
    expect(merged(changed, run(measured('replay', 1))).changed).toBe(true);
  });

  it('is read back as it was written', () => {
    const written = run(measured('append', 1));
    expect(parseRecorded('a.json', JSON.stringify(written))).toEqual(written);
  });

  it.each([
    ['no JSON', 'text'],
    ['another version', JSON.stringify({ ...run(measured('append', 1)), version: 2 })],
    ['a figure without a number', JSON.stringify(run(measured('append', Number.NaN)))],
  ])('given %s, then it is refused by name', (_what, text) => {
    expect(() => parseRecorded('a.json', text)).toThrow(/a\.json is no recorded run/);
  });
});
