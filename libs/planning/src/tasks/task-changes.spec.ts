import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { filesOfTree } from '../detectors/trees/tree-text.fixture.ts';
import { changedIn } from '../change-in-tree.fixture.ts';
import { planned } from '../planned-repository.fixture.ts';
import { readJustfile } from './justfile.ts';
import { includedByMakefile, readMakefile } from './makefile.ts';
import { readTaskfile } from './taskfile.ts';

const FOLDERS = filesOfTree(readFileSync(new URL('../detectors/trees/task-files.tree.txt', import.meta.url), 'utf8'));
const jobs = changedIn(FOLDERS);
const COUNTER = ['lint-counter', 'test-counter'];
const SITE = ['build-counter-site'];
const EVERY = [...COUNTER, ...SITE, 'build-pages', 'lint-stack', 'test-all-app', 'test-scripts', 'test-web'];

describe('a change of what task files describe', () => {
  it.each<[what: string, path: string, from: string, to: string, jobs: readonly string[]]>([
    ['a source', 'counter/counter.c', 'main', 'start', [...COUNTER, ...SITE]],
    ['a rule', 'counter/Makefile', '--self-test', '--test', COUNTER],
    ['what looks like a remark in a task file', 'counter/Makefile', 'after it is there', 'later', COUNTER],
    ['a file that it takes in', 'counter/build/rules.mk', 'tidy', 'neat', [...COUNTER, ...SITE]],
    ['a page about it', 'counter/README.md', 'Counts', 'Adds', []],
    ['a package below it', 'counter/site/package.json', 'build.js', 'make.js', [...COUNTER, ...SITE]],
    ['a file of nobody that a task names', 'texts/one.txt', 'One', 'Two', EVERY],
    ['a task file of a folder that another ecosystem describes', 'web/Makefile', 'npm test', 'npm t', ['test-web']],
    ['one that starts what others describe', 'all/justfile', 'npm test', 'npm t', EVERY],
  ])('given %s, then the jobs are right', (_what, path, from, to, expected) => {
    expect(jobs(path, from, to)).toEqual(expected.toSorted());
  });

  it('given tasks that need each other in a circle, or very many, then reading ends', () => {
    expect(
      readMakefile('test: lint\n\ta\nlint: test\n\tb\n').tasks.map(({ text }) => text.split('\n').sort().join('')),
    ).toEqual(['ab', 'ab']);
    const chain = Array.from({ length: 20_000 }, (_, at) => `t${at}: t${at + 1}\n\tx`).join('\n');
    expect(readMakefile(`test: t0\n${chain}\n`).tasks).toHaveLength(1);
  });

  it.each<[what: string, path: string, text: string]>([
    ['a text that make keeps', 'Makefile', 'define BODY\n# one\nendef\nexport BODY\ntest:\n\techo "$$BODY" | sh\n'],
    ['a recipe with another prefix', 'Makefile', '.RECIPEPREFIX = >\ntest:\n> tr -d # one\n'],
    [
      'a text within a recipe',
      'justfile',
      'test:\n  #!/bin/sh\n  sed -n p <<EOF | cc -x c -\n  #define A one\n  EOF\n',
    ],
    ['a text of several lines', 'Taskfile.yml', 'env:\n  A: |\n    #define one\ntasks:\n  test: cc -x c - <<< $A\n'],
  ])('given %s with `#` in it, then a change of that is one', (_what, path, text) => {
    const { jobs: run } = planned({ [path]: text }, { [path]: text.replace('one', 'two') });
    expect(run.map(({ kind }) => kind)).toEqual(['test']);
  });

  it('given files that are taken in on lines that go on, or within a condition, then all of them are', () => {
    const text = 'ifdef A\n  include a.mk \\\n    ../b.mk\nendif\n-include c.mk # $(d)\n';
    expect(includedByMakefile(text)).toEqual(['a.mk', '../b.mk', 'c.mk']);
  });

  it('given a task file that grows too long to be read, then planning does not go on without its tasks', () => {
    const text = 'test:\n\tcc a.c\n';
    expect(() => planned({ Makefile: text }, { Makefile: text + 'A = 1\n'.repeat(200_000) })).toThrow(
      'manifest_unreadable',
    );
  });

  it('given a rule of five hundred targets and a hundred thousand lines, then each line is read once', () => {
    const targets = Array.from({ length: 500 }, (_, at) => `t${at}`)
      .join(' ')
      .slice(0, 1_900);
    expect(readMakefile(`test ${targets}:\n${'\ta\n'.repeat(300_000)}`).tasks[0]?.text).toHaveLength(20_000);
    expect(readMakefile(`${'#'.repeat(500_000)}\u2028\n`).tasks).toEqual([]);
  });

  it('given lines that are nearly rules, recipes or tasks, then reading takes a moment', () => {
    expect(readMakefile(`${'a '.repeat(200_000)}\n`).tasks).toEqual([]);
    expect(readJustfile(`test${' a'.repeat(200_000)}\n`).tasks).toEqual([]);
    expect(readTaskfile(`tasks:\n  test: ${'['.repeat(100_000)}\n`)).toBeNull();
  });
});
