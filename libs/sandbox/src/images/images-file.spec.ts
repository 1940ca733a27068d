import { describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDockerConfig, readImagesFile } from './images-file.ts';
import { fullName, parseImageReference } from './image-reference.ts';

async function read(value: unknown) {
  const directory = await mkdtemp(join(tmpdir(), 'delta-images-file-'));
  const path = join(directory, 'images.json');
  try {
    await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
    return await readImagesFile(path);
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe('what an operator says about images', () => {
  it('given nothing, nothing is offered', async () => {
    expect(await read({})).toMatchObject({ registries: [], archives: [], rootfs: {}, credentials: new Map() });
  });

  it('given all of it, it is taken as it stands', async () => {
    const said = {
      registries: ['docker.io', 'http://127.0.0.1:5000', '*'],
      archives: ['/srv/images'],
      rootfs: { bookworm: '/srv/bookworm' },
    };
    expect(await read({ ...said, storeBytes: 5 })).toMatchObject({ ...said, storeBytesMax: 5 });
  });

  it.each([
    ['no JSON', '{', /JSON/u],
    ['a name that is none of it', { registry: [] }, 'Unrecognized key: "registry"'],
    ['relative paths', { archives: ['a', 'b'] }, 'archives.0: expected an absolute path; archives.1: expected'],
    ['a registry with a path', { registries: ['registry.test/team'] }, 'registries.0: expected *, host, host:port'],
    ['a root with a name that no plan can say', { rootfs: { '../x': '/srv' } }, 'rootfs.../x: Invalid key'],
  ])('given %s, it says so in one line', async (_, value, problem) => {
    const told = (await read(value).catch((error: Error) => error)) as Error;
    expect(told.message).toMatch(/^\S+ does not say which images there are: [^\n]+$/u);
    expect(told.message).toMatch(problem);
  });

  it('given a file of docker login, names and passwords are those in it', () => {
    const auth = Buffer.from('name:obviously:fake').toString('base64');
    const auths = { 'https://index.docker.io/v1/': { auth }, 'registry.test:5000': { auth }, 'kept.test': {} };
    const account = { username: 'name', password: 'obviously:fake' };
    expect([...readDockerConfig(JSON.stringify({ auths, credsStore: 'desktop' }))]).toEqual([
      ['docker.io', account],
      ['registry.test:5000', account],
    ]);
  });
});

describe('names of images', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  it.each([
    ['node', 'docker.io/library/node:latest'],
    ['node:24', 'docker.io/library/node:24'],
    ['team/tools', 'docker.io/team/tools:latest'],
    ['registry.test/tools:1', 'registry.test/tools:1'],
    ['localhost:5000/a/b', 'localhost:5000/a/b:latest'],
    [`node:24@${digest}`, `docker.io/library/node@${digest}`],
    [`registry.test/tools@${digest}`, `registry.test/tools@${digest}`],
  ])('%s is %s', (text, full) => {
    const parsed = parseImageReference(text);
    expect(parsed.kind === 'image' ? fullName(parsed) : parsed).toBe(full);
  });

  it('a root file system is called by its name', () => {
    expect(parseImageReference('rootfs:bookworm-20')).toEqual({ kind: 'rootfs', name: 'bookworm-20' });
  });

  it.each([
    '',
    'Node',
    'node:',
    'node@sha256:1',
    'a//b',
    '../a',
    'a:b:c',
    'a b',
    `a@${digest}@${digest}`,
    'http://a/b',
    `x${'a'.repeat(600)}`,
    'rootfs:../a',
  ])('%j is none', (text) => {
    expect(() => parseImageReference(text)).toThrow('is not the name of an image');
  });
});
