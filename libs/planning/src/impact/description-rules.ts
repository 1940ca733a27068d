import type { Unit } from '../model.ts';
import { isWithin } from '../tree-paths.ts';
import { closureDifference } from './closure-difference.ts';
import type { FileRule } from './file-rule.ts';
import type { Reach, Verdict } from './impact.ts';
import { concernedBy, listed, nameOf, survivorsOf, type World } from './world.ts';

const all = (ids: Iterable<string>): Reach[] => [...new Set(ids)].map((unit) => ({ unit, kinds: 'all' }));

/** Manifests are compared by meaning: a changed description is not a changed build. */
export const manifest: FileRule = (path, world) => {
  const broken = [...world.head.problems, ...world.base.problems].find(
    (problem) => problem.path === path && problem.code !== 'lockfile_unreadable',
  );
  if (broken !== undefined) {
    return {
      rule: 'manifest-unreadable',
      reaches: world.everyUnit,
      because: 'it could not be read, so everything runs',
    };
  }
  const after = world.headManifests.get(path) ?? [];
  const before = world.baseManifests.get(path) ?? [];
  if (after.length === 0) return before.length === 0 ? null : removed(path, before, world);
  return before.length === 0 ? added(path, after, world) : compared(before, after, world);
};

function removed(path: string, before: readonly Unit[], world: World): Verdict {
  const survivors = before.flatMap((unit) => survivorsOf(world, unit));
  const reaches = all([...survivors, ...concernedBy(world, path).ids]);
  return { rule: 'unit-removed', reaches, because: `it described ${namesOf(before)}, ${isOrAre(before)} gone` };
}

function added(path: string, after: readonly Unit[], world: World): Verdict {
  const because = `it describes ${namesOf(after)}, ${isOrAre(after)} new`;
  const reaches = all([...after.map(({ id }) => id), ...concernedBy(world, path).ids]);
  return { rule: 'unit-added', reaches, because };
}

const isOrAre = (units: readonly Unit[]): string => (units.length === 1 ? 'which is' : 'which are');

function namesOf(units: readonly Unit[]): string {
  return listed(units.map(nameOf));
}

function compared(before: readonly Unit[], after: readonly Unit[], world: World): Verdict {
  const [one] = after;
  const leading = after.find(({ workspaceMeaning }) => workspaceMeaning !== null) ?? one;
  if (leading === undefined) throw new Error('a file that describes something describes a unit');
  const earlier = new Map(before.map((unit) => [unit.id, unit]));
  if ((earlier.get(leading.id)?.workspaceMeaning ?? null) !== leading.workspaceMeaning) {
    const members = world.head.units.filter(
      ({ root, ecosystem, workspace }) =>
        ecosystem === leading.ecosystem && (isWithin(root, leading.root) || workspace === leading.root),
    );
    const because = 'it describes the whole workspace, and says something else to a build than before';
    return { rule: 'workspace-manifest', reaches: all(members.map(({ id }) => id)), because };
  }
  const different = after.filter(({ id, meaning }) => earlier.get(id)?.meaning !== meaning && earlier.has(id));
  const heirs = heirsOf(leading, world);
  if (heirs.length > 0) {
    const because = `it describes the whole workspace, and says something else than before about ${namesOf(heirs)}`;
    return { rule: 'workspace-manifest', reaches: all([...different, ...heirs].map(({ id }) => id)), because };
  }
  if (different.length > 0) {
    return {
      rule: 'manifest',
      reaches: all(different.map(({ id }) => id)),
      because: `it describes ${namesOf(different)}, and says something else to a build than before`,
    };
  }
  return {
    rule: 'manifest-cosmetic',
    reaches: [],
    because: `it describes ${namesOf(after)}, but nothing in it that a build reads changed`,
  };
}

/** Members that leave part of their description to the manifest of their workspace, where that part is another now. */
function heirsOf({ root, workspaceMeaning }: Unit, { head, baseUnits }: World): Unit[] {
  if (workspaceMeaning === null) return [];
  const members = head.units.filter(({ workspace, inherited }) => workspace === root && inherited !== undefined);
  return members.filter(({ id, inherited }) => {
    const before = baseUnits.get(id);
    return before !== undefined && before.inherited !== inherited;
  });
}

/** Lockfiles are read, not feared: only units whose own external packages changed are affected. */
export const lockfile: FileRule = (path, world) => {
  const uses = ({ closure }: Unit): boolean => closure.kind !== 'none' && closure.lockfile === path;
  const users = [...world.head.units, ...world.base.units].filter(uses);
  if (users.length === 0) return null;
  const ids = [...new Set(users.map(({ id }) => id))].filter((id) => world.headUnits.has(id));
  const unreadable = users.map(({ closure }) => closure).find(({ kind }) => kind === 'unreadable');
  if (unreadable?.kind === 'unreadable') {
    const because = `it could not be compared (${unreadable.reason}), so everything installed from it is affected`;
    return { rule: 'lockfile-unreadable', reaches: all(ids), because };
  }
  return closuresCompared(ids, world);
};

function closuresCompared(ids: readonly string[], world: World): Verdict {
  const differences = ids.flatMap((id) => {
    const before = world.baseUnits.get(id)?.closure ?? { kind: 'none' };
    const after = world.headUnits.get(id)?.closure ?? { kind: 'none' };
    const difference = closureDifference(before, after);
    return difference === null ? [] : [{ id, difference }];
  });
  const [first] = differences;
  if (first === undefined) {
    const because = `it resolves the same external packages as before for ${ids.length === 1 ? 'its unit' : `all ${ids.length} units`}`;
    return { rule: 'lockfile-closure', reaches: [], because };
  }
  const names = listed(differences.map(({ id }) => id));
  const because = `it changes the external packages of ${names} (${first.difference})`;
  return { rule: 'lockfile-closure', reaches: all(differences.map(({ id }) => id)), because };
}
