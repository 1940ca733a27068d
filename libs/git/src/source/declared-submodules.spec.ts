import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { complaintAboutPlace, declaredSubmodules } from './declared-submodules.ts';

/** As `git config --null --list` says it. */
const listed = (...pairs: readonly (readonly [string, string])[]): Buffer =>
  Buffer.from(pairs.map(([key, value]) => `${key}\n${value}\0`).join(''));

const one = (name: string, path = 'lib', url = '../lib.git'): Buffer =>
  listed([`submodule.${name}.path`, path], [`submodule.${name}.url`, url]);

describe('what .gitmodules says', () => {
  it('given submodules, then each is known by its path, and nothing but path and URL is looked at', () => {
    const read = declaredSubmodules(
      Buffer.concat([
        listed(['core.sshcommand', 'touch hacked'], ['submodule.a.b.update', '!touch hacked']),
        one('a.b', 'deps/a'),
        listed(['submodule.half.path', 'half'], ['submodule.recurse', 'true']),
      ]),
    );
    expect(read.ok && [...read.value]).toEqual([['deps/a', { name: 'a.b', path: 'deps/a', url: '../lib.git' }]]);
  });

  it('given a value twice, then the last counts, as it does for git', () => {
    const read = declaredSubmodules(Buffer.concat([one('a'), listed(['submodule.a.url', './other.git'])]));
    expect(read.ok && read.value.get('lib')?.url).toBe('./other.git');
  });

  it.each(['..', '../x', 'a/../../hooks', String.raw`a\..\b`, '/etc', 'x/..'])(
    'given the name %j, which leads out of where git keeps submodules, then all of it is refused',
    (name) => expect(declaredSubmodules(one(name))).toMatchObject({ ok: false, error: { code: 'invalid_submodule' } }),
  );

  it('given two submodules at one path, then all of it is refused', () => {
    expect(declaredSubmodules(Buffer.concat([one('a'), one('b')]))).toMatchObject({ ok: false });
  });

  it('law: whatever is listed, it is read or refused, and no name leads out', () => {
    const key = fc.oneof(
      fc.constantFrom(
        'submodule.a.path',
        'submodule.a.url',
        'submodule...url',
        'submodule..path',
        'submodule.../x.url',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.string())), (pairs) => {
        const read = declaredSubmodules(listed(...pairs));
        const names = read.ok ? [...read.value.values()].map(({ name }) => name) : [];
        for (const name of names) expect(name.split(/[/\\]/u)).not.toContain('..');
      }),
    );
  });
});

describe('places in a checkout', () => {
  it.each(['lib', 'third party/lib', 'a.git/b', '.github/x', 'deps/ü', 'a-b', '.gitignored'])(
    'given %j, then something may be put there',
    (path) => expect(complaintAboutPlace(path)).toBeNull(),
  );

  it.each([
    '',
    '/etc',
    'a//b',
    'a/',
    '.',
    '..',
    'a/../b',
    '../b',
    './a',
    '-c',
    '.git',
    '.GIT/hooks',
    'a/.git/hooks',
    '.git /x',
    '.git.',
    'git~1',
    'a/GIT~1/b',
    'a\nb',
    'a\tb',
    'a\u007fb',
    'a\u{10FEFF}b',
  ])('given %j, then nothing may be put there', (path) => expect(complaintAboutPlace(path)).not.toBeNull());

  it('law: what may be used is one line, relative, and stays below its root', () => {
    const part = fc.oneof(fc.constantFrom('..', '.', '', '.git', '-', 'a', '\n'), fc.string());
    fc.assert(
      fc.property(fc.array(part, { minLength: 1 }), (parts) => {
        const path = parts.join('/');
        if (complaintAboutPlace(path) !== null) return;
        expect(path).toMatch(/^[^\n\0]+$/u);
        expect(new URL(`file:///root/${encodeURI(path)}`).pathname.startsWith('/root/')).toBe(true);
      }),
    );
  });
});
