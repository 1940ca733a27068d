import type { JobKind } from '@delta-ci/contracts';
import type { ChangedFile, Discovery, Unit } from '../model.ts';
import { byText } from '../tree-paths.ts';
import {
  checkoutConfiguration,
  ciConfiguration,
  documentation,
  lintConfiguration,
  notReadByJobs,
  releaseNoted,
  testConfiguration,
  toolchainFile,
  typescriptConfiguration,
} from './configuration-rules.ts';
import type { FileRule } from './file-rule.ts';
import { changedWord, placesOf, type ChangedPlace } from './changed-places.ts';
import { closureDifference } from './closure-difference.ts';
import { lockfile, manifest } from './description-rules.ts';
import { declaredInput, withFurtherReaders } from './declared-input.ts';
import { withDependents, type DirectCauses } from './dependents.ts';
import { NO_EDGES } from './edge-path.ts';
import type { Cause, FileImpact, Impact, Reach, UnitImpact, Verdict } from './impact.ts';
import { mergeReaches } from './merge-reaches.ts';
import { withReadersBelow } from './hidden-files.ts';
import { imageDescription } from './image-rule.ts';
import { ownership } from './ownership-rule.ts';
import type { Owners } from './ownership.ts';
import { concernedBy, listed, nameOf, worldOf, type World } from './world.ts';

/** The first rule that has something to say decides; the last one always has. */
const RULES: readonly FileRule[] = [
  ciConfiguration,
  checkoutConfiguration,
  imageDescription,
  manifest,
  lockfile,
  notReadByJobs,
  releaseNoted,
  documentation,
  lintConfiguration,
  typescriptConfiguration,
  toolchainFile,
  testConfiguration,
  declaredInput,
  ownership,
];

/** Rules that leave nothing out, and why not. */
export type RulesOff = ReadonlyMap<string, string>;

const ALL_ON: RulesOff = new Map();

/**
 * What a change can reach: each file by its rules, then everything that depends on what was reached.
 * @param off by their names; files that one of them decides on reach everything, for the reason given
 */
export function assessChange(
  head: Discovery,
  base: Discovery,
  changes: readonly ChangedFile[],
  off: RulesOff = ALL_ON,
): Impact {
  const world = worldOf(head, base);
  const files = changes
    .map((change) => withoutRules(judgeFile(change, world), off, world))
    .sort((one, other) => byText(one.path, other.path));
  const direct = directCauses(files, world);
  return { files, units: withDependents(head, direct) };
}

/** Without anything to compare with: every unit, for that reason. */
export function assessEverything(head: Discovery, reason: string): Impact {
  const units = head.units.map(({ id }): [string, UnitImpact] => {
    const whole: Cause = { rule: 'no-base', file: null, because: reason, path: NO_EDGES, origin: id, furtherFiles: 0 };
    return [id, { whole, kinds: new Map() }];
  });
  return { files: [], units: new Map(units) };
}

function judgeFile(change: ChangedFile, world: World): FileImpact {
  const { path, status, oldPath } = change;
  const [place, oldPlace] = placesOf(change);
  const old = oldPlace === undefined ? null : judgePlace(oldPlace, world);
  const now = judgePlace(place, worldAround(change, world));
  const told = old !== null && old.reaches.length > now.reaches.length ? old : now;
  const origin = oldPath === undefined ? '' : ` from ${oldPath}`;
  return {
    path,
    status: changedWord(status),
    owner: concernedBy(world, path).owners[0]?.id ?? null,
    rule: told.rule,
    because: told.because,
    reaches: old === null ? now.reaches : mergeReaches([...old.reaches, ...now.reaches]),
    sentence: `${path} was ${changedWord(status)}${origin}: ${told === now ? '' : 'there '}${told.because}.`,
  };
}

function withoutRules(file: FileImpact, off: RulesOff, world: World): FileImpact {
  const why = off.get(file.rule);
  if (why === undefined) return file;
  const because = `${file.because}, but everything runs: ${why}`;
  const sentence = `${file.path} was ${file.status}: ${because}.`;
  return { ...file, reaches: world.everyUnit, because, sentence };
}

/**
 * A file that was added belonged to nobody before, and one that was deleted belongs to nobody now: not even to the
 * workspace around a unit that came or went with it, which everything would notice.
 */
function worldAround({ path, status }: ChangedFile, world: World): World {
  if (status === 'A' && world.headOwners(path).length > 0) return { ...world, baseOwners: nobody };
  if (status === 'D' && world.baseOwners(path).length > 0) return { ...world, headOwners: nobody };
  return world;
}

const nobody: Owners = () => [];

