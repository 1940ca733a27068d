import { beforeAll, describe, expect, it } from '@jest/globals';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { directoryOf, listing, MiB, refusalOf, rootOf, withBench } from '../testing/image-bench.fixture.ts';
import { archiveOf, imageOf, shellLayer, type MadeEntry, type MadeImage } from '../testing/made-image.fixture.ts';
import { startRegistry, type RegistryBehaviour } from '../testing/registry.fixture.ts';
import { digestOf } from './image-source.ts';
import { JobImages } from './job-images.ts';

let shell: Buffer;
let plain: MadeImage;

beforeAll(async () => {
  shell = await shellLayer();
  plain = imageOf([shell, await archiveOf([{ name: 'etc/greeting', content: 'hello' }])]);
});

const entry = (name: string, over: Partial<MadeEntry> = {}): MadeEntry => ({ name, content: '', ...over });
const ofLayer = async (...entries: MadeEntry[]): Promise<RegistryBehaviour> => ({
  images: { 'tools:1': imageOf([shell, await archiveOf(entries)]) },
});

describe('hostile images', () => {
  it('given links out of the tree and files below them, what is outside stays as it was', async () => {
    await withBench(async ({ offer, directory }) => {
      const layers = [
        shell,
        await archiveOf([
          entry('out', { type: 'symlink', linkname: directory }),
          entry('up', { type: 'symlink', linkname: '../../../../../..' }),
        ]),
        await archiveOf([entry('out/planted', { content: 'x' }), entry(`up${directory}/planted`, { content: 'x' })]),
      ];
      await using registry = await startRegistry({ images: { 'tools:1': imageOf(layers) } });
      const root = await rootOf(new JobImages(offer({ registry: listing(registry.name) })), `${registry.name}/tools:1`);
      expect(await readdir(directory)).toEqual(['store']);
      expect(await readFile(join(directoryOf(root), directory, 'planted'), 'utf8')).toBe('x');
    });
  });

  it('given links in the place of files the sandbox writes, they are files', async () => {
    await withBench(async ({ offer, directory }) => {
      const links = ['etc/passwd', 'etc/ld.so.preload', 'etc/resolv.conf'].map((name) =>
        entry(name, { type: 'symlink', linkname: join(directory, 'victim') }),
      );
      const layer = await archiveOf([
        ...links,
        entry('var', { type: 'directory' }),
        entry('var/tmp', { type: 'directory' }),
      ]);
      await using registry = await startRegistry({ images: { 'tools:1': imageOf([shell, layer]) } });
      const root = await rootOf(new JobImages(offer({ registry: listing(registry.name) })), `${registry.name}/tools:1`);
      for (const { name } of links) expect((await lstat(join(directoryOf(root), name))).isFile()).toBe(true);
      expect(await readlink(join(directoryOf(root), 'var/tmp'))).toBe('../tmp');
      expect(await readdir(directory)).toEqual(['store']);
    });
  });

  it('given devices and pipes, they are left out', async () => {
    await withBench(async ({ offer }) => {
      const kinds = ['block-device', 'character-device', 'fifo'] as const;
      const layer = await archiveOf(
        kinds.map((type) => entry(`odd/${type}`, { type, devmajor: 8, devminor: 0 })).concat(entry('odd/file')),
      );
      await using registry = await startRegistry({ images: { 'tools:1': imageOf([shell, layer]) } });
      const root = await rootOf(new JobImages(offer({ registry: listing(registry.name) })), `${registry.name}/tools:1`);
      expect(await readdir(join(directoryOf(root), 'odd'))).toEqual(['file']);
    });
  });

  it.each<[string, MadeEntry[], RegExp]>([
    ['a path that climbs', [entry('../../planted')], /has the path/],
    ['a hard link outside', [entry('a', { type: 'link', linkname: '../../../etc/passwd' })], /has the path/],
    [
      'a hard link through a link outside',
      [entry('l', { type: 'symlink', linkname: '/etc' }), entry('a', { type: 'link', linkname: 'l/hostname' })],
      /no file of the image/,
    ],
    ['a whiteout of what is above', [entry('a/.wh...')], /no whiteout/],
    [
      'an /etc that is a link',
      [entry('etc', { type: 'symlink', linkname: '/' })],
      /\/etc of the image is no directory/,
    ],
    ['no shell', [entry('.wh.bin')], /no \/bin\/sh/],
    [
      'a shell that is a link to the host',
      [entry('bin/sh', { type: 'symlink', linkname: '../../../usr/bin/env' })],
      /no \/bin\/sh/,
    ],
  ])('given %s, it is refused and nothing of it is kept', async (_, entries, why) => {
    const refused = await refusalOf(await ofLayer(...entries));
    expect(refused).toMatch(/^image_refused: /);
    expect(refused).toMatch(why);
  });

  it('given more of anything than is taken in, it is refused', async () => {
    const zeros = '\0'.repeat(4 * MiB);
    const files = Array.from({ length: 18 }, (_, n) => entry(`zeros-${n}`, { content: zeros }));
    const bomb = { images: { 'tools:1': imageOf([shell, await archiveOf(files)]) } };
    expect(await refusalOf(bomb)).toMatch(/^image_refused: a layer unpacks to more than 200 times its size/);
    expect(await refusalOf(bomb, { unpackedBytes: MiB })).toMatch(/^image_refused: the image unpacks to more than/);
    expect(await refusalOf(bomb, { compressedBytes: 1_000 })).toMatch(
      /^image_refused: the image has more than 1000 bytes/,
    );
    expect(await refusalOf(bomb, { layers: 1 })).toMatch(/^image_refused: the image has more than 1 layers/);
    expect(await refusalOf({ images: { 'tools:1': plain } }, { entries: 1 })).toMatch(
      /^image_refused: .* more than 1 entries/,
    );
  });

  it('given entries without end, it is refused as soon as there are too many', async () => {
    const header = (await archiveOf([entry('same')])).subarray(0, 512);
    const many = { images: { 'tools:1': imageOf([shell, Buffer.alloc(20_000 * 512, header)]) } };
    expect(await refusalOf(many, { entries: 5_000 })).toMatch(/^image_refused: the image has more than 5000 entries/);
  });

  it('given a path that stands for very many directories, each of them counts as an entry', async () => {
    const deep = await ofLayer(entry(`${'d/'.repeat(120)}file`), entry(`${'e/'.repeat(120)}file`));
    expect(await refusalOf(deep, { entries: 200 })).toMatch(/^image_refused: the image has more than 200 entries/);
  });

  it('given an archive that is damaged, breaks off, or is of a kind nobody unpacks, it is refused', async () => {
    const sparse = await archiveOf([entry('sparse')]);
    sparse.write('S', 156, 'latin1');
    for (const archive of [shell.subarray(0, 700), Buffer.alloc(2_000, 'x'), sparse]) {
      expect(await refusalOf({ images: { 'tools:1': imageOf([shell, archive]) } })).toMatch(/^image_refused: a layer /);
    }
    const notCompressed = imageOf([shell], {
      layersSaid: (layers) => layers.map((layer) => ({ ...layer, mediaType: layer.mediaType.replace('gzip', 'zstd') })),
    });
    expect(await refusalOf({ images: { 'tools:1': notCompressed } })).toMatch(/^image_refused: a layer is damaged/);
  });

  it('given documents and blobs that are not what they are called, it is refused', async () => {
    const other = Buffer.from('obviously other bytes');
    const answering = (change: (bytes: Buffer) => Buffer): RegistryBehaviour => ({
      images: { 'tools:1': plain },
      blob: (_, bytes, response) => void response.end(change(bytes)),
    });
    expect(await refusalOf(answering(() => other))).toMatch(/^image_damaged: sha256:.* bytes instead of/);
    expect(await refusalOf(answering((bytes) => Buffer.concat([bytes, other])))).toMatch(
      /^image_damaged: .* is longer than/,
    );
    expect(await refusalOf(answering((bytes) => Buffer.from(bytes).fill(0, 0, 1)))).toMatch(
      /^image_damaged: what should be/,
    );
    const lying = imageOf([shell], { diffIds: [digestOf(other)] });
    expect(await refusalOf({ images: { 'tools:1': lying } })).toMatch(/^image_refused: a layer unpacks to/);
    const foreign = imageOf([shell], { architecture: 's390x' });
    expect(await refusalOf({ images: { 'tools:1': foreign } })).toMatch(
      /^image_refused: the image is for linux on s390x/,
    );
    const both = {
      images: { 'tools:1': plain },
      documents: { 'tools:1': Buffer.from('{"manifests":[],"layers":[]}') },
    };
    expect(await refusalOf(both)).toBe('image_refused: the manifest is an index as well');
    const elsewhere = imageOf([shell], {
      layersSaid: (layers) => layers.map((layer) => ({ ...layer, mediaType: 'application/x-shell' })),
    });
    expect(await refusalOf({ images: { 'tools:1': elsewhere } })).toMatch(/^image_refused: layers of type/);
  });

  it('given a registry that never ends, the pull ends in its time, or when its job is canceled', async () => {
    const endless: RegistryBehaviour = {
      images: { 'tools:1': plain },
      blob: (_, bytes, response) => void response.writeHead(200).write(bytes.subarray(0, 1)),
    };
    expect(await refusalOf(endless, { withinMs: 200 })).toMatch(/^image_unavailable: /);
    expect(await refusalOf(endless, {}, { signal: AbortSignal.timeout(200) })).toMatch(/^image_unavailable: /);
  });
});
