import { byText } from '../tree-paths.ts';
import type { Reach } from './impact.ts';

/** Each unit once, as far as any of several reaches goes. */
export function mergeReaches(reaches: readonly Reach[]): Reach[] {
  const merged = new Map<string, Reach>();
  for (const reach of reaches) {
    const known = merged.get(reach.unit);
    const kinds = known === undefined ? reach.kinds : kindsOfBoth(known.kinds, reach.kinds);
    merged.set(reach.unit, { unit: reach.unit, kinds });
  }
  return [...merged.values()].sort((one, other) => byText(one.unit, other.unit));
}

function kindsOfBoth(one: Reach['kinds'], other: Reach['kinds']): Reach['kinds'] {
  return one === 'all' || other === 'all' ? 'all' : [...new Set([...one, ...other])];
}
