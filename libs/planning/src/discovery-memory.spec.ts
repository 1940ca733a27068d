import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { filesOfTree } from './detectors/trees/tree-text.fixture.ts';
import { discover } from './discover.ts';
import { DiscoveryMemory } from './discovery-memory.ts';
import { planChange } from './plan-change.ts';
import { inputsFor, linkTo, snapshotOf, type Files } from './planned-repository.fixture.ts';
import { anyMonorepo } from './random-monorepo.fixture.ts';
import { SHOP } from './shop.fixture.ts';

const TREES = new URL('./detectors/trees/', import.meta.url);
const NAMES = readdirSync(TREES).filter((file) => file.endsWith('.tree.txt'));

const treeNamed = (name: string): Files => filesOfTree(readFileSync(new URL(name, TREES), 'utf8'));

/** Something that happens to one file of a repository, from one commit to the next. */
const anyEdit = fc.record({
  pick: fc.nat(),
  other: fc.nat(),
  what: fc.constantFrom('append', 'delete', 'empty', 'swap', 'move', 'add', 'link', 'configure'),
});
type Edit = typeof anyEdit extends fc.Arbitrary<infer T> ? T : never;

function edited(files: Files, { pick, other, what }: Edit): Files {
  const paths = Object.keys(files).sort();
  const path = paths[pick % Math.max(1, paths.length)] ?? 'a';
  const second = paths[other % Math.max(1, paths.length)] ?? 'b';
  const { [path]: text = '', ...rest } = files;
  switch (what) {
    case 'append':
      return { ...rest, [path]: `${text}\n` };
    case 'delete':
      return rest;
    case 'empty':
      return { ...rest, [path]: '' };
    case 'swap':
      return { ...rest, [path]: files[second] ?? '' };
    case 'move':
      return { ...rest, [`moved/${path}`]: text };
    case 'add':
      return { ...files, [`${path}.${['ts', 'go', 'rs', 'md'][other % 4] ?? ''}`]: 'new\n' };
    case 'link':
      return { ...rest, [path]: linkTo(`../${second}`) };
    case 'configure':
      return { ...files, 'delta.yaml': `version: 1\npolicy:\n  maxConcurrency: ${1 + (other % 5)}\n` };
  }
}

function historyOf(files: Files, edits: readonly Edit[]): Files[] {
  const commits = [files];
  for (const edit of edits) commits.push(edited(commits.at(-1) ?? {}, edit));
  return commits;
}

describe('laws of what is remembered of discoveries', () => {
  it.each(NAMES)('law: with a memory the same is discovered along any history that begins with %s', (name) => {
    const files = treeNamed(name);
    fc.assert(
      fc.property(fc.array(anyEdit, { maxLength: 8 }), (edits) => {
        const memory = new DiscoveryMemory();
        for (const commit of historyOf(files, edits)) {
          const snapshot = snapshotOf(commit);
          expect(discover(snapshot, memory)).toEqual(discover(snapshot));
        }
      }),
      { numRuns: 8 },
    );
  });

  it('law: with a memory every change of any history has the same plan', () => {
    fc.assert(
      fc.property(anyMonorepo, fc.array(anyEdit, { minLength: 1, maxLength: 6 }), ({ files }, edits) => {
        const memory = new DiscoveryMemory();
        const commits = historyOf(files, edits);
        commits.slice(1).forEach((after, at) => {
          const inputs = inputsFor(commits[at] ?? {}, after);
          expect(planChange(inputs, memory)).toEqual(planChange(inputs));
        });
      }),
      { numRuns: 30 },
    );
  });

  it.each(NAMES)('law: no detector looks at ids or modes of %s', (name) => {
    const snapshot = snapshotOf(treeNamed(name));
    const entries = snapshot.entries.map((entry) => ({ ...entry, blobId: 'f'.repeat(40), mode: '100600' }));
    expect(discover({ ...snapshot, entries })).toEqual(discover(snapshot));
  });
});

describe('a memory of discoveries', () => {
  it('given a change of files that nobody wants to read, then what was discovered is the very same', () => {
    const memory = new DiscoveryMemory();
    const known = discover(snapshotOf(SHOP), memory);
    const changed = snapshotOf({ ...SHOP, 'packages/money/src/index.js': 'other\n' });
    expect(discover(changed, memory)).toBe(known);
    expect(discover(snapshotOf({ ...SHOP, 'more.js': '' }), memory)).not.toBe(known);
  });

  it('given a snapshot that is larger than it may hold, then it is not kept', () => {
    const memory = new DiscoveryMemory(10);
    const known = discover(snapshotOf(SHOP), memory);
    expect(discover(snapshotOf(SHOP), memory)).not.toBe(known);
  });

  it('given more repositories than it keeps, then the oldest is forgotten', () => {
    const memory = new DiscoveryMemory();
    const known = discover(snapshotOf(SHOP), memory);
    for (const name of ['a', 'b', 'c', 'd']) {
      const files = Object.fromEntries(Object.entries(SHOP).map(([path, text]) => [`${name}/${path}`, text]));
      discover(snapshotOf(files), memory);
    }
    expect(discover(snapshotOf(SHOP), memory)).not.toBe(known);
  });
});
