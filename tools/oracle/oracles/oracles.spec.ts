import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { NOT_ASKED, ORACLES } from './known-oracles.ts';
import { UnreadableAnswer, quoted, type Oracle, type Question } from './oracle.ts';

/** What each tool puts out for a small made-up repository, as its own command line wrote it. */
const said = (file: string): string => readFileSync(join(import.meta.dirname, 'fixtures', file), 'utf8');

const oracle = (name: string): Oracle => {
  const found = ORACLES.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no oracle ${name}`);
  return found;
};

const about = (...paths: readonly string[]): Question => ({
  commit: 'c'.repeat(40),
  base: 'b'.repeat(40),
  changed: paths.map((path) => ({ path })),
  paths: [],
});

describe('what Nx says', () => {
  it('is read as folders: projects, the affected ones, and what depends on what within the repository', () => {
    expect(oracle('nx').read(said('nx.json'), null, about())).toEqual({
      units: ['libs/cart', 'apps/shop', '.'],
      affected: ['libs/cart', 'apps/shop'],
      edges: [{ from: 'apps/shop', to: 'libs/cart', passesOn: true }],
      unknown: 0,
    });
  });

  it('is refused when a project is affected that the graph does not have', () => {
    const output = said('nx.json').replace('["cart","shop"]', '["ghost"]');
    expect(() => oracle('nx').read(output, null, about())).toThrow(/ghost is affected and not in the graph/u);
  });
});

describe('what Turborepo says', () => {
  it('is read as folders, the root as one of them, without dependencies upon oneself', () => {
    expect(oracle('turbo').read(said('turbo.json'), null, about())).toEqual({
      units: ['.', 'apps/shop', 'tooling/config'],
      affected: ['apps/shop'],
      edges: [
        { from: '.', to: 'tooling/config', passesOn: true },
        { from: 'apps/shop', to: 'tooling/config', passesOn: true },
        { from: 'tooling/config', to: '.', passesOn: true },
      ],
      unknown: 0,
    });
  });
});

describe('what pnpm says', () => {
  it('is read as folders, dependents as dependencies upon the owner that was asked about', () => {
    expect(oracle('pnpm').read(said('pnpm.json'), null, about())).toEqual({
      units: ['.', 'packages/cart', 'packages/shop'],
      affected: ['packages/cart', 'packages/shop'],
      edges: [{ from: 'packages/shop', to: 'packages/cart', passesOn: true }],
      unknown: 0,
    });
  });

  it('is asked about the dependents of every package with a changed file, old places included', () => {
    const question: Question = {
      ...about(),
      changed: [{ path: 'packages/cart/new.ts', oldPath: "packages/it's/old.ts" }, { path: 'README.md' }],
      paths: ['package.json', 'packages/cart/package.json', "packages/it's/package.json", 'packages/shop/package.json'],
    };
    const script = oracle('pnpm').script(question);
    expect(script).toContain(`list --filter '...{packages/cart}' ls`);
    expect(script).toContain(String.raw`list --filter '...{packages/it'\''s}' ls`);
    expect(script).toContain(`list --filter '...{.}' ls`);
    expect(script).not.toContain('packages/shop');
  });
});

describe('what Cargo says', () => {
  const read = (before: string, ...paths: readonly string[]): readonly string[] =>
    [...oracle('cargo').read(said('cargo.json'), before, about(...paths)).affected].sort();

  it('reaches the package of a changed file and what is made with it', () => {
    expect(read(said('cargo.json'), 'money/src/lib.rs')).toEqual(['cart', 'money', 'shop']);
  });

  it('goes no further than tests of whoever only tests with it', () => {
    expect(read(said('cargo.json'), 'fixtures/src/lib.rs')).toEqual(['cart', 'fixtures']);
  });

  it('counts a package that is described differently than before, but not its version', () => {
    expect(read(said('cargo.json').replaceAll('0.2.0', '0.1.0'))).toEqual([]);
    expect(read(said('cargo.json').replace('"req":"^1"', '"req":"^0.9"'))).toEqual(['cart', 'money', 'shop']);
  });
});

describe('what Go says', () => {
  const read = (before: string, ...paths: readonly string[]): readonly string[] =>
    [...oracle('go').read(said('go.txt'), before, about(...paths)).affected].sort();

  it('lists packages that it can load, and counts the others', () => {
    const { units, unknown, edges } = oracle('go').read(said('go.txt'), said('go.txt'), about());
    expect({ units, unknown }).toEqual({ units: ['cmd/store', 'money', 'made'], unknown: 1 });
    expect(edges).toEqual([
      { from: 'cmd/store', to: 'money', passesOn: true },
      { from: 'money', to: 'made', passesOn: false },
    ]);
  });

  it.each([
    ['money/money.go', ['cmd/store', 'money']],
    ['money/money_windows.go', ['cmd/store', 'money']],
    ['money/rates.csv', ['cmd/store', 'money']],
    ['money/money_test.go', ['money']],
    ['money/testdata/deep/case.json', ['money']],
    ['made/made.go', ['made', 'money']],
    ['money/README.md', []],
  ])('a change of %s reaches %j', (path, reached) => {
    expect(read(said('go.txt'), path)).toEqual(reached);
  });

  it('a file that is gone counts where it was', () => {
    const before = said('go.txt').replace('"made.go"', '"made.go",\n\t\t"gone.go"');
    expect(read(before, 'made/gone.go')).toEqual(['made', 'money']);
  });

  it('another version of a module reaches who imports a package of it, by whole parts of the path', () => {
    const before = said('go.txt').replace('v1.2.0', 'v1.1.0');
    expect(read(before)).toEqual(['cmd/store', 'made', 'money']);
    expect(read(said('go.txt').replace('v2.0.1', 'v2.0.0'))).toEqual([]);
  });

  it('another version of the language reaches everything', () => {
    expect(read(said('go.txt').replace('"Go": "1.19"', '"Go": "1.18"'))).toEqual(['cmd/store', 'made', 'money']);
  });

  it('is asked in every module that is no material of tests', () => {
    const paths = ['go.mod', 'tools/go.mod', 'a/testdata/go.mod', 'vendor/x/go.mod', '_old/go.mod', 'go.sum'];
    const script = oracle('go').script({ ...about(), paths });
    expect(script.match(/^ask .*$/gmu)).toEqual(["ask '.'", "ask 'tools'"]);
    expect(oracle('go').lacks(['a/testdata/go.mod'])).toBe('no go.mod');
  });
});

describe('every oracle', () => {
  it.each(ORACLES.map((each) => [each.name, each] as const))('%s refuses what it does not understand', (_, each) => {
    for (const output of ['', 'Segmentation fault', '#module .\n[]', '{"affected":7}']) {
      if (each.name === 'go' && output === '') continue;
      expect(() => each.read(output, output, about())).toThrow(UnreadableAnswer);
    }
  });

  it('says what a commit lacks, and which tools are not asked for what reason', () => {
    expect(oracle('turbo').lacks(['package.json'])).toBe('no turbo.json');
    expect(oracle('cargo').lacks(['Cargo.toml'])).toBeNull();
    const names = ORACLES.map(({ name }) => name);
    expect(Object.keys(NOT_ASKED).filter((name) => names.includes(name))).toEqual([]);
  });

  it('writes words of repositories so that no shell takes them for more', () => {
    expect(quoted(`a'; rm -rf "$HOME"`)).toBe(String.raw`'a'\''; rm -rf "$HOME"'`);
  });
});
