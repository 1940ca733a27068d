import { describe, expect, it } from '@jest/globals';
import { readBunLock } from './bun-lock.ts';
import { asked, difference, graphOf, locationsOf, lockOf, type LockReading } from './locked-packages.fixture.ts';

const BUN: LockReading = { read: readBunLock, path: 'bun.lock', own: { 'packages/b': '@w/b' } };

const TEXT = `{
  // As Bun writes it, with commas at the ends.
  "lockfileVersion": 1,
  "workspaces": {
    "": { "name": "all", "devDependencies": { "tool": "^1.0.0", }, },
    "packages/a": { "name": "@w/a", "dependencies": { "@w/b": "workspace:*", "left": "^1.0.0", "deep": "^1.0.0", }, },
    "packages/b": { "name": "@w/b", "dependencies": { "right": "^2.0.0", }, },
  },
  "packages": {
    "@w/a": ["@w/a@workspace:packages/a"],
    "@w/b": ["@w/b@workspace:packages/b"],
    "@w/a/deep": ["deep@1.0.0", "", {}, "sha512-deep1"],
    "deep": ["deep@3.0.0", "", {}, "sha512-deep3"],
    "left": ["left@1.0.0", "https://npm.example.org/left.tgz", { "dependencies": { "deep": "^2.0.0" }, "bin": "cli.js" }, "sha512-left"],
    "left/deep": ["deep@2.0.0", "", {}, "sha512-deep2"],
    "right": ["right@2.0.0", "", { "peerDependencies": { "deep": "*", "absent": "*" }, "optionalPeers": ["absent"] }, "sha512-right"],
    "tool": ["tool@1.0.0", "", { "bin": { "run-tool": "tool.js" } }, "sha512-tool"],
  },
}
`;

describe('lockfiles of Bun', () => {
  it('given a member, then what it gets is found by the nearest name upwards; members apart', () => {
    expect(locationsOf(BUN, TEXT, 'packages/a')).toEqual(['@w/a/deep', 'left', 'left/deep']);
    expect(locationsOf(BUN, TEXT, 'packages/b')).toEqual(['(missing) absent', 'deep', 'right']);
    expect(locationsOf(BUN, TEXT, '.')).toEqual(['tool']);
  });

  it('given another version of one copy, then only who gets that copy differs', () => {
    const after = TEXT.replace('deep@2.0.0', 'deep@2.0.1');
    expect(difference(BUN, [TEXT, after], 'packages/a')).toBe('left/deep changed');
    expect(difference(BUN, [TEXT, after], 'packages/b')).toBeNull();
  });

  it('given what it notes, then commands, hosts and declarations are known', () => {
    const graph = graphOf(BUN, TEXT);
    expect([graph.binaries('tool'), graph.binaries('left'), graph.hosts]).toEqual([
      ['run-tool'],
      ['left'],
      ['npm.example.org'],
    ]);
    expect(graph.inStep('.', asked({ tool: '^1.0.0' }))).toBe(true);
    expect(graph.inStep('.', asked({ tool: '^1.1.0' }))).toBe(false);
  });

  it.each<[what: string, path: string, text: string | undefined, reason: string]>([
    ['the binary form', 'bun.lockb', undefined, 'it is binary'],
    ['nothing', 'bun.lock', undefined, 'too large or not text'],
    ['no JSON', 'bun.lock', '{ "a": "', 'not a JSON object'],
    ['a version of tomorrow', 'bun.lock', '{ "lockfileVersion": 7, "packages": {} }', 'lockfile version 7'],
  ])('given %s, then it is unreadable and says why', (_what, path, text, reason) => {
    expect(lockOf({ ...BUN, path }, text)).toMatchObject({
      kind: 'unreadable',
      reason: expect.stringContaining(reason),
    });
  });
});
