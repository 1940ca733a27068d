import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import type { ImageOffer } from './job-images.ts';
import type { RegistryCredentials } from './registry-source.ts';

const GiB = 1024 ** 3;

const AbsolutePath = z.string().max(4_096).refine(isAbsolute, 'expected an absolute path');

/** What an operator writes down about images; everything may be left out. */
const ImagesFile = z.strictObject({
  registries: z
    .array(
      z
        .string()
        .regex(/^(?:\*|(?:http:\/\/)?[a-z0-9.:[\]-]{1,260})$/, 'expected *, host, host:port or http://host:port'),
    )
    .max(100)
    .default([]),
  archives: z.array(AbsolutePath).max(100).default([]),
  rootfs: z.record(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/), AbsolutePath).default({}),
  /** A file as `docker login` writes it, with `auths`. */
  dockerConfig: AbsolutePath.optional(),
  storeBytes: z
    .number()
    .int()
    .positive()
    .default(20 * GiB),
});

const DockerConfig = z.object({ auths: z.record(z.string(), z.object({ auth: z.string().optional() })).default({}) });

/** Docker's own registry has an address of old times in such files. */
const registryOf = (key: string): string =>
  key === 'https://index.docker.io/v1/' ? 'docker.io' : key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');

/** The credentials in a file of `docker login`. Those that a helper of Docker's keeps are not in it. @throws Error */
export function readDockerConfig(text: string): RegistryCredentials {
  const { auths } = DockerConfig.parse(JSON.parse(text));
  return new Map(
    Object.entries(auths).flatMap(([key, { auth }]) => {
      const pair = Buffer.from(auth ?? '', 'base64').toString('utf8');
      const colon = pair.indexOf(':');
      if (colon < 1) return [];
      return [[registryOf(key), { username: pair.slice(0, colon), password: pair.slice(colon + 1) }] as const];
    }),
  );
}

/**
 * Reads what an operator offers jobs in the way of images.
 *
 * @param path of a JSON file: `registries`, `archives`, `rootfs`, `dockerConfig`, `storeBytes`
 * @throws Error that names the file and what is wrong with it
 */
export async function readImagesFile(
  path: string,
): Promise<
  Pick<ImageOffer, 'archives' | 'credentials' | 'rootfs' | 'storeBytesMax'> & { readonly registries: readonly string[] }
> {
  try {
    const { registries, archives, rootfs, dockerConfig, storeBytes } = ImagesFile.parse(
      JSON.parse(await readFile(path, 'utf8')),
    );
    const credentials = dockerConfig === undefined ? new Map() : readDockerConfig(await readFile(dockerConfig, 'utf8'));
    return { registries, archives, rootfs, credentials, storeBytesMax: storeBytes };
  } catch (reason) {
    throw new Error(`${path} does not say which images there are: ${problemOf(reason)}`, { cause: reason });
  }
}

const problemOf = (reason: unknown): string =>
  reason instanceof z.ZodError
    ? reason.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': ')).join('; ')
    : String(reason instanceof Error ? reason.message : reason);
