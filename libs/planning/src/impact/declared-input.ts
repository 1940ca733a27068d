import type { JobKind } from '@delta-ci/contracts';
import type { FileRule } from './file-rule.ts';
import type { Declaration } from './declarations.ts';
import type { Reach, Verdict } from './impact.ts';
import { concernedBy, listed, nameOf, type World } from './world.ts';

/**
 * Files that units declare to read reach those units, as far as each says. Owners that declare nothing about their own
 * file notice it as any other; a file of nobody that somebody declares is no longer one that everybody may read.
 */
export const declaredInput: FileRule = (path, world) => {
  const declarations = world.declarations.of(path).filter(({ also }) => !also);
  const [first] = declarations;
  if (first === undefined) return null;
  const declared = new Map<string, Reach>();
  const noticed = declarations.filter((each) => !saysTheSame(each, world));
  for (const each of noticed) {
    const known = declared.get(each.unit.id)?.kinds;
    declared.set(each.unit.id, { unit: each.unit.id, kinds: widened(known ?? [], each) });
  }
  const { owners, ids } = concernedBy(world, path);
  const declaring = new Set(declarations.map(({ unit }) => unit.id));
  const whole = owners.some(({ workspaceMeaning }) => workspaceMeaning !== null) ? [] : ids;
  const others = whole.filter((id) => !declaring.has(id)).map((unit): Reach => ({ unit, kinds: 'all' }));
  const names = [...new Set((noticed.length > 0 ? noticed : declarations).map(({ unit }) => nameOf(unit)))];
  const same = noticed.length > 0 ? '' : ', and says the same to it as before';
  return {
    rule: 'declared-input',
    reaches: [...[...declared.values()].filter(({ kinds }) => kinds.length > 0), ...others],
    because: `it is declared as an input of ${listed(names)}: ${(noticed[0] ?? first).evidence}${same}`,
  };
};

/** Whole folders are read for what is made of them, not for what lies in them for people and editors. */
const READ_BY_NOBODY: ReadonlySet<string> = new Set<Verdict['rule']>(['documentation', 'not-read-by-jobs']);

/** Whoever reads a file beside those that a rule has named: they come to these, and take nothing away. */
export function withFurtherReaders(verdict: Verdict, path: string, world: World): Verdict {
  const further = world.declarations.of(path).filter(({ also }) => also);
  const [first] = further;
  if (first === undefined || verdict.reaches === world.everyUnit || READ_BY_NOBODY.has(verdict.rule)) return verdict;
  const reaches = new Map(verdict.reaches.map((each) => [each.unit, each]));
  const come = further.filter((each) => reaches.get(each.unit.id)?.kinds !== 'all');
  for (const each of come) {
    const { id } = each.unit;
    const known = reaches.get(id)?.kinds ?? [];
    reaches.set(id, { unit: id, kinds: known === 'all' ? known : widened(known, each) });
  }
  if (come.length === 0) return verdict;
  const names = [...new Set(come.map(({ unit }) => nameOf(unit)))];
  const because = `${verdict.because}; it also concerns ${listed(names)}: ${come[0]?.evidence ?? first.evidence}`;
  return { ...verdict, reaches: [...reaches.values()], because };
}

/** A file that is compared by what it says to a unit may change in ways that concern others, or nobody. */
function saysTheSame({ unit, paths, meaning }: Declaration, { baseUnits }: World): boolean {
  if (meaning === null) return false;
  const key = paths.join('\n');
  const before = baseUnits.get(unit.id)?.inputs.find((each) => each.paths.join('\n') === key);
  return before?.meaning === meaning;
}

/** Who depends on a unit notices when it is built differently, so what its build reads reaches all of it. */
function widened(known: Reach['kinds'], { kinds }: Declaration): Reach['kinds'] {
  if (known === 'all' || kinds === 'all' || kinds.includes('build')) return 'all';
  return [...new Set<JobKind>([...known, ...kinds])];
}
