import type { Plan, PlannedFile } from '@delta-ci/contracts';
import type { DependencyKind, Discovery } from '@delta-ci/planning';
import { ownerAmong, reachedFrom, type OracleAnswer, type OracleEdge } from './answer.ts';

/**
 * Why a unit that a tool calls affected is not in a plan, decided from what the plan itself says of the changed files and from
 * the dependencies that were discovered. There is no list of exceptions: what these do not explain stays unexplained.
 */
export const REASONS = {
  'documentation only': 'what changed is documentation, which no job of the unit reads',
  'read by no job': 'what changed is read by editors, forges and robots, and by no job',
  'words of a manifest': 'nothing in the manifest that a build reads changed',
  'the lockfile does not reach it':
    'the external packages that the lockfile resolves for the unit are the same as before',
  'says the same to every job': 'what changed is read, and says nothing else than before to any job',
  'configures other jobs': 'what changed configures or feeds jobs of other kinds, or of other units, than the unit has',
  'uses nothing of the root':
    'the tool takes the root of a workspace for a dependency of every package, and of what changed there the unit uses nothing',
  'worked on or tested with it':
    'what changed is only worked on or tested with on the way, so it is no part of what the unit gets',
} as const;

export type ReasonName = keyof typeof REASONS;

/** Rules by which a file reaches less than what lies around it, and what that says of a unit it does not reach. */
const REASON_OF_RULE: Readonly<Record<string, ReasonName>> = {
  documentation: 'documentation only',
  'documentation-read': 'documentation only',
  'not-read-by-jobs': 'read by no job',
  'manifest-cosmetic': 'words of a manifest',
  'lockfile-closure': 'the lockfile does not reach it',
  'lint-configuration': 'configures other jobs',
  'test-configuration': 'configures other jobs',
  'typescript-configuration': 'configures other jobs',
  'toolchain-file': 'configures other jobs',
  'declared-input': 'configures other jobs',
};

/** A unit that only the tool calls affected. */
export interface Difference {
  readonly unit: string;
  /** All that play a part; empty when the difference is unexplained. */
  readonly reasons: readonly ReasonName[];
  /** The explanation, or what is missing for one. */
  readonly words: string;
}

/** What explaining looks at. */
export interface Sides {
  readonly plan: Plan;
  /** Of the tested commit: units and dependencies as the plan was made from. */
  readonly discovery: Pick<Discovery, 'units' | 'edges'>;
  readonly answer: OracleAnswer;
  /** Files that changed, at their old places too. */
  readonly changed: readonly ChangedPlace[];
}

export interface ChangedPlace {
  readonly path: string;
  readonly oldPath?: string;
}

/** Explains differences of one commit: `unit` is the root of one that the tool calls affected and the plan does not. */
export function explainerOf(sides: Sides): (unit: string) => Difference {
  const world = worldOf(sides);
  return (unit) => {
    if (!world.idsAt.has(unit)) return unexplained(unit, 'nothing was discovered there');
    const found = new Set<ReasonName>();
    for (const place of sides.changed.filter((each) => isToBlame(world, each, unit))) {
      const judged = judge(world, place, unit);
      if (judged.kind === 'unexplained') return unexplained(unit, judged.words);
      if (judged.kind === 'explained') found.add(judged.reason);
    }
    const reasons = [...found].sort();
    if (reasons.length === 0)
      return unexplained(unit, 'none of the changed files has to do with it, as far as is known');
    return { unit, reasons, words: reasons.map((reason) => REASONS[reason]).join('; ') };
  };
}

const unexplained = (unit: string, words: string): Difference => ({ unit, reasons: [], words });

interface World {
  readonly units: ReadonlySet<string>;
  readonly files: ReadonlyMap<string, PlannedFile>;
  /** Ids of discovered units by their root. */
  readonly idsAt: ReadonlyMap<string, readonly string[]>;
  readonly rootOf: ReadonlyMap<string, string>;
  /** By the tool's word, roots. */
  readonly theirDependents: (root: string) => ReadonlySet<string>;
  /** The same without those that are dependents by way of the root. */
  readonly theirDependentsBesideRoot: (root: string) => ReadonlySet<string>;
  /** By discovery, ids, along edges of any kind. */
  readonly ourDependents: (id: string) => ReadonlySet<string>;
  /** Those of them that notice a change of the whole unit. */
  readonly ourNoticing: (id: string) => ReadonlySet<string>;
}

/** Kinds of dependencies that pass nothing on to further dependents. */
const ENDING: ReadonlySet<DependencyKind> = new Set<DependencyKind>(['development', 'test']);

