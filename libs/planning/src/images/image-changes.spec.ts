import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { filesOfTree } from '../detectors/trees/tree-text.fixture.ts';
import { keysOf, planned, type Files } from '../planned-repository.fixture.ts';
import { readCompose } from './compose.ts';
import { readDockerfile } from './dockerfile.ts';

const SHOP = filesOfTree(
  readFileSync(new URL('../detectors/trees/container-images.tree.txt', import.meta.url), 'utf8'),
);
const [API, WEB, BASE, STACK] = ['api/Dockerfile', 'web/Dockerfile', 'deploy/base.Dockerfile', 'compose.yaml'];

/** Images and stacks that a change concerns, and the jobs that it runs. */
function concerned(path: string, from: string, to: string): { images: string[]; jobs: string[] } {
  const after = { ...SHOP, [path]: (SHOP[path] ?? '').replace(from, to) };
  expect(after).not.toEqual(SHOP);
  const { units, jobs } = planned(SHOP, after);
  const images = units.filter(({ ecosystem, affected }) => ecosystem === 'docker' && affected).map(({ id }) => id);
  return { images: images.sort(), jobs: keysOf(jobs) };
}

describe('a change of what images are made of', () => {
  it.each<[what: string, path: string, from: string, to: string, images: readonly string[], jobs: readonly string[]]>([
    ['a source that an image takes', 'api/src/main.js', 'main', 'start', [API, STACK, WEB], ['test-api']],
    ['a source that is not ignored', 'web/src/page.js', 'page', 'pages', [STACK, WEB], ['test-web']],
    ['a source that is ignored', 'web/src/page.test.js', 'test', 'tests', [], ['test-web']],
    ['an image that another begins with', 'api/Dockerfile', '24', '25', [API, STACK, WEB], ['test-api']],
    [
      'what looks like a remark in a Dockerfile',
      'api/Dockerfile',
      'in between',
      'here',
      [API, STACK, WEB],
      ['test-api'],
    ],
    ['an image in a folder of nobody', 'deploy/base.Dockerfile', 'debian', 'alpine', [BASE], []],
    [
      'what is mounted while it is built',
      'certs/ca.pem',
      'CA',
      'CB',
      [API, STACK, WEB, BASE],
      ['test-api', 'test-web'],
    ],
    ['settings of a service', 'deploy/api.env', '1', '2', [API, BASE, STACK, WEB], ['test-api', 'test-web']],
    ['what services there are', 'compose.yaml', 'data:/data', 'data:/d', [STACK], []],
  ])('given %s, then the images and the jobs are right', (_what, path, from, to, images, jobs) => {
    expect(concerned(path, from, to)).toEqual({ images: images.toSorted(), jobs });
  });

  it('given jobs that start containers by their own words, then how these are described reaches them', () => {
    const own = { name: 'web', scripts: { test: 'docker compose up -d && node --test' } };
    const files: Files = { ...SHOP, 'web/package.json': JSON.stringify(own) };
    const plan = planned(files, { ...files, 'compose.yaml': (files['compose.yaml'] ?? '').replace('data:', 'more:') });
    expect(keysOf(plan.jobs)).toEqual(['test-web']);
  });

  it('given images, then the plan says that they are not built', () => {
    const { notes } = planned(null, SHOP);
    expect(notes).toContainEqual(expect.objectContaining({ severity: 'info', code: 'images_not_built' }));
  });

  it('given aliases that multiply each other, then they are refused', () => {
    const levels = Array.from({ length: 300 }, (_, at) => `l${at + 1}: &l${at + 1} [*l${at}, *l${at}]`).join('\n');
    expect(readCompose(`l0: &l0 [x]\n${levels}\nservices: {}\n`, '.')).toBeNull();
  });

  it.each([
    ['the syntax', 'Dockerfile', '# syntax=one\nFROM a\n'],
    ['a line of a text that is copied', 'Dockerfile', 'FROM a\nCOPY <<E a.c\n#define one\nE\n'],
    [
      'a line of a text in a stack',
      'compose.yaml',
      'services:\n  a:\n    image: a\n    command: |\n      #define one\n',
    ],
  ])('given %s that looks like a remark, then a change of it is one', (_what, path, text) => {
    const files = { 'package.json': '{ "name": "a", "scripts": { "test": "node --test" } }', [path]: text };
    const { units } = planned(files, { ...files, [path]: text.replace('one', 'two') });
    expect(units.find(({ id }) => id === path)?.affected).toBe(true);
  });

  it('given very many lines of nothing, then a stack is read in a moment', () => {
    expect(readCompose(`services: {}\n${'\n'.repeat(500_000)}`, '.')?.builds).toEqual([]);
  });

  it('given a Dockerfile that nobody wrote, then it may take anything', () => {
    expect(readDockerfile(`FROM a\n${'RUN a\n'.repeat(200_000)}COPY b c\n`).sources).toEqual(['.']);
  });

  it('given a hundred thousand lines that go on, then reading takes a moment', () => {
    expect(readDockerfile('COPY a \\\n'.repeat(100_000)).sources.length).toBeGreaterThan(0);
  });
});
