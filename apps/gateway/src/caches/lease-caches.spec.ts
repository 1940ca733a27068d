import { describe, expect, it } from '@jest/globals';
import { fewAtOnce } from './lease-caches.ts';

describe('questions to the store', () => {
  it('are answered in their order, and only a few are under way at once', async () => {
    const all = Array.from({ length: 256 }, (_, at) => at);
    let [underWay, most] = [0, 0];
    const answers = await fewAtOnce(all, async (at) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise<void>((resolve) => setImmediate(resolve));
      underWay -= 1;
      return 2 * at;
    });
    expect([answers, most]).toEqual([all.map((at) => 2 * at), 8]);
  });
});
