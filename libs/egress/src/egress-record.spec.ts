import { describe, expect, it } from '@jest/globals';
import { EGRESS_DECISIONS_MAX, EgressDecision } from '@delta-ci/contracts';
import { EgressRecord } from './egress-record.ts';

describe('the record of what was decided', () => {
  it('counts like decisions together and tells of the first of each', () => {
    const told: EgressDecision[] = [];
    const record = new EgressRecord((decision) => told.push(decision));
    const place = { host: 'registry.example.org', port: 443 };
    record.count(record.allowed(place), 10, 20);
    record.count(record.allowed(place), 1, 2);
    record.refused(place, 'not-tls');
    record.refused(place, 'not-tls');
    expect(record.summary()).toEqual([
      { ...place, decision: 'allowed', reason: null, count: 2, sentBytes: 11, receivedBytes: 22 },
      { ...place, decision: 'refused', reason: 'not-tls', count: 2, sentBytes: 0, receivedBytes: 0 },
    ]);
    expect(told.map(({ decision, count }) => [decision, count])).toEqual([
      ['allowed', 1],
      ['refused', 1],
    ]);
    expect(record.movedBytes).toBe(33);
  });

  it('given more places than a report may tell apart, counts the rest together and tells nobody', () => {
    let told = 0;
    const record = new EgressRecord(() => void (told += 1));
    for (let at = 0; at < 1_000; at += 1) record.refused({ host: `h${at}.example`, port: 443 }, 'not-listed');
    const summary = record.summary();
    expect(summary).toHaveLength(EGRESS_DECISIONS_MAX);
    expect(summary.at(-1)).toMatchObject({ decision: 'others', host: null, count: 1_000 - EGRESS_DECISIONS_MAX + 1 });
    expect(told).toBe(EGRESS_DECISIONS_MAX - 1);
    expect(summary.every((decision) => EgressDecision.safeParse(decision).success)).toBe(true);
  });
});
