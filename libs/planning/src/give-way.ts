import type { Detector } from './detectors/detector.ts';
import type { Discovery, Unit } from './model.ts';
import { foldersUpwards, folderOf, isWithin } from './tree-paths.ts';

/**
 * What a detector found, without the units that give way: another ecosystem that has commands of its own describes their
 * folder, or one above it, and knows what of them it needs. Their files then belong to it, as they would without them.
 */
export function withoutThoseThatGiveWay(
  discovery: Discovery,
  givesWay: NonNullable<Detector['givesWay']>,
  others: readonly Unit[],
): Discovery {
  const described = new Set(others.filter(({ commands }) => commands.length > 0).map(({ root }) => root));
  const stays = (unit: Unit): boolean => {
    if (foldersUpwards(unit.root).some((folder) => folder !== unit.root && described.has(folder))) return false;
    return givesWay === 'below' || !(described.has(unit.root) || startsOthers(unit, described));
  };
  const units = discovery.units.filter(stays);
  const left = new Set(units.map(({ id }) => id));
  const gone = new Set(discovery.units.filter(({ id }) => !left.has(id)).map(({ root }) => root));
  const problems = discovery.problems.filter(({ path, scope }) => path !== null || !gone.has(scope));
  return { units, problems, edges: discovery.edges.filter(({ from, to }) => left.has(from) && left.has(to)) };
}

/** Whether its commands go into folders that others describe: their jobs are told there. */
function startsOthers({ root, commands }: Unit, described: ReadonlySet<string>): boolean {
  const below = [...described].filter((folder) => folder !== root && isWithin(folder, root));
  if (below.length === 0) return false;
  const words = new Set(commands.flatMap(({ text }) => text.match(/[\w@.-]+(?:\/[\w@.-]+)*/gu) ?? []));
  const entered = new Set([...words].flatMap((word) => [word, folderOf(word)]));
  return below.some((folder) => entered.has(root === '.' ? folder : folder.slice(root.length + 1)));
}
