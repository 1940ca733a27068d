import type { JobKind } from '@delta-ci/contracts';
import type { FileRule } from './file-rule.ts';
import type { Declaration } from './declarations.ts';
import type { Reach } from './impact.ts';
import { concernedBy, listed, nameOf } from './world.ts';

/**
 * Files that units declare to read reach those units, as far as each says. Owners that declare nothing about their own
 * file notice it as any other; a file of nobody that somebody declares is no longer one that everybody may read.
 */
export const declaredInput: FileRule = (path, world) => {
  const declarations = world.declarations(path);
  const [first] = declarations;
  if (first === undefined) return null;
  const declared = new Map<string, Reach>();
  for (const each of declarations) {
    const known = declared.get(each.unit.id)?.kinds;
    declared.set(each.unit.id, { unit: each.unit.id, kinds: widened(known ?? [], each) });
  }
  const { owners, ids } = concernedBy(world, path);
  const whole = owners.some(({ workspaceMeaning }) => workspaceMeaning !== null) ? [] : ids;
  const others = whole.filter((id) => !declared.has(id)).map((unit): Reach => ({ unit, kinds: 'all' }));
  const names = [...new Set(declarations.map(({ unit }) => nameOf(unit)))];
  return {
    rule: 'declared-input',
    reaches: [...[...declared.values()].filter(({ kinds }) => kinds.length > 0), ...others],
    because: `it is declared as an input of ${listed(names)}: ${first.evidence}`,
  };
};

/** Who depends on a unit notices when it is built differently, so what its build reads reaches all of it. */
function widened(known: Reach['kinds'], { kinds }: Declaration): Reach['kinds'] {
  if (known === 'all' || kinds === 'all' || kinds.includes('build')) return 'all';
  return [...new Set<JobKind>([...known, ...kinds])];
}
