import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { filesOfTree } from '../detectors/trees/tree-text.fixture.ts';
import { changedIn } from '../change-in-tree.fixture.ts';
import { keysOf, planned } from '../planned-repository.fixture.ts';
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
    ['what looks like a remark', 'engine/CMakeLists.txt', '"old" enough', 'new enough', ENGINE],
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

  it('given `#` within a text of several lines, then a change of it is one', () => {
    const lists = 'project(a)\nfile(WRITE a.c "\n#define A 1\n")\nadd_executable(a a.c)\n';
    const { jobs: run } = planned({ 'CMakeLists.txt': lists }, { 'CMakeLists.txt': lists.replace('A 1', 'A 2') });
    expect(keysOf(run)).toEqual(['build']);
  });

  it('given a file that nobody wrote, then it is not read rather than in part', () => {
    expect(readCmakeLists(`project(a)\n${'a()\n'.repeat(300_000)}`)).toBeNull();
  });

  it('given very many lines of other kinds, then reading takes a moment', () => {
    expect(readCmakeLists(`a${'\u2028'.repeat(500_000)}b`)?.project).toBeNull();
  });

  it('given a line of quotes without end, then reading takes a moment', () => {
    expect(readCmakeLists(`project(a)\n${'"'.repeat(200_001)}#\n`)?.project).toBe('a');
  });
});
