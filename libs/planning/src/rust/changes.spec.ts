import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { filesOfTree } from '../detectors/trees/tree-text.fixture.ts';
import { byText } from '../tree-paths.ts';
import { planned, type Files } from '../planned-repository.fixture.ts';

const SHOP: Files = filesOfTree(
  readFileSync(new URL('../detectors/trees/cargo-workspace.tree.txt', import.meta.url), 'utf8'),
);

const UNITS = ['.', 'crates/cart', 'crates/legacy', 'crates/money', 'tools/itoa', 'tools/probe'];

/** What runs when a text takes the place of another in a file, and the rule that the file falls under. */
function change(
  path: string,
  from: string,
  to: string,
): { readonly rule: string; readonly units: string[]; readonly kinds: string[] } {
  const before = SHOP[path] ?? '';
  const after = path in SHOP ? before.replace(from, to) : to;
  expect(after).not.toBe(before);
  const plan = planned(SHOP, { ...SHOP, [path]: after });
  return {
    rule: plan.files.find((file) => file.path === path)?.rule ?? '',
    units: [...new Set(plan.jobs.map(({ unit }) => unit ?? ''))].sort(),
    kinds: [...new Set(plan.jobs.map(({ kind }) => kind))].sort(),
  };
}

describe('a change of a Cargo workspace', () => {
  it.each<[what: string, path: string, from: string, to: string, rule: string, units: readonly string[]]>([
    [
      'a source of a member',
      'crates/money/src/lib.rs',
      'paths',
      'sums',
      'ownership',
      ['.', 'crates/cart', 'crates/legacy', 'crates/money'],
    ],
    ['a source of the package at the root', 'crates/core/main.rs', '{}', '{ run() }', 'declared-input', ['.']],
    ['a file that sources include', 'rates/today.csv', '1', '2', 'declared-input', ['.', 'crates/cart']],
    [
      'a page whose examples are tested',
      'crates/cart/README.md',
      'Cart',
      'The cart',
      'declared-input',
      ['.', 'crates/cart'],
    ],
    [
      'a package that stands in for a published one',
      'tools/itoa/src/lib.rs',
      '',
      'new',
      'ownership',
      ['.', 'tools/itoa'],
    ],
    ['what is needed to build', 'tools/probe/src/lib.rs', '', 'new', 'ownership', ['.', 'crates/cart', 'tools/probe']],
    ['a version that one member resolves to', 'Cargo.lock', 'aa85', 'ff85', 'lockfile-closure', ['.', 'crates/cart']],
    [
      'a version that another member resolves to',
      'Cargo.lock',
      'aa90',
      'ff90',
      'lockfile-closure',
      ['.', 'crates/cart', 'crates/legacy', 'crates/money'],
    ],
    ['a package that nobody needs', 'Cargo.lock', '#0123456', '#6543210', 'lockfile-closure', []],
    ['words of a manifest', 'crates/cart/Cargo.toml', 'edition', 'description = "x"\nedition', 'manifest-cosmetic', []],
    [
      'features of a member',
      'crates/cart/Cargo.toml',
      'full = ["coins"]',
      'full = []',
      'manifest',
      ['.', 'crates/cart'],
    ],
    ['what members inherit', 'Cargo.toml', '["derive"]', '["rc"]', 'workspace-manifest', ['.']],
    [
      'lints that members inherit',
      'Cargo.toml',
      'all = "deny"',
      'all = "warn"',
      'workspace-manifest',
      ['.', 'crates/cart'],
    ],
    ['a profile', 'Cargo.toml', 'lto = true', 'lto = false', 'workspace-manifest', UNITS],
    ['which members are built by default', 'Cargo.toml', '["."]', '[".", "crates/cart"]', 'manifest-cosmetic', []],
    ['the toolchain', 'rust-toolchain.toml', '1.85.0', '1.86.0', 'declared-input', UNITS],
    ['rules of licences', 'deny.toml', '[bans]', '[licenses]', 'declared-input', []],
    [
      'a version that somebody asks for',
      'crates/cart/Cargo.toml',
      '"1.0.0"',
      '"2.0.0"',
      'manifest',
      ['.', 'crates/cart'],
    ],
  ])('given %s, then the rule and the units are right', (_what, path, from, to, rule, units) => {
    expect(change(path, from, to)).toMatchObject({ rule, units });
  });

  it('given what a package is tested with, then its own jobs run and not those of who depends on it', () => {
    const files = {
      ...SHOP,
      'crates/money/Cargo.toml': `${SHOP['crates/money/Cargo.toml'] ?? ''}[dev-dependencies]\nitoa = { path = "../../tools/itoa" }\n`,
    };
    const plan = planned(files, { ...files, 'tools/itoa/src/lib.rs': 'new\n' });
    const units = new Set(plan.jobs.map(({ unit }) => unit ?? ''));
    // The package at the root depends on money and, by way of the lockfile, on what stands in for itoa itself.
    expect([...units].sort(byText)).toEqual(['.', 'crates/money', 'tools/itoa']);
  });

  it.each([
    [
      'a page behind the folder of its package',
      'include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", "README.md"))',
      'crates/money/README.md',
    ],
    ['a licence', 'include_str!("../LICENSE")', 'crates/money/LICENSE'],
    ['a page by parts', 'Path::new(env!("CARGO_MANIFEST_DIR"))\n    .join("README.md")', 'crates/money/README.md'],
    [
      'a folder elsewhere by parts',
      'Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join("legacy")',
      'crates/legacy/src/x.txt',
    ],
    ['all that lies around it', 'PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")', 'crates/legacy/src/x.txt'],
  ])('given that sources name %s, then it concerns their package', (_what, source, page) => {
    const files = { ...SHOP, 'crates/money/src/pages.rs': `const P = ${source};\n`, [page]: 'one\n' };
    const plan = planned(files, { ...files, [page]: 'two\n' });
    expect(plan.jobs.map(({ unit }) => unit)).toContain('crates/money');
    const unnamed = { ...files, 'crates/money/src/pages.rs': '' };
    expect(planned(unnamed, { ...unnamed, [page]: 'two\n' }).jobs.map(({ unit }) => unit)).not.toContain(
      'crates/money',
    );
  });

  it('given the settings of a linter, then only lint jobs run', () => {
    const linted = { ...SHOP, 'clippy.toml': 'msrv = "1.80"\n' };
    const plan = planned(linted, { ...linted, 'clippy.toml': 'msrv = "1.81"\n' });
    expect(plan.files.map(({ rule }) => rule)).toEqual(['declared-input']);
    expect(plan.jobs.map(({ kind, unit }) => `${kind} ${unit ?? ''}`)).toEqual(UNITS.map((unit) => `lint ${unit}`));
  });

  it('given a lockfile that cannot be read any more, then all that is built by it runs and says why', () => {
    const plan = planned(SHOP, { ...SHOP, 'Cargo.lock': 'version = 9\n' });
    expect(plan.files[0]?.sentence).toContain('version 9 is not one that is known');
    expect([...new Set(plan.jobs.map(({ unit }) => unit ?? ''))].sort(byText)).toEqual(UNITS);
  });
});
