import { describe, expect, it } from '@jest/globals';
import { LeaseUploads } from './lease-uploads.ts';

const [MINE, OTHER] = ['a'.repeat(64), 'b'.repeat(64)];
const refusal = expect.objectContaining({ refusal: expect.objectContaining({ code: 'payload_too_large' }) });
const caught = (act: () => void): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  return null;
};

describe('the uploads of a lease', () => {
  it('are bounded in number and in bytes, for each lease by itself', () => {
    const uploads = new LeaseUploads({ requestsMax: 3, bytesMax: 100 });
    for (let request = 0; request < 3; request++) uploads.count(MINE, 0);
    expect(caught(() => uploads.count(MINE, 0))).toEqual(refusal);
    uploads.count(OTHER, 100);
    expect(caught(() => uploads.count(OTHER, 1))).toEqual(refusal);
    expect(caught(() => uploads.count(OTHER, 0))).toEqual(refusal);
  });

  it('are bounded by what the lease may need, where that is said', () => {
    const uploads = new LeaseUploads({ requestsMax: 9, bytesMax: 100 });
    uploads.count(MINE, 50, { requestsMax: 1, bytesMax: 50 });
    expect(caught(() => uploads.count(MINE, 0, { requestsMax: 1, bytesMax: 50 }))).toEqual(refusal);
  });

  it('are read back one after the other, also after one that failed', async () => {
    const uploads = new LeaseUploads({ requestsMax: 9, bytesMax: 9 });
    const told: string[] = [];
    const first = Promise.withResolvers<void>();
    const turns = [
      uploads.inTurn(MINE, async () => {
        await first.promise;
        told.push('first');
        throw new Error('other bytes');
      }),
      uploads.inTurn(MINE, async () => Promise.resolve(told.push('second'))),
    ];
    await uploads.inTurn(OTHER, async () => Promise.resolve(told.push('other')));
    first.resolve();
    expect(await Promise.allSettled(turns)).toMatchObject([{ status: 'rejected' }, { status: 'fulfilled' }]);
    expect(told).toEqual(['other', 'first', 'second']);
  });
});
