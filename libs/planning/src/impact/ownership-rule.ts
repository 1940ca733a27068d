import { isWithin } from '../tree-paths.ts';
import type { FileRule } from './file-rule.ts';
import { concernedBy, listed, nameOf } from './world.ts';

/** The last rule: a file belongs to the unit with the longest root; what belongs to none, or to a workspace as such, is shared. */
export const ownership: FileRule = (path, world) => {
  const { owners, ids } = concernedBy(world, path);
  if (owners.length === 0 && ids.length === 0) {
    return { rule: 'shared-file', reaches: world.everyUnit, because: 'no unit owns it, so every unit may read it' };
  }
  const shared = owners.find((unit) => unit.workspaceMeaning !== null);
  if (shared !== undefined) {
    const within = world.everyUnitWithin(shared.root);
    const further = ids.filter((id) => !isWithin(world.headUnits.get(id)?.root ?? '.', shared.root));
    return {
      rule: 'workspace-file',
      reaches: further.length === 0 ? within : [...within, ...further.map((unit) => ({ unit, kinds: 'all' as const }))],
      because: `it belongs to the workspace ${nameOf(shared)} itself, so every member may read it`,
    };
  }
  const names = owners.map(nameOf);
  return {
    rule: 'ownership',
    reaches: ids.map((unit) => ({ unit, kinds: 'all' })),
    because: `it belongs to ${listed(names)}`,
  };
};
