import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { filesOfTree } from '../detectors/trees/tree-text.fixture.ts';
import { planned, type Files } from '../planned-repository.fixture.ts';
import { scanScript } from './scan-script.ts';

const BUILD = filesOfTree(
  readFileSync(new URL('../detectors/trees/gradle-projects.tree.txt', import.meta.url), 'utf8'),
);

/** Not simply `assemble`, which would be that of the project for Android too. */
const ALL = ':cart:assemble :money:assemble :sdk-extensions:auto-config:assemble';

/** Command lines of a change, without how Gradle is started. */
function tasksAfter(path: string, text: string): string[] {
  const after: Files = { ...BUILD, [path]: text };
  const lines = planned(BUILD, after).jobs.map(({ steps }) => steps.at(-1)?.run ?? '');
  return lines.map((line) => line.replace(/^.*--no-daemon /u, ''));
}

describe('a change in a Gradle build', () => {
  it('of a project runs tasks of it and of what is made of it', () => {
    expect(tasksAfter('money/src/main/java/Money.java', 'class Money { }\n')).toEqual([ALL, ':money:test']);
    expect(tasksAfter('modules/the-cart/src/main/kotlin/Cart.kt', 'class Cart2\n')).toEqual([
      ':cart:assemble :sdk-extensions:auto-config:assemble',
    ]);
  });

  it('of tests runs these alone', () => {
    expect(tasksAfter('money/src/test/java/MoneyTest.java', 'class MoneyTest { }\n')).toEqual([':money:test']);
  });

  it('of locked packages runs what they are locked for, and nothing when only words changed', () => {
    const lock = BUILD['money/gradle.lockfile'] ?? '';
    expect(tasksAfter('money/gradle.lockfile', lock.replace('1.2', '1.3'))).toEqual([ALL, ':money:test']);
    expect(tasksAfter('money/gradle.lockfile', lock.replace('generated', 'written'))).toEqual([]);
  });

  it('of what looks like a comment in a script counts', () => {
    const script = BUILD['modules/the-cart/build.gradle'] ?? '';
    expect(tasksAfter('modules/the-cart/build.gradle', `${script}// more\n`)).toHaveLength(1);
    expect(tasksAfter('modules/the-cart/build.gradle', script.replace('1.2', '1.3'))).toHaveLength(1);
  });

  it.each([
    ['a script that it applies', `apply from: '../a/publish.gradle'`, 'a/publish.gradle'],
    ['a script at the top', 'apply from: "$rootDir/a/publish.gradle"', 'a/publish.gradle'],
    [
      'data of tests',
      `sourceSets { test { resources { srcDir '../a/src/test/resources' } } }`,
      'a/src/test/resources/x',
    ],
    ['a file of the whole', `x = rootProject.file('a/rules/x.xml')`, 'a/rules/x.xml'],
    ['a file behind wildcards', `x = fileTree("\${rootProject.projectDir}/a/rules/*.xml")`, 'a/rules/x.xml'],
  ])('of %s in another project runs the one that names it', (_what, line, path) => {
    const files: Files = {
      'settings.gradle': `include 'a', 'b'`,
      'a/build.gradle': '',
      'a/src/main/java/A.java': 'class A {}',
      'b/build.gradle': `${line}\n`,
      'b/src/main/java/B.java': 'class B {}',
      [path]: 'one',
    };
    const { units } = planned(files, { ...files, [path]: 'two' });
    expect(units.flatMap(({ id, affected }) => (affected ? [id] : [])).sort()).toEqual(['a', 'b']);
  });

  it('of settings that stand for the scripts that there are not runs what they describe', () => {
    const files: Files = { 'settings.gradle': `include 'a' // one`, 'a/src/main/java/A.java': 'class A {}' };
    const { units } = planned(files, { ...files, 'settings.gradle': `include 'a'\ngradle.beforeProject { }` });
    expect(units.map(({ affected }) => affected)).toEqual([true, true]);
  });

  it('of plugins that are built here runs everything that is built with them', () => {
    expect(tasksAfter('build-logic/src/main/groovy/shop.java.gradle', 'plugins { }\n')).toEqual([
      'assemble',
      ALL,
      ':money:test',
    ]);
  });

  it('of settings that only Gradle can follow runs everything', () => {
    expect(tasksAfter('other/settings.gradle', "file('all').eachDir { include it.name }\n")).toContain('test');
  });
});

describe('a script', () => {
  it('goes on behind a text between slashes that ends in a slash', () => {
    const values = scanScript(String.raw`a = ~/b\//; project(':c') // d`).map(({ value }) => value);
    expect(values).toContain(':c');
    expect(values).not.toContain('d');
  });

  it('is read in time in proportion to its size, whatever is left open', () => {
    for (const open of ['/*', '"""', "'''", '"', '$', '${'])
      expect(scanScript(open.repeat(200_000)).length).toBeLessThan(400_001);
  });
});
