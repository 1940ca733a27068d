import { describe, expect, it } from '@jest/globals';
import { resolve } from 'node:path';
import { ensureGvisor, openCache } from '../../../tools/bootstrap/index.mjs';

const repoRoot = resolve(import.meta.dirname, '../../..');

/**
 * Declares `suite` where gVisor's `runsc` is to be had, and gives it the program's path. Elsewhere one test says by its name why
 * it was not tried: it passes, unless `DELTA_TEST_GVISOR=required`.
 */
export async function whereRunscIsHad(subject: string, suite: (runsc: string) => Promise<void> | void): Promise<void> {
  const found = await ensureGvisor({ cacheDir: await openCache({ repoRoot }), say: () => undefined });
  if (found.path !== null) {
    await suite(found.path);
    return;
  }
  describe(`${subject} was not tried`, () => {
    it(`skipped: ${found.reason}`, () => {
      expect(process.env['DELTA_TEST_GVISOR']).not.toBe('required');
    });
  });
}
