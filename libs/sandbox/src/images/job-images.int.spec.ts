import { beforeAll, describe, expect, it } from '@jest/globals';
import { lstat, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asking, directoryOf, listing, refusalOf, rootOf, withBench } from '../testing/image-bench.fixture.ts';
import {
  archiveOf,
  imageOf,
  OWN_ARCHITECTURE,
  programsLayer,
  shellLayer,
  writeDockerArchive,
  writeLayout,
  type MadeImage,
} from '../testing/made-image.fixture.ts';
import { startRegistry, type RegistryBehaviour } from '../testing/registry.fixture.ts';
import { digestOf } from './image-source.ts';
import { ImageStore } from './image-store.ts';
import { JobImages } from './job-images.ts';

let shell: Buffer;
let plain: MadeImage;

beforeAll(async () => {
  shell = await shellLayer();
  plain = imageOf([shell, await archiveOf([{ name: 'etc/greeting', content: 'hello' }])]);
});

describe('images for jobs', () => {
  it.each(['none', 'gzip', 'zstd'] as const)(
    'given a registry and layers stored with %s, the tree is there',
    async (how) => {
      await withBench(async ({ offer }) => {
        const image = imageOf([shell, await archiveOf([{ name: 'etc/greeting', content: 'hello' }])], {
          compression: how,
        });
        await using registry = await startRegistry({ images: { 'team/tools:1': image } });
        const request = asking();
        const root = await rootOf(
          new JobImages(offer({ registry: listing(registry.name) })),
          `${registry.name}/team/tools:1`,
          request,
        );
        expect(await readFile(join(directoryOf(root), 'etc/greeting'), 'utf8')).toBe('hello');
        expect(root).toMatchObject({ digest: image.digest, env: { PATH: '/usr/bin:/bin' } });
        expect(request.said[0]).toBe(`image ${registry.name}/team/tools:1 is ${image.digest}, from its registry`);
        const stat = await lstat(join(directoryOf(root), 'bin/sh'));
        expect({ mode: (stat.mode & 0o7777).toString(8), mtimeMs: stat.mtimeMs }).toEqual({
          mode: '777',
          mtimeMs: 1_000_000,
        });
      });
    },
  );

  it('given an index, the image for this machine is taken, and what is told is the digest of the index', async () => {
    await withBench(async ({ offer }) => {
      const manifests = ['s390x', OWN_ARCHITECTURE].map((architecture) => ({
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: architecture === OWN_ARCHITECTURE ? plain.digest : `sha256:${'0'.repeat(64)}`,
        size: plain.manifest.length,
        platform: { os: 'linux', architecture },
      }));
      const index = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }));
      await using registry = await startRegistry({ images: { 'tools:plain': plain }, documents: { 'tools:1': index } });
      const root = await rootOf(new JobImages(offer({ registry: listing(registry.name) })), `${registry.name}/tools:1`);
      expect(root.digest).toBe(digestOf(index));
    });
  });

  it.each(['a layout', 'an archive of a layout', 'an archive of docker save'])(
    'given %s, images are found by name',
    async (kind) => {
      await withBench(async ({ offer, directory }) => {
        const path = join(directory, 'images');
        if (kind === 'an archive of docker save') await writeDockerArchive(path, 'tools:1', plain);
        else await writeLayout(path, { 'tools:1': plain });
        if (kind === 'an archive of a layout') {
          const names = ['index.json', ...[...plain.blobs.keys()].map((digest) => `blobs/${digest.replace(':', '/')}`)];
          const entries = await Promise.all(
            names.map(async (name) => ({ name: `./${name}`, content: await readFile(join(path, name)) })),
          );
          await rm(path, { recursive: true });
          await writeFile(path, await archiveOf(entries));
        }
        const images = new JobImages(offer({ archives: [path] }));
        const root = await rootOf(images, 'docker.io/library/tools:1');
        expect(await readFile(join(directoryOf(root), 'etc/greeting'), 'utf8')).toBe('hello');
        const byDigest = await rootOf(images, `anything@${root.digest ?? ''}`, asking({ trust: 'untrusted' }));
        expect(byDigest.tree).toEqual(root.tree);
        expect(await images.obtain('tools:2', asking(), true)).toMatchObject({
          ok: false,
          refusal: { code: 'image_not_allowed' },
        });
      });
    },
  );

  it('given an image that is called by its digest and is here, trusted code has it without asking anybody', async () => {
    await withBench(async ({ offer }) => {
      await using registry = await startRegistry({ images: { 'tools:1': plain } });
      const images = new JobImages(offer({ registry: listing(registry.name) }));
      const reference = `${registry.name}/tools@${plain.digest}`;
      const first = await rootOf(images, reference);
      const asked = registry.asked.length;
      expect((await rootOf(images, reference)).tree).toEqual(first.tree);
      expect(registry.asked).toHaveLength(asked);
      await rootOf(images, reference, asking({ trust: 'untrusted' }));
      expect(registry.asked.slice(asked)).toEqual([`/v2/tools/manifests/${plain.digest}`]);
    });
  });

  it('given a registry that wants a token, it is asked for, with credentials for trusted code alone', async () => {
    await withBench(async ({ offer }) => {
      const account = { username: 'runner', password: 'obviously-fake-password' };
      await using registry = await startRegistry({ images: { 'tools:1': plain }, account });
      const credentials = new Map([[registry.name, account]]);
      const images = new JobImages(offer({ registry: listing(registry.name), credentials }));
      await rootOf(images, `${registry.name}/tools:1`);
      expect(registry.asked.slice(0, 3)).toEqual([
        '/v2/tools/manifests/1',
        'Basic /token?service=registry.test&scope=repository%3Atools%3Apull',
        'Bearer /v2/tools/manifests/1',
      ]);
      for (const reference of [`${registry.name}/tools:1`, `${registry.name}/tools@${plain.digest}`]) {
        expect(await images.obtain(reference, asking({ trust: 'untrusted' }), true)).toMatchObject({
          ok: false,
          refusal: { code: 'image_unavailable', message: expect.stringContaining('gives no token') },
        });
      }
    });
  });

  it('given a private image that is here, untrusted code has it only from somebody who gives its layers to anybody', async () => {
    await withBench(async ({ offer }) => {
      const account = { username: 'runner', password: 'obviously-fake-password' };
      await using theirs = await startRegistry({ images: { 'tools:1': plain }, account });
      const isLayer = (digest: string): boolean => plain.layers.some((layer) => layer.digest === digest);
      await using knowing = await startRegistry({
        images: { 'tools:1': plain },
        blob: (digest, bytes, response) => void response.writeHead(isLayer(digest) ? 404 : 200).end(bytes),
      });
      await using having = await startRegistry({ images: { 'tools:1': plain } });
      const registries = [theirs, knowing, having].map(({ name }) => `http://${name}`);
      const registry = { registries, isPublicAddress: () => false };
      const images = new JobImages(offer({ registry, credentials: new Map([[theirs.name, account]]) }));
      const { tree } = await rootOf(images, `${theirs.name}/tools:1`);
      const stranger = asking({ trust: 'untrusted' });
      expect(await images.obtain(`${knowing.name}/tools:1`, stranger, true)).toMatchObject({
        ok: false,
        refusal: { code: 'image_unavailable' },
      });
      expect((await rootOf(images, `${having.name}/tools:1`, stranger)).tree).toEqual(tree);
      expect(having.asked.filter((path) => path.includes('/blobs/'))).toHaveLength(1 + plain.layers.length);
    });
  });

  it('given a registry whose blobs lie elsewhere, a private host is not asked for them, and no host sees the token', async () => {
    await using elsewhere = await startRegistry({ images: { 'blobs:1': plain } });
    const behaviour: RegistryBehaviour = {
      images: { 'tools:1': plain },
      account: 'anybody',
      blobsAt: (digest) => `http://${elsewhere.name}/v2/blobs/blobs/${digest}`,
    };
    expect(await refusalOf(behaviour)).toBe(`image_not_allowed: ${elsewhere.name} is not asked without TLS`);
    const secure = { ...behaviour, blobsAt: () => 'https://169.254.169.254/latest/meta-data' };
    expect(await refusalOf(secure)).toBe('image_not_allowed: 169.254.169.254 is not a public address');
    const named = { ...behaviour, blobsAt: () => 'https://localhost/' };
    expect(await refusalOf(named)).toMatch(/^image_not_allowed: localhost has the address .*, which is not public$/);
    expect(elsewhere.asked).toEqual([]);
    await withBench(async ({ offer }) => {
      await using registry = await startRegistry(behaviour);
      const registries = [registry, elsewhere].map(({ name }) => `http://${name}`);
      await rootOf(
        new JobImages(offer({ registry: { registries, isPublicAddress: () => false } })),
        `${registry.name}/tools:1`,
      );
      expect(elsewhere.asked.every((path) => path.startsWith('/v2/'))).toBe(true);
    });
  });

  it('given a blob that breaks off, it is fetched again', async () => {
    await withBench(async ({ offer }) => {
      let broken = 0;
      await using registry = await startRegistry({
        images: { 'tools:1': plain },
        blob: (digest, bytes, response) => {
          const isBroken = digest === plain.layers[0]?.digest && broken++ === 0;
          response.writeHead(200, { 'content-length': bytes.length });
          if (isBroken) response.write(bytes.subarray(0, 20), () => response.destroy());
          else response.end(bytes);
        },
      });
      await rootOf(new JobImages(offer({ registry: listing(registry.name) })), `${registry.name}/tools:1`);
      expect(broken).toBe(2);
    });
  });

  it('given a registry or a root file system that is not offered, it says so', async () => {
    await withBench(async ({ offer }) => {
      const images = new JobImages(offer());
      for (const reference of ['registry.test/tools:1', 'tools:1', 'rootfs:bookworm']) {
        expect(await images.obtain(reference, asking(), true)).toMatchObject({
          ok: false,
          refusal: { code: 'image_not_allowed' },
        });
      }
      expect(await images.obtain('../etc', asking(), true)).toMatchObject({
        ok: false,
        refusal: { code: 'image_refused' },
      });
    });
  });

  it('given a root file system of the operator, it is what it is', async () => {
    await withBench(async ({ offer, directory }) => {
      const images = new JobImages(offer({ rootfs: { here: directory } }));
      const root = await rootOf(images, 'rootfs:here', asking({ trust: 'untrusted' }));
      expect(root).toMatchObject({ digest: null, tree: { directory, top: [] } });
    });
  });
});