function worldOf({ plan, discovery, answer }: Sides): World {
  const edges = discovery.edges.map(({ from, to, kind }) => ({ from, to, passesOn: !ENDING.has(kind) }));
  const allEdges = edges.map((edge) => ({ ...edge, passesOn: true }));
  const besideRoot = answer.edges.filter(({ to }) => to !== '.');
  return {
    units: new Set(answer.units),
    files: new Map(plan.files.map((file) => [file.path, file])),
    idsAt: new Map(
      [...Map.groupBy(discovery.units, ({ root }) => root)].map(([root, units]) => [root, units.map(({ id }) => id)]),
    ),
    rootOf: new Map(discovery.units.map(({ id, root }) => [id, root])),
    theirDependents: dependentsAlong(answer.edges),
    theirDependentsBesideRoot: dependentsAlong(besideRoot),
    ourDependents: dependentsAlong(allEdges),
    ourNoticing: dependentsAlong(edges),
  };
}

/** Each asked once: many files of a change lie in the same unit. */
function dependentsAlong(edges: readonly OracleEdge[]): (unit: string) => ReadonlySet<string> {
  const known = new Map<string, ReadonlySet<string>>();
  return (unit) => {
    const dependents = known.get(unit) ?? reachedFrom({ made: [unit], tested: [] }, edges);
    known.set(unit, dependents);
    return dependents;
  };
}

/** Whether the tool can have the unit from this file: it lies in it, in what it depends on, or in no unit but the root. */
function isToBlame({ units, theirDependents }: World, { path, oldPath }: ChangedPlace, unit: string): boolean {
  return [path, ...(oldPath === undefined ? [] : [oldPath])].some((place) => {
    const owner = ownerAmong(units, place);
    return owner === null || owner === '.' || theirDependents(owner).has(unit);
  });
}

type Judged =
  | { readonly kind: 'explained'; readonly reason: ReasonName }
  | { readonly kind: 'has nothing to do with it' }
  | { readonly kind: 'unexplained'; readonly words: string };

const explained = (reason: ReasonName): Judged => ({ kind: 'explained', reason });
const because = (words: string): Judged => ({ kind: 'unexplained', words });

function judge(world: World, { path }: ChangedPlace, unit: string): Judged {
  const file = world.files.get(path);
  if (file === undefined) return because(`the plan says nothing of ${path}`);
  const rootOf = (id: string): string => world.rootOf.get(id) ?? id;
  const between = file.reaches.filter((id) => world.theirDependentsBesideRoot(rootOf(id)).has(unit));
  if (between.length > 0) return judgeBetween(world, file, between, unit);
  const byRoot = file.reaches.filter((id) => world.theirDependents(rootOf(id)).has(unit));
  if (byRoot.length > 0 && (OF_THE_ROOT.has(file.rule) || !byRoot.some((id) => rootOf(id) === '.'))) {
    return explained('uses nothing of the root');
  }
  if (file.rule === 'declared-input' && file.reaches.length === 0) return explained('says the same to every job');
  const reason = REASON_OF_RULE[file.rule];
  if (reason !== undefined) return explained(reason);
  const owner = ownerAmong(world.units, path);
  if (owner === null || owner === '.') return { kind: 'has nothing to do with it' };
  const reached = file.reaches.length === 0 ? 'nothing' : file.reaches.slice(0, 3).join(', ');
  return because(`${path} reaches ${reached} (${file.rule}) and not ${unit}`);
}

/** What a root declares is no part of a member unless the member uses it (decision 0020); these rules tell what a root declares. */
const OF_THE_ROOT: ReadonlySet<string> = new Set(['lockfile-closure', 'manifest', 'manifest-cosmetic']);

/** Rules that may reach some kinds of a unit's jobs alone, of which nothing depends on it notices. */
const OF_SOME_KINDS: ReadonlySet<string> = new Set([
  'lint-configuration',
  'test-configuration',
  'declared-input',
  'documentation-read',
]);

/** By the tool's word the unit depends on what the file reaches, so by ours it has to as well, in a way that ends before it. */
function judgeBetween(world: World, { path, rule }: PlannedFile, between: readonly string[], unit: string): Judged {
  const ids = world.idsAt.get(unit) ?? [];
  const isIn = (dependents: ReadonlySet<string>): boolean => ids.some((id) => dependents.has(id));
  const unseen = between.filter((id) => !isIn(world.ourDependents(id)));
  if (unseen.length > 0) {
    return because(`${path} reaches ${unseen.join(', ')}, and only the tool knows that ${unit} depends on that`);
  }
  if (!between.some((id) => isIn(world.ourNoticing(id)))) return explained('worked on or tested with it');
  if (OF_SOME_KINDS.has(rule)) return explained('configures other jobs');
  return because(`${path} reaches ${between.join(', ')} (${rule}), and ${unit} depends on that and is not reached`);
}
