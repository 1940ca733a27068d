import { readdirSync, readFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { filesOfTree } from './detectors/trees/tree-text.fixture.ts';
import { discover } from './discover.ts';
import { DiscoveryMemory } from './discovery-memory.ts';
import { planChange } from './plan-change.ts';
import { inputsFor, linkTo, snapshotOf, type Files } from './planned-repository.fixture.ts';
import { anyMonorepo } from './random-monorepo.fixture.ts';
import { SHOP } from './shop.fixture.ts';
import { folderOf, inFolder } from './tree-paths.ts';

const TREES = new URL('./detectors/trees/', import.meta.url);
const NAMES = readdirSync(TREES).filter((file) => file.endsWith('.tree.txt'));

const treeNamed = (name: string): Files => filesOfTree(readFileSync(new URL(name, TREES), 'utf8'));

/** The collector, which no program is given unless it asks for it. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** Something that happens to one file of a repository, from one commit to the next. */
const anyEdit = fc.record({
  pick: fc.nat(),
  other: fc.nat(),
  what: fc.constantFrom('append', 'delete', 'empty', 'swap', 'move', 'add', 'describe', 'link', 'configure'),
});

/** Files whose being there says something, to one detector or another. */
const DESCRIPTIONS =
  'nx.json tsconfig.base.json project.json pnpm-workspace.yaml lerna.json yarn.lock .nvmrc go.work .golangci.yml vendor/modules.txt src/test/java/A.java src/main/kotlin/B.kt gradlew mvnw conanfile.txt test/a_test.exs spec/a_spec.rb test_a.py a_test.go requirements-dev.txt uv.lock Cargo.lock rust-toolchain clippy.toml Directory.Build.props packages.lock.json .rubocop.yml phpunit.xml .formatter.exs vitest.config.ts Makefile Dockerfile compose.yaml .dockerignore tests/a.rs'.split(
    ' ',
  );

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
    case 'describe':
      return {
        ...files,
        [inFolder(folderOf(path), DESCRIPTIONS[other % DESCRIPTIONS.length] ?? '')]: files[second] ?? '',
      };
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
      { numRuns: 20 },
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
  it('given changes of files that nobody asks about, then what was discovered is the very same', () => {
    const memory = new DiscoveryMemory();
    const known = discover(snapshotOf(SHOP), memory);
    const changed = snapshotOf({ ...SHOP, 'packages/money/src/index.js': 'other\n' });
    expect(discover(changed, memory)).toBe(known);
    expect(discover(snapshotOf({ ...SHOP, 'more.js': '' }), memory)).toBe(known);
    expect(discover(snapshotOf({ ...SHOP, 'more.ts': '' }), memory)).not.toBe(known);
    expect(discover(snapshotOf({ ...SHOP, 'packages/more/package.json': '{}' }), memory)).not.toBe(known);
  });

  it('given one more file of a kind that is there already, then what was discovered is the very same', () => {
    const memory = new DiscoveryMemory();
    const files = { ...SHOP, 'packages/money/src/some.ts': '' };
    const known = discover(snapshotOf(files), memory);
    expect(discover(snapshotOf({ ...files, 'packages/money/src/more.ts': '' }), memory)).toBe(known);
  });

  it('given a long history, then it holds on to the last few discoveries alone', async () => {
    const memory = new DiscoveryMemory();
    const discovered = Array.from({ length: 40 }, (_, at) => {
      const snapshot = snapshotOf({ ...SHOP, [`packages/p${at}/package.json`]: '{}' });
      return new WeakRef(discover(snapshot, memory));
    });
    // What was looked at in this turn of the loop is not collected within it.
    await access(TREES);
    collectGarbage();
    const held = discovered.filter((each) => each.deref() !== undefined);
    expect(discover(snapshotOf(SHOP), memory).units).toHaveLength(4);
    expect(held.length).toBeLessThanOrEqual(5);
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
