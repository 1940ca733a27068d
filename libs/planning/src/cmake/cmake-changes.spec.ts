import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { filesOfTree } from '../detectors/trees/tree-text.fixture.ts';
import { changedIn } from '../change-in-tree.fixture.ts';
import { readCmakeLists } from './lists.ts';

const PROJECTS = filesOfTree(
  readFileSync(new URL('../detectors/trees/cmake-projects.tree.txt', import.meta.url), 'utf8'),
);
const jobs = changedIn(PROJECTS);
const ENGINE = ['build-engine', 'test-engine'];

describe('a change among projects of CMake', () => {
  it.each<[what: string, path: string, from: string, to: string, jobs: readonly string[]]>([
    ['a source', 'engine/src/engine.cpp', 'int', 'long', ENGINE],
    ['how a part is built', 'engine/src/CMakeLists.txt', 'engine.cpp', 'other.cpp', ENGINE],
    ['what a project says', 'engine/CMakeLists.txt', 'CXX', 'C', ENGINE],
    ['a remark', 'engine/CMakeLists.txt', '"old" enough', 'new enough', []],
    ['a page about it', 'engine/README.md', 'The', 'An', []],
    ['a preset', 'preset/CMakePresets.json', 'win', 'mac', ['build-preset', 'test-preset']],
    [
      'which packages it asks for',
      'preset/vcpkg.json',
      '{}',
      '{"dependencies":["zlib"]}',
      ['build-preset', 'test-preset'],
    ],
    ['a part of a package of Node', 'web/native/CMakeLists.txt', 'native', 'addon', ['test-web']],
  ])('given %s, then the jobs are right', (_what, path, from, to, expected) => {
    expect(jobs(path, from, to)).toEqual(expected.toSorted());
  });

  it('given a file of nobody that a project takes in, then that project runs and everybody else who may read it', () => {
    expect(jobs('common/common.cpp', 'int', 'long')).toEqual(
      [...ENGINE, 'build-preset', 'test-preset', 'test-web'].toSorted(),
    );
  });

  it('given a line of quotes without end, then reading takes a moment', () => {
    expect(readCmakeLists(`project(a)\n${'"'.repeat(200_001)}#\n`).project).toBe('a');
  });
});
