import { describe, expect, it } from '@jest/globals';
import type { DeclaredInput, Discovery, Unit } from '../model.ts';
import { aUnit } from '../made-up-unit.fixture.ts';
import { assessChange } from './assess-change.ts';

const reads = (paths: readonly string[], kinds: DeclaredInput['kinds'] = 'all'): DeclaredInput => ({
  paths,
  kinds,
  evidence: 'its configuration names it',
});

const discovered = (...units: readonly Unit[]): Discovery => ({ units, edges: [], problems: [] });

function reachesOf(discovery: Discovery, path: string): Record<string, unknown> {
  const [file] = assessChange(discovery, discovery, [{ status: 'M', path }]).files;
  return Object.fromEntries((file?.reaches ?? []).map(({ unit, kinds }) => [unit, kinds]));
}

describe('files that units declare to read', () => {
  it('reach who declares them instead of everybody, when nobody owns them', () => {
    const discovery = discovered(aUnit('a', { inputs: [reads(['schema/**/*.json'])] }), aUnit('b'));
    expect(reachesOf(discovery, 'schema/v1/order.json')).toEqual({ a: 'all' });
    expect(reachesOf(discovery, 'schema/v1/order.yaml')).toEqual({ a: 'all', b: 'all' });
  });

  it('reach their owner too, unless it says itself which of its commands notice', () => {
    const discovery = discovered(aUnit('a', { inputs: [reads(['b/rules.toml'], ['lint'])] }), aUnit('b'));
    expect(reachesOf(discovery, 'b/rules.toml')).toEqual({ a: ['lint'], b: 'all' });
    const narrowed = discovered(aUnit('b', { inputs: [reads(['b/rules.toml'], ['lint'])] }));
    expect(reachesOf(narrowed, 'b/rules.toml')).toEqual({ b: ['lint'] });
    expect(reachesOf(discovered(aUnit('b', { inputs: [reads(['b/*.md'], [])] })), 'b/notes.md')).toEqual({});
  });

  it('reach all of a unit that is built from them, since its dependents notice', () => {
    const discovery = discovered(aUnit('a', { inputs: [reads(['a/src/**'], ['build']), reads(['a/**'], ['lint'])] }));
    expect(reachesOf(discovery, 'a/src/index.js')).toEqual({ a: 'all' });
    expect(reachesOf(discovery, 'a/test/index.js')).toEqual({ a: ['lint'] });
  });

  it('are not those that a later pattern takes away', () => {
    const discovery = discovered(aUnit('a', { inputs: [reads(['shared/**', '!shared/docs/**'])] }), aUnit('b'));
    expect(reachesOf(discovery, 'shared/x.txt')).toEqual({ a: 'all' });
    expect(reachesOf(discovery, 'shared/docs/x.txt')).toEqual({ a: 'all', b: 'all' });
  });

  it('include whatever a pattern could mean that is not understood', () => {
    const discovery = discovered(aUnit('a', { inputs: [reads(['conf/!(x).json'])] }), aUnit('b'));
    expect(reachesOf(discovery, 'conf/y.json')).toEqual({ a: 'all' });
  });
});