function judgePlace(place: ChangedPlace, world: World): Verdict {
  const { path, holds } = place;
  for (const rule of RULES) {
    const verdict = rule(path, world, holds);
    if (verdict !== null) return withReadersBelow(withFurtherReaders(verdict, path, world), place, world);
  }
  throw new Error('the last rule has an answer for every path');
}

function directCauses(files: readonly FileImpact[], world: World): DirectCauses {
  const whole = new Map<string, Cause>();
  const kinds = new Map<string, Map<JobKind, Cause>>();
  for (const { first, count } of withSameReach(files)) {
    for (const reach of first.reaches) {
      const cause: Cause = { ...causeOf(first), origin: reach.unit, furtherFiles: count - 1 };
      if (reach.kinds === 'all') add(whole, reach.unit, cause);
      else {
        const ofUnit = kinds.get(reach.unit) ?? new Map<JobKind, Cause>();
        kinds.set(reach.unit, ofUnit);
        for (const kind of reach.kinds) add(ofUnit, kind, cause);
      }
    }
  }
  for (const unit of world.head.units) {
    const cause = whole.has(unit.id) ? null : differenceOf(unit, world);
    if (cause !== null) whole.set(unit.id, cause);
  }
  return { whole, kinds };
}

/** Very many files may share one very long list of units, which is then gone through once. */
function withSameReach(files: readonly FileImpact[]): Iterable<{ readonly first: FileImpact; readonly count: number }> {
  const groups = new Map<readonly Reach[], { readonly first: FileImpact; count: number }>();
  for (const file of files) {
    const known = groups.get(file.reaches);
    if (known === undefined) groups.set(file.reaches, { first: file, count: 1 });
    else known.count += 1;
  }
  return groups.values();
}

function causeOf(file: FileImpact): Omit<Cause, 'origin'> {
  return { rule: file.rule, file, because: file.because, path: NO_EDGES, furtherFiles: 0 };
}

/** The first file in order stands for the others, which are counted. Files that a unit owns tell more than shared ones. */
function add<K>(causes: Map<K, Cause>, key: K, cause: Cause): void {
  const known = causes.get(key);
  if (known === undefined) causes.set(key, cause);
  else {
    const better = known.rule !== 'ownership' && cause.rule === 'ownership' ? cause : known;
    causes.set(key, { ...better, furtherFiles: known.furtherFiles + cause.furtherFiles + 1 });
  }
}

/** What the files' own rules did not attribute: a unit that is described differently than before, for whatever reason. */
function differenceOf(unit: Unit, world: World): Cause | null {
  const before = world.baseUnits.get(unit.id);
  if (before === unit) return null;
  const shared = { file: null, path: NO_EDGES, origin: unit.id, furtherFiles: 0 };
  if (before === undefined) return { ...shared, rule: 'unit-added', because: `${nameOf(unit)} is new` };
  const packages = closureDifference(before.closure, unit.closure);
  if (packages !== null) {
    return {
      ...shared,
      rule: 'lockfile-closure',
      because: `the external packages of ${nameOf(unit)} changed (${packages})`,
    };
  }
  const aspects = differingAspects(before, unit);
  if (aspects.length === 0) return null;
  const because = `${nameOf(unit)} is described differently than before (${listed(aspects)})`;
  return { ...shared, rule: 'description-changed', because };
}

/** Names of the aspects in which two descriptions of a unit differ. */
function differingAspects(before: Unit, after: Unit): string[] {
  const earlier = aspectsOf(before);
  return [...aspectsOf(after)].flatMap(([name, value]) => (earlier.get(name) === value ? [] : [name]));
}

const ASPECTS = new WeakMap<Unit, ReadonlyMap<string, string | undefined>>();

/** Written down once for each unit: it is compared with the one before it and with the one behind. */
function aspectsOf(unit: Unit): ReadonlyMap<string, string | undefined> {
  const known = ASPECTS.get(unit) ?? aspectsFrom(unit);
  ASPECTS.set(unit, known);
  return known;
}

/** What a unit is made of, by name, as comparable text. How its packages are installed is not among it: that brings in the same ones. */
function aspectsFrom(unit: Unit): ReadonlyMap<string, string | undefined> {
  const aspects: [name: string, value: unknown][] = [
    ['manifest', unit.meaning],
    ['commands', unit.commands.map(({ kind, step, text }) => [kind, step, text])],
    ['environment', unit.env],
    ['inputs', unit.inputs.map(({ paths, kinds, meaning }) => [paths, kinds, meaning])],
    ['workspace', [unit.workspace, unit.ecosystem]],
    ['toolchain', unit.toolchain?.version],
    ['builds it needs', unit.buildsFirst],
  ];
  return new Map(aspects.map(([name, value]) => [name, JSON.stringify(value)]));
}
