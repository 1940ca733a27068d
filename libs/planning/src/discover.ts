import { CONFIG_FILE_NAMES } from '@delta-ci/contracts';
import type { Detector, FurtherWants } from './detectors/detector.ts';
import { DETECTORS } from './detectors/known-detectors.ts';
import { DiscoveryMemory, type KeptDiscovery, type Link } from './discovery-memory.ts';
import type { DeclaredInput, Discovery, RepositorySnapshot, SnapshotEntry, Unit, UnitEdge } from './model.ts';
import { byText, folderOf, resolvePath } from './tree-paths.ts';
import { withoutThoseThatGiveWay } from './give-way.ts';
import { literalPattern } from './glob.ts';
import { isProse } from './impact/configuration-rules.ts';
import { ownersIn } from './impact/ownership.ts';
import { Answers } from './tracing/answers.ts';
import { sizeOf } from './tracing/difference.ts';
import { Listing } from './tracing/listing.ts';
import { isSame, type Question, type RepositoryView, type Selection } from './tracing/repository-view.ts';

/**
 * Which entries planning needs the contents of: manifests, lockfiles, workspace definitions, the configuration file, and
 * where symbolic links lead. To be asked for the tree that is tested and for the one it is compared with.
 */
export function wantedPaths(entries: readonly SnapshotEntry[]): string[] {
  const further = wantedAmong((selection) => entries.filter(({ path, type }) => selection(path, type)));
  return entries
    .filter(
      (entry) =>
        entry.type !== 'submodule' && (entry.type === 'symlink' || isWantedAlone(entry) || further.wants(entry.path)),
    )
    .map(({ path }) => path);
}

const CONFIG: readonly string[] = CONFIG_FILE_NAMES;

const isConfig = (path: string): boolean => CONFIG.includes(path);

/**
 * What is kept of a wanted entry: its text, or what its detector needs of that. Depends on the path, the type and the text
 * alone, so whoever reads blobs may remember it.
 */
export function condensed({ path, type }: Pick<SnapshotEntry, 'path' | 'type'>, text: string): string {
  if (type === 'symlink') return text;
  const mayCondense = DETECTORS.filter(({ wants, wantsAmong }) => wantsAmong !== undefined || wants(path));
  for (const { condense } of mayCondense) {
    const kept = condense?.(path, text) ?? null;
    if (kept !== null) return kept;
  }
  return text;
}

/**
 * How a repository builds: what the detectors found, with units named once each. Independent of the order of entries, and of
 * what `memory` holds: that only spares detectors what they would find again.
 */
export function discover(snapshot: RepositorySnapshot, memory: DiscoveryMemory = new DiscoveryMemory()): Discovery {
  const same = memory.recall(snapshot);
  if (same !== null) return same.whole;
  const listing = Listing.of(snapshot.entries);
  const sorted = { entries: listing.entries, contents: snapshot.contents };
  const closest = memory.closest(sorted);
  if (closest !== null && sizeOf(closest.difference) === 0) {
    memory.keep({ ...closest.kept, snapshot: sorted }, closest.kept);
    return closest.kept.whole;
  }
  if (closest !== null) listing.carry(closest.kept.listing, closest.difference.listed);
  const further = wantedAmong((selection) => listing.select(selection));
  const earlier = closest?.kept.shape === further.key ? closest : null;
  const discovered = discoverFrom({ snapshot: sorted, listing, shape: further.key }, further.wants, earlier, memory);
  memory.keep(discovered);
  return discovered.whole;
}

type Wants = (path: string) => boolean;

