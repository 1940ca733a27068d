import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { filesOfTree } from '../detectors/trees/tree-text.fixture.ts';
import { keysOf, planned, type Files } from '../planned-repository.fixture.ts';

const tree = readFileSync(new URL('../detectors/trees/maven-modules.tree.txt', import.meta.url), 'utf8');
const REACTOR = filesOfTree(tree.slice(0, tree.indexOf('-- broken/pom.xml --')));

const jobsAfter = (more: Files): string[] => keysOf(planned(REACTOR, { ...REACTOR, ...more }).jobs);

function unitsTested(more: Files): string[] {
  const jobs = planned(REACTOR, { ...REACTOR, ...more }).jobs.filter(({ kind }) => kind === 'test');
  return jobs.map(({ steps }) => steps.at(-1)?.run.replace(/^.* package ?/u, '') ?? '');
}

describe('a change in a Maven reactor', () => {
  it('of a module tests it and what depends on it, with all that these need built once before', () => {
    const changed = { ...REACTOR, 'money/src/main/java/Money.java': 'class Money { }\n' };
    const test = planned(REACTOR, changed).jobs.find(({ kind }) => kind === 'test');
    const maven = 'sh mvnw --batch-mode --no-transfer-progress';
    expect(test?.steps.map(({ run }) => run)).toEqual([
      `${maven} -DskipTests --also-make install --projects cart --projects money`,
      `${maven} package --projects cart --projects money`,
    ]);
  });

  it('of tests that nobody borrows runs these alone', () => {
    expect(jobsAfter({ 'cart/src/test/java/CartTest.java': 'class CartTest { }\n' })).toEqual(['test']);
  });

  it('of tests that another module borrows reaches that too', () => {
    expect(unitsTested({ 'money/src/test/java/MoneyTest.java': 'class MoneyTest { }\n' })).toEqual([
      '--projects cart --projects money',
    ]);
  });

  it('of how a project is called runs nothing', () => {
    const pom = REACTOR['pom.xml'] ?? '';
    expect(jobsAfter({ 'pom.xml': pom.replace('The shop', 'Our shop') })).toEqual([]);
    // What stands apart imports a BOM of this reactor, and so much of how it is built.
    expect(unitsTested({ 'pom.xml': pom.replace('>17<', '>21<') })).toEqual(['', '--projects cart --projects money']);
  });
});
