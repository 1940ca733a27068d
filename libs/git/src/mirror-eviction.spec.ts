import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chooseEvictions, type MirrorFacts } from './mirror-eviction.ts';

const mirrors = fc.uniqueArray(fc.record({ key: fc.nat(15).map(String), lastUsedMs: fc.nat(5), bytes: fc.nat(100) }), {
  selector: (mirror) => mirror.key,
});
const limits = fc.record({ maxMirrors: fc.integer({ min: 1, max: 8 }), maxBytes: fc.nat(400) });

function without(all: readonly MirrorFacts[], chosen: readonly string[]): MirrorFacts[] {
  return all.filter((mirror) => !chosen.includes(mirror.key));
}

describe('choosing what to evict', () => {
  it('given any cache, when chosen, then the rest is within the limits, or is the last one', () => {
    fc.assert(
      fc.property(mirrors, limits, (all, bounds) => {
        const rest = without(all, chooseEvictions(all, bounds));
        const bytes = rest.reduce((sum, mirror) => sum + mirror.bytes, 0);
        expect(rest.length <= 1 || (rest.length <= bounds.maxMirrors && bytes <= bounds.maxBytes)).toBe(true);
      }),
    );
  });

  it('given any cache, when chosen, then nothing that stays was used before something that goes', () => {
    fc.assert(
      fc.property(mirrors, limits, (all, bounds) => {
        const chosen = chooseEvictions(all, bounds);
        const gone = all.filter((mirror) => chosen.includes(mirror.key));
        const oldestStaying = Math.min(...without(all, chosen).map((mirror) => mirror.lastUsedMs));
        for (const mirror of gone) expect(mirror.lastUsedMs).toBeLessThanOrEqual(oldestStaying);
      }),
    );
  });

  it('given any cache, when chosen, then not one goes that could have stayed', () => {
    fc.assert(
      fc.property(mirrors, limits, (all, bounds) => {
        const chosen = chooseEvictions(all, bounds);
        const last = chosen.at(-1);
        if (last === undefined) return;
        const rest = without(all, chosen.slice(0, -1));
        const bytes = rest.reduce((sum, mirror) => sum + mirror.bytes, 0);
        expect(rest.length > bounds.maxMirrors || bytes > bounds.maxBytes).toBe(true);
      }),
    );
  });
});
