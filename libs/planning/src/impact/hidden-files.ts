import { hidesFiles, type ChangedPlace } from './changed-places.ts';
import type { Reach, Verdict } from './impact.ts';
import { mergeReaches } from './merge-reaches.ts';
import { concernedBy, listed, nameOf, type World } from './world.ts';

/**
 * A submodule that moved on, or a link that leads elsewhere, is one path, and whatever lies behind it changed. So it
 * reaches all of its owners, and whoever declares to read anything below. Of a submodule that lies in no unit but the one
 * around everything, anybody may be made.
 */
export function withReadersBelow(verdict: Verdict, place: ChangedPlace, world: World): Verdict {
  if (!hidesFiles(place) || verdict.rule === 'documentation' || verdict.reaches === world.everyUnit) return verdict;
  const { path, holds } = place;
  const { owners, ids } = concernedBy(world, path);
  const what = holds.has('submodule') ? 'a submodule' : 'a symbolic link';
  if (holds.has('submodule') && owners.every(({ root }) => root === '.')) {
    const because = `${verdict.because}; it is ${what} beside every unit, so any of them may be made of it`;
    return { ...verdict, reaches: world.everyUnit, because };
  }
  const further = world.declarations.below(path).map(({ unit }) => unit);
  const all = [...ids, ...further.map(({ id }) => id)];
  const reaches = mergeReaches([...verdict.reaches, ...all.map((unit): Reach => ({ unit, kinds: 'all' }))]);
  const also = further.length === 0 ? '' : ` by ${listed([...new Set(further.map(nameOf))])} too`;
  return {
    ...verdict,
    reaches,
    because: `${verdict.because}; it is ${what}, and what lies behind it may be read${also}`,
  };
}
