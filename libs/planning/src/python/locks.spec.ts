import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { closureOf, readPythonLock } from './locks.ts';

type Lock = Extract<ReturnType<typeof readPythonLock>, { kind: 'read' }>;

function lockOf(text: string, path = 'uv.lock'): Lock {
  const lock = readPythonLock(path, text);
  if (lock.kind !== 'read') throw new Error(JSON.stringify(lock));
  return lock;
}

/** Packages `p0`, `p1` and so on, in version 1 unless another is given, with the numbers of what each needs. */
function uvLock(links: readonly (readonly number[])[], bumped = -1): string {
  const entries = links.map((needed, at) => {
    const names = needed.map((to) => `{ name = "p${to}" }`).join(', ');
    return `[[package]]\nname = "p${at}"\nversion = "${at === bumped ? 2 : 1}"\ndependencies = [${names}]\n`;
  });
  return `version = 1\n${entries.join('\n')}`;
}

const COUNT = 8;
const anyLinks = fc.array(fc.array(fc.nat(COUNT - 1), { maxLength: 3 }), { minLength: COUNT, maxLength: COUNT });

/** What `from` reaches without going through the two units, `p0` and `p1`. */
function reached(links: readonly (readonly number[])[], from: number): Set<number> {
  const found = new Set([from]);
  for (const at of found) for (const to of links[at] ?? []) if (to > 1) found.add(to);
  found.delete(from);
  return found;
}

const UNITS = new Set(['p0', 'p1']);

describe('lockfiles of Python', () => {
  it('law: a unit gets what it reaches, and stops at other units', () => {
    fc.assert(
      fc.property(anyLinks, fc.nat(1), (links, from) => {
        const closure = closureOf(lockOf(uvLock(links)), `p${from}`, [], UNITS);
        expect(new Set(closure.keys())).toEqual(new Set([...reached(links, from)].map((at) => `p${at}`)));
      }),
    );
  });

  it('law: another version of one package differs exactly for the units that reach it', () => {
    fc.assert(
      fc.property(anyLinks, fc.integer({ min: 2, max: COUNT - 1 }), (links, bumped) => {
        const closures = (text: string): string[] =>
          [0, 1].map((at) => JSON.stringify([...closureOf(lockOf(text), `p${at}`, [], UNITS)]));
        const before = closures(uvLock(links));
        const after = closures(uvLock(links, bumped));
        const differs = [0, 1].filter((at) => before[at] !== after[at]);
        expect(differs).toEqual([0, 1].filter((at) => reached(links, at).has(bumped)));
      }),
    );
  });

  it('given versions for different platforms, then whoever needs the name gets both', () => {
    const text = 'version = 1\n[[package]]\nname = "a"\nversion = "1"\n[[package]]\nname = "a"\nversion = "2"\n';
    expect(closureOf(lockOf(text), null, ['a'], new Set()).get('a')).toMatch(/"1".*"2"/u);
  });

  it.each([
    ['the machines that a version is for', `resolution-markers = ["sys_platform == 'one'"]`],
    ['when a package needs another', `dependencies = [{ name = "p1", marker = "sys_platform == 'one'" }]`],
  ])('given %s, then another answer is another package', (_what, line) => {
    const text = `version = 1\n[[package]]\nname = "p0"\nversion = "1"\n${line}\n[[package]]\nname = "p1"\nversion = "1"\n`;
    const closures = [text, text.replace("'one'", "'two'")].map((each) =>
      closureOf(lockOf(each), null, ['p0'], new Set()),
    );
    expect(closures[0]).not.toEqual(closures[1]);
  });

  it('given checksums that stand apart, as poetry once wrote them, then they count', () => {
    const text = (hash: string): string =>
      `[[package]]\nname = "A_b"\nversion = "1"\n[metadata.files]\nA_b = [{ file = "x", hash = "${hash}" }]\n`;
    const identity = (hash: string): unknown =>
      closureOf(lockOf(text(hash), 'poetry.lock'), null, ['a-b'], new Set()).get('a-b');
    expect(identity('sha256:1')).not.toEqual(identity('sha256:2'));
  });

  it('given requirements as text, as pdm writes them, then extras are followed', () => {
    const text =
      '[[package]]\nname = "a"\nversion = "1"\ndependencies = ["b[c]>=1; python_version > \'3\'"]\n[[package]]\nname = "b"\nversion = "1"\n';
    expect([...closureOf(lockOf(text, 'pdm.lock'), null, ['a'], new Set()).keys()]).toEqual(['a', 'b']);
  });

  it('tells of what is not there', () => {
    expect([...closureOf(lockOf('version = 1\n'), null, ['gone'], new Set()).keys()]).toEqual(['(missing) gone']);
  });

  it.each([
    ['uv.lock', 'version = 2\n', 'version 2'],
    ['uv.lock', '[[package', 'not TOML'],
    ['poetry.lock', 'package = 1\n', 'no list'],
    ['Pipfile.lock', '[', 'not a JSON object'],
    ['pdm.lock', undefined, 'too large'],
  ])('given a %s that cannot be read, then it says why', (path, text, reason) => {
    expect(readPythonLock(path, text)).toMatchObject({ kind: 'unreadable', reason: expect.stringContaining(reason) });
  });
});