function discoverFrom(
  place: Pick<KeptDiscovery, 'snapshot' | 'listing' | 'shape'>,
  further: Wants,
  earlier: ReturnType<DiscoveryMemory['closest']>,
  memory: DiscoveryMemory,
): KeptDiscovery {
  const { listing, snapshot } = place;
  const answers = new Map<Wants, Answers>();
  const answersFor = (wants: Wants): Answers => {
    const known = answers.get(wants);
    if (known !== undefined) return known;
    const asked = { listing, contents: snapshot.contents, isVisible: visibleTo(wants, further) };
    const before = earlier?.kept.answers.get(wants);
    const { difference } = earlier ?? {};
    const carried = before === undefined || difference === undefined ? null : { answers: before, difference };
    const made = new Answers(asked, memory.detectors, memory.parsed, carried);
    answers.set(wants, made);
    return made;
  };
  const found = DETECTORS.map((detector) =>
    listing.select(detector.wants).length === 0 ? NOTHING : answersFor(detector.wants).to(questionOf(detector)),
  );
  const links = answersFor(everything).to(LINKS);
  for (const each of answers.values()) each.settle();
  const before = earlier?.kept;
  const isAsBefore = before?.links === links && found.every((each, at) => each === before.found[at]);
  const whole = isAsBefore ? before.whole : joined(found, links);
  return { ...place, answers, found, links, whole };
}

/** Made apart from the earlier snapshot: what is kept with answers must not hold on to those before them. */
function visibleTo(wants: Wants, further: Wants): Wants {
  return (path) => wants(path) || further(path);
}

const everything: Wants = () => true;

const QUESTIONS = new Map(
  DETECTORS.map((detector): [Detector, Question<Discovery>] => [
    detector,
    { answer: (view, memory) => detector.detect(view, memory), same: isSame },
  ]),
);

function questionOf(detector: Detector): Question<Discovery> {
  const question = QUESTIONS.get(detector);
  if (question === undefined) throw new Error(`there is a question for every detector: ${detector.ecosystem}`);
  return question;
}

/** Files that are wanted because of others beside them. */
function wantedAmong(listed: RepositoryView['listed']): FurtherWants {
  const further = DETECTORS.flatMap(({ wantsAmong }) => wantsAmong?.(listed) ?? []);
  return {
    key: JSON.stringify(further.map(({ key }) => key)),
    wants: (path) => further.some(({ wants }) => wants(path)),
  };
}

/** Which detectors want an entry, whatever stands beside it, a bit for each: most entries of a commit are those of the commit before. */
const WANTED_BY = new WeakMap<SnapshotEntry, number>();

function wantedBy(entry: SnapshotEntry): number {
  const known = WANTED_BY.get(entry);
  if (known !== undefined) return known;
  const wanted = DETECTORS.reduce((bits, { wants }, at) => (wants(entry.path) ? bits | (1 << at) : bits), 0);
  WANTED_BY.set(entry, wanted);
  return wanted;
}

/** Whether a detector wants an entry for its own sake, whatever stands beside it. */
export const describesUnits = (entry: SnapshotEntry): boolean => wantedBy(entry) !== 0;

const isWantedAlone = (entry: SnapshotEntry): boolean => isConfig(entry.path) || describesUnits(entry);

/** What a detector finds where there is no file that it wants, whatever else there is. */
const NOTHING: Discovery = { units: [], edges: [], problems: [] };

function joined(found: readonly Discovery[], links: readonly Link[]): Discovery {
  const taken = new Set<string>();
  const before: Unit[] = [];
  const named = found.map((discovery, at) => {
    const givesWay = DETECTORS[at]?.givesWay;
    const kept = givesWay === undefined ? discovery : withoutThoseThatGiveWay(discovery, givesWay, before);
    before.push(...kept.units);
    const renamed = renameTaken(kept, taken);
    for (const { id } of renamed.units) taken.add(id);
    return renamed;
  });
  const ordered = named.flatMap((each) => each.units).sort((one, other) => byText(one.id, other.id));
  const units = withLinkedFiles(links, ordered);
  const edges = [...named.flatMap((each) => each.edges), ...symlinkEdges(links, units)];
  return { units, edges: withoutRepeats(edges), problems: named.flatMap((each) => each.problems) };
}

