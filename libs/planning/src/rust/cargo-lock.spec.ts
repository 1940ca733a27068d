import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { closureOf, readCargoLock } from './cargo-lock.ts';

type Lock = Extract<ReturnType<typeof readCargoLock>, { kind: 'read' }>;

function lockOf(text: string): Lock {
  const lock = readCargoLock('Cargo.lock', text);
  if (lock.kind !== 'read') throw new Error(JSON.stringify(lock));
  return lock;
}

const own = (name: string): { name: string; version: null } => ({ name, version: null });

const external = (lock: Lock, name: string, members: readonly string[]): Record<string, string> =>
  Object.fromEntries(closureOf(lock, own(name), new Set(members)).external);

interface Locked {
  readonly name: string;
  readonly version: string;
  readonly member: boolean;
  readonly dependencies: readonly number[];
}

const REGISTRY = 'registry+https://github.com/rust-lang/crates.io-index';

function lockText(packages: readonly Locked[]): string {
  const entries = packages.map(({ name, version, member, dependencies }) => {
    const lines = [`name = "${name}"`, `version = "${version}"`];
    if (!member) lines.push(`source = "${REGISTRY}"`, `checksum = "${name}-${version}"`);
    const references = dependencies
      .map((at) => packages[at])
      .map((each) => ` "${each?.name ?? ''} ${each?.version ?? ''}",`);
    return ['[[package]]', ...lines, 'dependencies = [', ...references, ']', ''].join('\n');
  });
  return ['version = 4', '', ...entries].join('\n');
}

const COUNT = 10;
/** The first three are members; every two of the others share a name, in two versions. */
const anyLock: fc.Arbitrary<Locked[]> = fc
  .array(fc.array(fc.nat(COUNT - 1), { maxLength: 4 }), { minLength: COUNT, maxLength: COUNT })
  .map((links) =>
    links.map((dependencies, at) => ({
      name: at < 3 ? `member-${at}` : `p${Math.floor(at / 2)}`,
      version: at < 3 ? '0.1.0' : `${(at % 2) + 1}.0.0`,
      member: at < 3,
      dependencies: dependencies.filter((to) => to !== at),
    })),
  );

/** What can be reached from a package without going through a member. */
function reached(packages: readonly Locked[], from: number): Set<number> {
  const found = new Set<number>([from]);
  for (const at of found) {
    for (const to of packages[at]?.dependencies ?? []) if (packages[to]?.member === false) found.add(to);
  }
  found.delete(from);
  return found;
}

describe('Cargo.lock', () => {
  it('law: a package gets what it reaches, in the versions it reaches, and stops at members', () => {
    fc.assert(
      fc.property(anyLock, fc.nat(2), (packages, from) => {
        const got = external(lockOf(lockText(packages)), `member-${from}`, ['member-0', 'member-1', 'member-2']);
        const names = [...reached(packages, from)].map(
          (at) => `${packages[at]?.name ?? ''} ${packages[at]?.version ?? ''}`,
        );
        expect(Object.keys(got).sort()).toEqual(names.sort());
      }),
    );
  });

  it('law: another version of one package differs exactly for those that reach it', () => {
    fc.assert(
      fc.property(anyLock, fc.integer({ min: 3, max: COUNT - 1 }), (packages, bumped) => {
        const after = packages.map((each, at) => (at === bumped ? { ...each, version: '9.9.9' } : each));
        const members = ['member-0', 'member-1', 'member-2'];
        const differs = [0, 1, 2].filter((at) => {
          const before = external(lockOf(lockText(packages)), `member-${at}`, members);
          return JSON.stringify(before) !== JSON.stringify(external(lockOf(lockText(after)), `member-${at}`, members));
        });
        expect(differs).toEqual([0, 1, 2].filter((at) => reached(packages, at).has(bumped)));
      }),
    );
  });

  it('keeps checksums of the first version, which stand apart, and the package it calls root', () => {
    const lock = lockOf(
      [
        '[root]',
        'name = "app"',
        'version = "0.1.0"',
        `dependencies = ["log 0.4.0 (${REGISTRY})"]`,
        '[[package]]',
        'name = "log"',
        'version = "0.4.0"',
        `source = "${REGISTRY}"`,
        '[metadata]',
        `"checksum log 0.4.0 (${REGISTRY})" = "abc"`,
      ].join('\n'),
    );
    expect(external(lock, 'app', ['app'])).toEqual({ 'log 0.4.0': `${REGISTRY} abc` });
  });

  it('finds a package of a repository by a reference without its commit', () => {
    const source = 'git+https://git.example.org/a?branch=main';
    const text = `version = 4
[[package]]
name = "app"
version = "0.1.0"
dependencies = ["a 1.0.0 (${source})"]
[[package]]
name = "a"
version = "1.0.0"
source = "${source}#1111"
`;
    const before = external(lockOf(text), 'app', ['app']);
    expect(Object.keys(before)).toEqual([`a 1.0.0 (${source}#1111)`]);
    expect(external(lockOf(text.replace('#1111', '#2222')), 'app', ['app'])).not.toEqual(before);
  });

  it('says which member stands in for a package that another asks for', () => {
    const packages: Locked[] = [
      { name: 'app', version: '1.0.0', member: true, dependencies: [1] },
      { name: 'far', version: '1.0.0', member: false, dependencies: [2] },
      { name: 'near', version: '1.0.0', member: true, dependencies: [] },
    ];
    const found = closureOf(lockOf(lockText(packages)), own('app'), new Set(['app', 'near']));
    expect(found.members).toEqual([{ name: 'near', askedBy: 'far' }]);
  });

  it('tells of what is not there', () => {
    const lock = lockOf('version = 4\n[[package]]\nname = "app"\nversion = "1.0.0"\ndependencies = ["gone"]\n');
    expect(external(lock, 'app', ['app'])).toEqual({ '(missing) gone': 'missing' });
    expect(external(lock, 'new', ['new'])).toEqual({ '(missing) new': 'missing' });
  });

  it.each([
    ['no TOML', '[[package', 'it is not TOML'],
    ['a version from the future', 'version = 5\n', 'version 5'],
    ['a list of nothing', 'package = 1\n', 'no list of packages'],
    ['a package without a name', '[[package]]\nversion = "1.0.0"\n', 'no name'],
    ['nothing that could be read', undefined, 'too large'],
  ])('given %s, then it is unreadable and says why', (_what, text, reason) => {
    expect(readCargoLock('Cargo.lock', text)).toMatchObject({
      kind: 'unreadable',
      reason: expect.stringContaining(reason),
    });
  });
});
