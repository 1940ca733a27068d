import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { readProjects } from './reactors.ts';
import { filesOfTree } from '../detectors/trees/tree-text.fixture.ts';
import { keysOf, planned, snapshotOf, type Files } from '../planned-repository.fixture.ts';
import { viewOf } from '../tracing/view-of.fixture.ts';

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
      `${maven} --fail-at-end package --projects cart --projects money`,
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

const project = (name: string, version: string, more = ''): string =>
  `<project><groupId>g</groupId><artifactId>${name}</artifactId><version>${version}</version>${more}</project>`;
const needs = (name: string, version: string): string =>
  `<dependencies><dependency><groupId>g</groupId><artifactId>${name}</artifactId>${version}</dependency></dependencies>`;

/** Projects that notice when in all of these files one text becomes another. */
function noticing(files: Files, paths: readonly string[], from: string, to: string): string[] {
  const changed = paths.map((path) => [path, (files[path] ?? '').replaceAll(from, to)]);
  const { units } = planned(files, { ...files, ...Object.fromEntries(changed) });
  return units.flatMap(({ id, affected }) => (affected ? [id] : []));
}

describe('the version of a project', () => {
  const inherited = (name: string, more: string): string =>
    `<project><parent><groupId>g</groupId><artifactId>top</artifactId><version>1.0</version></parent><artifactId>${name}</artifactId>${more}</project>`;
  const following: Files = {
    'pom.xml': project(
      'top',
      '1.0',
      '<packaging>pom</packaging><modules><module>a</module><module>b</module></modules>',
    ),
    'a/pom.xml': inherited('a', ''),
    'b/pom.xml': inherited('b', needs('a', '<version>${project.version}</version>')),
  };

  it('that all who need it follow is changed everywhere without a job', () => {
    expect(noticing(following, Object.keys(following), '1.0', '1.1')).toEqual([]);
  });

  it('of a parent is noticed by modules that stay with another', () => {
    expect(noticing(following, ['pom.xml'], '1.0', '1.1')).toEqual(expect.arrayContaining(['a', 'b']));
  });

  it.each([
    ['as it is written', '<version>1.0</version>'],
    ['by the version of another', '<version>${project.version}</version>'],
    ['without it being known', ''],
  ])('that another asks for %s is noticed by both', (_how, version) => {
    const files = { 'a/pom.xml': project('a', '1.0'), 'b/pom.xml': project('b', '1.0', needs('a', version)) };
    expect(noticing(files, ['a/pom.xml'], '>1.0<', '>1.1<')).toEqual(['a', 'b']);
  });

  it('that asks in its own version for others is noticed where they have another', () => {
    const files = {
      'a/pom.xml': project('a', '1.0'),
      'b/pom.xml': project('b', '1.0', needs('a', '<version>${project.version}</version>')),
    };
    expect(noticing(files, ['b/pom.xml'], '>1.0<', '>1.1<')).toContain('b');
  });
});

describe('a parent of very many', () => {
  const modules = Object.fromEntries(
    Array.from({ length: 200 }, (_, at) => [
      `m${at}/pom.xml`,
      `<project><parent><groupId>g</groupId><artifactId>top</artifactId></parent><artifactId>m${at}</artifactId></project>`,
    ]),
  );

  it('is read once, whatever it says', () => {
    const entry = '<dependency><groupId>far</groupId><artifactId>a</artifactId></dependency>'.repeat(20_000);
    const asked = `<dependencies>${entry}</dependencies>`;
    const top = project('top', '1', `${asked}<dependencyManagement>${asked}</dependencyManagement>`);
    const projects = readProjects(viewOf(snapshotOf({ 'pom.xml': top, ...modules })), []);
    expect(projects.get('m7')?.parent?.root).toBe('.');
    expect([...projects.values()].flatMap(({ dependencies }) => dependencies)).toHaveLength(20_000);
  });

  it('may say one long text very often', () => {
    const top = project('top', '${a}'.repeat(1_000), `<properties><a>${'a'.repeat(1_000_000)}</a></properties>`);
    expect(readProjects(viewOf(snapshotOf({ 'pom.xml': top })), []).get('.')?.version.length).toBeLessThan(10_000);
  });
});
