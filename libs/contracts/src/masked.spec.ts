import { describe, expect, it } from '@jest/globals';
import { CacheResult } from './caches.ts';
import { EgressDecision } from './egress.ts';
import { maskedCaches, maskedEgress, maskedError } from './masked.ts';

const mask = (text: string): string => text.replaceAll('swordfish', '***');

describe('words about a job that may be its own', () => {
  it('are masked in what kept it from being judged', () => {
    const error = { code: 'internal', message: 'tar: swordfish: no such file' } as const;
    expect(maskedError(error, mask)).toEqual({ code: 'internal', message: 'tar: ***: no such file' });
    expect(maskedError(null, mask)).toBeNull();
  });

  it('are masked in what became of caches, and fit a report however long they are', () => {
    const message = `swordfish${'x'.repeat(2_000)}`;
    const caches: CacheResult[] = [
      { key: 'npm', hit: false, problems: [{ during: 'save', code: 'sandbox_failed', message }] },
      { key: 'other', hit: true },
    ];
    const [first, second] = maskedCaches(caches, mask);
    expect(CacheResult.parse(first).problems?.[0]?.message).toMatch(/^\*\*\*x+$/);
    expect(second).toEqual(caches[1]);
  });

  it('are masked in what was decided about connections, and fit a report however long they are', () => {
    const counted = { port: 443, count: 1, sentBytes: 0, receivedBytes: 0 };
    const decisions: EgressDecision[] = [
      {
        ...counted,
        host: 'swordfish.example.org',
        decision: 'refused',
        reason: 'private-address',
        address: '10.0.0.1',
      },
      { ...counted, host: null, decision: 'others', reason: null },
      { ...counted, host: 'x'.repeat(300), decision: 'allowed', reason: null },
    ];
    const masked = maskedEgress(decisions, mask);
    expect(masked.map(({ host, address }) => [host?.slice(0, 20) ?? null, address])).toEqual([
      ['***.example.org', '10.0.0.1'],
      [null, undefined],
      ['x'.repeat(20), undefined],
    ]);
    for (const each of masked) expect(EgressDecision.safeParse(each).error).toBeUndefined();
  });
});
