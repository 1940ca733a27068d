import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aUnit } from '../made-up-unit.fixture.ts';
import type { DependencyKind, Discovery, Unit, UnitCommand, UnitEdge } from '../model.ts';
import { assessChange } from './assess-change.ts';
import { endsOf, FIRST_MAX } from './edge-path.ts';
import type { Cause } from './impact.ts';

const command = (kind: UnitCommand['kind']): UnitCommand => ({
  kind,
  step: { name: kind, run: kind, workdir: '.' },
  evidence: 'its manifest',
  text: kind,
  reports: [],
  outputs: [],
  joins: null,
});

const unit = (root: string, more: Partial<Unit> = {}): Unit =>
  aUnit(root, { commands: [command('build'), command('test')], ...more });

const edge = (from: string, kind: DependencyKind, to: string): UnitEdge => ({
  from,
  to,
  kind,
  evidence: 'its manifest',
});

/** Jobs that a change of `changed` reaches, `unit kind` each. */
function jobsReached({ units, edges }: Pick<Discovery, 'units' | 'edges'>, changed: string): string[] {
  const discovery = { units, edges, problems: [] };
  const { units: impacts } = assessChange(discovery, discovery, [{ status: 'M', path: `${changed}/source` }]);
  return units.flatMap(({ id, commands }) => {
    const impact = impacts.get(id);
    const kinds = commands
      .map(({ kind }) => kind)
      .filter((kind) => impact !== undefined && (impact.whole !== null || impact.kinds.has(kind)));
    return kinds.map((kind) => `${id} ${kind}`);
  });
}

const BOTH = (...ids: readonly string[]): string[] => ids.flatMap((id) => [`${id} build`, `${id} test`]);

describe('a change of a unit', () => {
  const chain = (kind: DependencyKind, more: Partial<Unit> = {}): Pick<Discovery, 'units' | 'edges'> => ({
    units: [unit('app', more), unit('lib'), unit('tool')],
    edges: [edge('app', 'production', 'lib'), edge('lib', kind, 'tool')],
  });

  it.each<DependencyKind>(['production', 'optional', 'peer', 'build', 'workspace', 'symlink'])(
    'goes on through an edge of kind %s to the dependents of the dependent',
    (kind) => {
      expect(jobsReached(chain(kind), 'tool')).toEqual(BOTH('app', 'lib', 'tool'));
    },
  );

  it('reaches who is worked on with it, and not the dependents of that', () => {
    expect(jobsReached(chain('development'), 'tool')).toEqual(BOTH('lib', 'tool'));
  });

  it('reaches who is worked on with it and those that build that first, since it may have built it', () => {
    expect(jobsReached(chain('development', { buildsFirst: ['lib'] }), 'tool')).toEqual(BOTH('app', 'lib', 'tool'));
  });

  it('reaches the tests of who is tested with it, not the builds, and nobody beyond', () => {
    expect(jobsReached(chain('test', { buildsFirst: ['lib'] }), 'tool')).toEqual(['lib test', ...BOTH('tool')]);
  });

  it('reaches all that there is of who is tested with it and has nothing but a build', () => {
    const units = [unit('lib', { commands: [command('build')] }), unit('tool')];
    expect(jobsReached({ units, edges: [edge('lib', 'test', 'tool')] }, 'tool')).toEqual([
      'lib build',
      ...BOTH('tool'),
    ]);
  });

  it('goes on from a unit that is made of it, whatever else that is worked on with it for', () => {
    const { units, edges } = chain('development');
    const both = { units, edges: [...edges, edge('lib', 'production', 'tool')] };
    expect(jobsReached(both, 'tool')).toEqual(BOTH('app', 'lib', 'tool'));
  });

  it('goes round a circle that is closed by a dependency of development', () => {
    const edges = [
      edge('lib', 'development', 'tool'),
      edge('tool', 'production', 'lib'),
      edge('app', 'production', 'lib'),
    ];
    const units = [unit('app'), unit('lib'), unit('tool')];
    expect(jobsReached({ units, edges }, 'tool')).toEqual(BOTH('lib', 'tool'));
    expect(jobsReached({ units, edges }, 'lib')).toEqual(BOTH('app', 'lib', 'tool'));
  });
});

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const KINDS: readonly DependencyKind[] = ['production', 'development', 'test', 'build', 'optional', 'peer'];
const anyName = fc.constantFrom(...NAMES);
const anyEdge = fc.tuple(anyName, fc.constantFrom(...KINDS), anyName).map(([from, kind, to]) => edge(from, kind, to));
const anyUnits = fc.tuple(
  ...NAMES.map((name) =>
    fc
      .record({
        buildsFirst: fc.subarray(NAMES),
        commands: fc.subarray([command('build'), command('lint'), command('test')]),
      })
      .map((more) => unit(name, more)),
  ),
);

/** What the rules for kinds say, written as a fixed point: who is made of, worked on with or tested with a change. */
function expectedJobs(units: readonly Unit[], edges: readonly UnitEdge[], changed: string): string[] {
  const made = new Set([changed]);
  const worked = new Set<string>();
  const tested = new Set<string>();
  for (let before = -1; before !== made.size + worked.size + tested.size;) {
    before = made.size + worked.size + tested.size;
    for (const { from, to, kind } of edges) {
      const buildsIt = units.some(({ id, buildsFirst }) => id === from && buildsFirst.includes(to));
      if (made.has(to) && kind === 'test') tested.add(from);
      else if (made.has(to)) (kind === 'development' ? worked : made).add(from);
      if (worked.has(to) && buildsIt) made.add(from);
    }
  }
  return units.flatMap(({ id, commands }) => {
    const buildsOnly = commands.every(({ kind }) => kind === 'build');
    return commands
      .filter(({ kind }) => made.has(id) || worked.has(id) || (tested.has(id) && (kind !== 'build' || buildsOnly)))
      .map(({ kind }) => `${id} ${kind}`);
  });
}

describe('laws of edges', () => {
  it('law: a change reaches exactly what the kinds of edges let it', () => {
    fc.assert(
      fc.property(anyUnits, fc.array(anyEdge, { maxLength: 12 }), anyName, (units, edges, changed) => {
        expect(jobsReached({ units, edges }, changed)).toEqual(expectedJobs(units, edges, changed));
      }),
    );
  });

  it('law: one more edge, of whatever kind, never takes a job away', () => {
    fc.assert(
      fc.property(anyUnits, fc.array(anyEdge, { maxLength: 10 }), anyEdge, anyName, (units, edges, more, changed) => {
        const jobs = jobsReached({ units, edges: [...edges, more] }, changed);
        expect(jobs).toEqual(expect.arrayContaining(jobsReached({ units, edges }, changed)));
      }),
    );
  });

  it('law: every cause is a chain of edges from the unit that changed to the one it reaches', () => {
    fc.assert(
      fc.property(anyUnits, fc.array(anyEdge, { maxLength: 12 }), anyName, (units, edges, changed) => {
        const discovery = { units, edges, problems: [] };
        const impact = assessChange(discovery, discovery, [{ status: 'M', path: `${changed}/source` }]);
        for (const [id, { whole, kinds }] of impact.units) {
          for (const cause of [...(whole === null ? [] : [whole]), ...kinds.values()]) expectChain(cause, changed, id);
        }
      }),
    );
  });
});

function expectChain({ origin, path }: Cause, changed: string, reached: string): void {
  const edges = endsOf(path, FIRST_MAX);
  expect(origin).toBe(changed);
  expect([changed, ...edges.map(({ from }) => from)]).toEqual([...edges.map(({ to }) => to), reached]);
}
