import { folderOf } from '../tree-paths.ts';
import { manifest } from './description-rules.ts';
import type { FileRule } from './file-rule.ts';
import type { Reach } from './impact.ts';

const STARTS_CONTAINERS = /\b(?:docker|docker-compose|compose|podman|buildx|testcontainers)\b/u;

/**
 * A Dockerfile or a compose file concerns what it describes, the units of the folder it lies in, whose tests may look at
 * it, and any job that starts containers by its own words.
 */
export const imageDescription: FileRule = (path, world, holds) => {
  const described = [...(world.headManifests.get(path) ?? []), ...(world.baseManifests.get(path) ?? [])];
  if (!described.some(({ ecosystem }) => ecosystem === 'docker')) return null;
  const verdict = manifest(path, world, holds);
  if (verdict === null || verdict.rule === 'manifest-cosmetic') return verdict;
  const around = world.headOwners(folderOf(path)).filter(({ workspaceMeaning }) => workspaceMeaning === null);
  const starters = world.head.units.flatMap(({ id, commands }): Reach[] => {
    const kinds = commands.filter(({ text }) => STARTS_CONTAINERS.test(text)).map(({ kind }) => kind);
    return kinds.length === 0 ? [] : [{ unit: id, kinds: kinds.includes('build') ? 'all' : kinds }];
  });
  const whole = new Map(
    [...verdict.reaches, ...around.map(({ id }): Reach => ({ unit: id, kinds: 'all' }))].map((each) => [
      each.unit,
      each,
    ]),
  );
  return { ...verdict, reaches: [...whole.values(), ...starters.filter(({ unit }) => !whole.has(unit))] };
};