/** Two ecosystems may share a folder: the second one's unit is then named with its ecosystem. */
function renameTaken(discovery: Discovery, taken: ReadonlySet<string>): Discovery {
  const nameOf = new Map(
    discovery.units.map(({ id, ecosystem }) => [id, taken.has(id) ? `${id} (${ecosystem})` : id] as const),
  );
  const rename = (id: string): string => nameOf.get(id) ?? id;
  return {
    units: discovery.units.map((unit) => ({
      ...unit,
      id: rename(unit.id),
      buildsFirst: unit.buildsFirst.map(rename),
      commands: unit.commands.map((command) => {
        const { joins } = command;
        return joins === null ? command : { ...command, joins: { ...joins, group: rename(joins.group) } };
      }),
    })),
    edges: discovery.edges.map((edge) => ({ ...edge, from: rename(edge.from), to: rename(edge.to) })),
    problems: discovery.problems,
  };
}

/** Whoever holds a symbolic link notices what it leads to. Links out of the repository lead nowhere we could see. */
function symlinkEdges(links: readonly Link[], units: readonly Unit[]): UnitEdge[] {
  const owners = ownersIn(units);
  return links.flatMap((link) => {
    if (leadsToProse(link)) return [];
    const { path, target } = link;
    const evidence = `the symbolic link ${path} leads to ${target}`;
    return owners(path).flatMap((from) =>
      owners(target)
        .filter((to) => to.id !== from.id)
        .map((to): UnitEdge => ({ from: from.id, to: to.id, kind: 'symlink', evidence })),
    );
  });
}

const leadsToProse = ({ target, toFile }: Link): boolean => toFile && isProse(target);

/** What links of a unit lead to out of it is read by it, whatever the owner of that, or nobody, has to say about it. */
function withLinkedFiles(links: readonly Link[], units: readonly Unit[]): Unit[] {
  const owners = ownersIn(units);
  const linked = new Map<string, DeclaredInput[]>();
  const prose = new Map<string, Set<string>>();
  for (const link of links) {
    const { path, target, toFile } = link;
    const there = new Set(owners(target));
    const pattern = literalPattern(target);
    for (const unit of owners(path)) {
      const { id } = unit;
      if (leadsToProse(link)) prose.set(id, (prose.get(id) ?? new Set()).add(pattern));
      else if (!there.has(unit)) {
        const paths = toFile ? [pattern] : [pattern, `${pattern}/**`];
        const input: DeclaredInput = {
          paths,
          kinds: 'all',
          also: true,
          evidence: `its symbolic link ${path} leads there`,
        };
        const known = linked.get(id);
        if (known === undefined) linked.set(id, [input]);
        else known.push(input);
      }
    }
  }
  return units.map((unit) => {
    const paths = prose.get(unit.id);
    const more = linked.get(unit.id) ?? [];
    if (paths === undefined && more.length === 0) return unit;
    // A licence or a page is read by itself: whatever else its owner has is no business of the link.
    const pages: DeclaredInput[] =
      paths === undefined ? [] : [{ paths: [...paths], kinds: 'all', evidence: 'its symbolic links lead there' }];
    return { ...unit, inputs: [...unit.inputs, ...pages, ...more] };
  });
}

/** Symbolic links that lead somewhere in the repository. */
const LINKS: Question<readonly Link[]> = {
  answer: (view) =>
    view.listed(isLink).flatMap(({ path }) => {
      const target = resolvePath(folderOf(path), view.contents.get(path)?.trim() ?? '');
      return target === null ? [] : [{ path, target, toFile: view.files.has(target) }];
    }),
  same: isSame,
};

const isLink: Selection = (_, type) => type === 'symlink';

function withoutRepeats(edges: readonly UnitEdge[]): UnitEdge[] {
  const byKey = new Map(edges.map((edge) => [`${edge.from}\n${edge.to}\n${edge.kind}`, edge]));
  return [...byKey].sort(([one], [other]) => byText(one, other)).map(([, edge]) => edge);
}
