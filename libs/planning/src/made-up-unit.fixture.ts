import type { Unit } from './model.ts';
import { plainUnit } from './plain-unit.ts';

/** A unit that says nothing but where it is. */
export function aUnit(root: string, more: Partial<Unit> = {}): Unit {
  return { ...plainUnit({ root, ecosystem: 'npm', manifest: `${root}/package.json` }), ...more };
}
