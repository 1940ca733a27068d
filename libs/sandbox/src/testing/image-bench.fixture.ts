import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { DEFAULT_IMAGE_LIMITS, type ImageLimits } from '../images/image-limits.ts';
import { JobImages, type ImageOffer } from '../images/job-images.ts';
import type { JobRoot, RootRequest } from '../sandbox-executor.ts';
import { startRegistry, type RegistryBehaviour } from './registry.fixture.ts';

export const MiB = 1024 ** 2;

export type Bench = { readonly offer: (over?: Partial<ImageOffer>) => ImageOffer; readonly directory: string };

export async function withBench<T>(use: (bench: Bench) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'delta-images-'));
  const offer: Bench['offer'] = (over = {}) => ({
    storeDir: join(directory, 'store'),
    storeBytesMax: 100 * MiB,
    archives: [],
    rootfs: {},
    registry: { registries: [], isPublicAddress: () => false },
    credentials: new Map(),
    ...over,
  });
  try {
    return await use({ offer, directory });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export const asking = (over: Partial<RootRequest> = {}): RootRequest & { readonly said: string[] } => {
  const said: string[] = [];
  const say = async (text: string): Promise<void> => void said.push(text);
  return { trust: 'trusted', signal: new AbortController().signal, say, said, ...over };
};

export const listing = (name: string): ImageOffer['registry'] => ({
  registries: [`http://${name}`],
  isPublicAddress: () => false,
});

export const rootOf = async (
  images: JobImages,
  reference: string,
  request: RootRequest = asking(),
): Promise<JobRoot> => {
  const obtained = await images.obtain(reference, request, true);
  if (!obtained.ok) throw new Error(`${obtained.refusal.code}: ${obtained.refusal.message}`);
  return obtained.root;
};

export const directoryOf = ({ tree }: JobRoot): string => tree?.directory ?? 'nowhere';

/** Asks for the one image of a registry that behaves like this. */
export async function refusalOf(
  behaviour: RegistryBehaviour,
  limits: Partial<ImageLimits> = {},
  over: Partial<RootRequest> = {},
) {
  return withBench(async ({ offer, directory }) => {
    await using registry = await startRegistry(behaviour);
    const images = new JobImages(
      offer({ registry: listing(registry.name), limits: { ...DEFAULT_IMAGE_LIMITS, ...limits } }),
    );
    const [tagged = ''] = Object.keys(behaviour.images);
    const obtained = await images.obtain(`${registry.name}/${tagged}`, asking(over), true);
    const left = await readdir(join(directory, 'store', 'unfinished')).catch(() => []);
    const trees = await readdir(join(directory, 'store', 'trees')).catch(() => []);
    expect({ left, trees }).toEqual({ left: [], trees: [] });
    return obtained.ok ? 'taken' : `${obtained.refusal.code}: ${obtained.refusal.message}`;
  });
}
