import { describe, expect, it } from '@jest/globals';
import { historyPage } from './history-page.ts';
import type { Recorded } from './history.ts';

const run = (day: string, value: number): Recorded => ({
  version: 1,
  commit: 'ab'.repeat(20),
  changed: false,
  machine: { platform: 'linux', cpu: 'a processor', cores: 2, memoryGiB: 24, versions: {} },
  measured: [
    {
      measure: 'append',
      at: `${day}T00:00:00.000Z`,
      loadBefore: 0.1,
      quick: false,
      figures: [
        { name: 'append.run-events', value, unit: '/s', raw: { what: 'an insert', value: 50_000 }, note: 'a note' },
      ],
    },
  ],
});

describe('the page of the history', () => {
  it('given no run, then it says so', () => {
    expect(historyPage([])).toContain('Nothing has been recorded yet.');
  });

  it('given one run, then its figures stand beside their raw limits and goals', () => {
    const page = historyPage([run('2026-01-02', 20_000)]);
    expect(page).toContain('[2026-01-02-abababababab](2026-01-02-abababababab.json)');
    expect(page).toContain(
      '| `append.run-events` | 20,000/s | 0.4 of an insert (50,000/s) | a note | 0.1 | [2026-01-02-abababababab](2026-01-02-abababababab.json) |',
    );
    expect(page).toContain('| `append.run-events` | at least 0.35 of raw | 0.4 of raw | met |');
    expect(page).toContain('| not measured |');
    expect(page).not.toContain('## Before');
  });

  it('given several runs, then the newest is the one that is told, and stands first among them', () => {
    const page = historyPage([run('2026-01-02', 20_000), run('2026-01-03', 25_000)]);
    expect(page).toContain('| `append.run-events` | 25,000/s | 20,000/s |');
    expect(page).toContain('0.5 of raw');
  });

  it('given a measure that the newest run did not take, then what an older one found is told', () => {
    const newer = run('2026-01-03', 0);
    const relay = { ...newer.measured[0]!, measure: 'relay', figures: [] };
    const page = historyPage([run('2026-01-02', 20_000), { ...newer, measured: [relay] }]);
    expect(page).toContain('| `append.run-events` | at least 0.35 of raw | 0.4 of raw | met |');
  });
});