describe('the store of images', () => {
  it('given less room than images take, those in use stay and the longest unused go', async () => {
    await withBench(async ({ offer }) => {
      const made = await Promise.all(
        ['one', 'two', 'three'].map(async (content) => imageOf([shell, await archiveOf([{ name: 'is', content }])])),
      );
      await using registry = await startRegistry({
        images: Object.fromEntries(made.map((image, n) => [`tools:${n}`, image])),
      });
      const images = new JobImages(offer({ registry: listing(registry.name), storeBytesMax: 1 }));
      const [first, second] = [
        await rootOf(images, `${registry.name}/tools:0`),
        await rootOf(images, `${registry.name}/tools:1`),
      ];
      await first.release();
      const third = await rootOf(images, `${registry.name}/tools:2`);
      await expect(lstat(directoryOf(first))).rejects.toThrow('ENOENT');
      expect(await readFile(join(directoryOf(second), 'is'), 'utf8')).toBe('two');
      expect(await readFile(join(directoryOf(third), 'is'), 'utf8')).toBe('three');
      const again = await rootOf(images, `${registry.name}/tools@${made[0]?.digest ?? ''}`);
      expect(await readFile(join(directoryOf(again), 'is'), 'utf8')).toBe('one');
    });
  });

  it('given images in use, shared and alone, then it tells of each, and removes what nobody uses and no other image has', async () => {
    await withBench(async ({ offer }) => {
      const other = imageOf([shell, await archiveOf([{ name: 'is', content: 'other' }])]);
      const names = { 'tools:1': plain, 'tools:2': other };
      await using registry = await startRegistry({ images: names });
      const offered = offer({ registry: listing(registry.name) });
      const store = new ImageStore(offered.storeDir, offered.storeBytesMax);
      expect(await store.list()).toEqual([]);
      const [one, two] = [`${registry.name}/tools:1`, `${registry.name}/tools:2`];
      const images = new JobImages(offered);
      const [first, second] = [await rootOf(images, one), await rootOf(images, two)];
      await first.release();
      const kept = await store.list();
      expect(new Map(kept.map(({ name, digest, isInUse }) => [name, { digest, isInUse }]))).toEqual(
        new Map([
          [one, { digest: plain.digest, isInUse: false }],
          [two, { digest: other.digest, isInUse: true }],
        ]),
      );
      expect(kept.every(({ bytes, usedAtMs }) => bytes > 0 && usedAtMs > 0)).toBe(true);
      expect([await store.remove(other.digest), await store.remove(plain.digest)]).toEqual([false, true]);
      await expect(lstat(directoryOf(first))).rejects.toThrow('ENOENT');
      expect((await store.list()).map(({ name }) => name)).toEqual([two]);
      // Another image of the same layers.
      await store.record(plain.digest, {
        chain: (await store.recorded(other.digest))?.chain ?? '',
        env: {},
        name: 'like it',
      });
      expect(await store.remove(plain.digest)).toBe(true);
      await second.release();
      expect(await store.remove(other.digest)).toBe(true);
      await expect(lstat(directoryOf(second))).rejects.toThrow('ENOENT');
    });
  });

  it('given two jobs that ask for one image at a time, both have it', async () => {
    await withBench(async ({ offer }) => {
      await using registry = await startRegistry({ images: { 'tools:1': plain } });
      const images = [1, 2].map(() => new JobImages(offer({ registry: listing(registry.name) })));
      const roots = await Promise.all(images.map((each) => rootOf(each, `${registry.name}/tools:1`)));
      expect(new Set(roots.map(directoryOf)).size).toBe(1);
    });
  });

  it('given real programs in a layer of GNU tar, they are there', async () => {
    await withBench(async ({ offer }) => {
      const image = imageOf([await programsLayer()], { compression: 'zstd' });
      await using registry = await startRegistry({ images: { 'tools:1': image } });
      const root = await rootOf(new JobImages(offer({ registry: listing(registry.name) })), `${registry.name}/tools:1`);
      expect((await lstat(join(directoryOf(root), 'bin/sh'))).mode & 0o111).toBe(0o111);
    });
  });
});
