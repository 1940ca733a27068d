import { describe, expect, it } from '@jest/globals';
import { MINIMUM_LAYERS, refuseMissingLayer } from '../layer-minimum.ts';
import type { TierProbe } from '../sandbox-executor.ts';

const reasonOf = ({ layers }: TierProbe): string => {
  const refused = refuseMissingLayer(layers, MINIMUM_LAYERS.trusted);
  return refused === null ? 'it isolates' : `${refused.message}; ${refused.remedy ?? ''}`;
};

/**
 * Declares `suite` where the tier works. Elsewhere one test says so, in its name and with the reason: it passes when the
 * kernel does not allow sandboxes here, and fails when all that is missing is bubblewrap, which is ours to bring along.
 */
export function whereItRuns(tier: string, probe: TierProbe, suite: () => void): void {
  if (probe.usable) {
    describe(`${tier} on this host`, () => {
      suite();
    });
    return;
  }
  describe(`${tier} cannot run on this host`, () => {
    it(`says why: ${reasonOf(probe)}`, () => {
      expect(refuseMissingLayer(probe.layers, MINIMUM_LAYERS.trusted)).toMatchObject({ code: 'layer_missing' });
      expect(reasonOf(probe)).not.toContain('bubblewrap was not found');
    });
  });
}
