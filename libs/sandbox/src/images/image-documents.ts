import { z } from 'zod';
import { isDigest } from './image-reference.ts';
import { refused } from './image-refused.ts';
import type { ImageLimits } from './image-limits.ts';

/**
 * The documents that describe an image (index, manifest, configuration), as the Open Container Initiative and Docker write
 * them. They come from strangers: what is not understood is refused by name.
 */

const Digest = z.string().refine(isDigest, 'expected sha256: and 64 hexadecimal digits');

export const Descriptor = z.object({
  mediaType: z.string().max(255),
  digest: Digest,
  size: z.number().int().nonnegative(),
  annotations: z.record(z.string(), z.string()).optional(),
});
export type Descriptor = z.infer<typeof Descriptor>;

const Platform = z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() });

export const ImageIndex = z.object({
  mediaType: z.string().optional(),
  manifests: z.array(Descriptor.extend({ platform: Platform.optional() })).max(1_000),
});
export type ImageIndex = z.infer<typeof ImageIndex>;

export const ImageManifest = z.object({
  mediaType: z.string().optional(),
  config: Descriptor,
  layers: z.array(Descriptor).min(1),
});
export type ImageManifest = z.infer<typeof ImageManifest>;

export const ImageConfig = z.object({
  os: z.string(),
  architecture: z.string(),
  config: z.object({ Env: z.array(z.string()).nullish() }).nullish(),
  rootfs: z.object({ type: z.literal('layers'), diff_ids: z.array(Digest).min(1) }),
});
export type ImageConfig = z.infer<typeof ImageConfig>;

const INDEX_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

/** What a registry is told that we understand. */
export const ACCEPTED_TYPES = [...INDEX_TYPES, ...MANIFEST_TYPES].join(', ');

/** How a layer is stored. */
export type Compression = 'none' | 'gzip' | 'zstd';

const LAYER_TYPES: ReadonlyMap<string, Compression> = new Map([
  ['application/vnd.oci.image.layer.v1.tar', 'none'],
  ['application/vnd.oci.image.layer.v1.tar+gzip', 'gzip'],
  ['application/vnd.oci.image.layer.v1.tar+zstd', 'zstd'],
  ['application/vnd.docker.image.rootfs.diff.tar', 'none'],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'gzip'],
  ['application/vnd.docker.image.rootfs.diff.tar.zstd', 'zstd'],
]);

/** How a layer of this media type is stored. @throws ImageRefused for layers that are no archive, or lie elsewhere. */
export function compressionOf(mediaType: string): Compression {
  const compression = LAYER_TYPES.get(mediaType);
  if (compression === undefined) throw refused(`layers of type ${JSON.stringify(mediaType)} are not unpacked`);
  return compression;
}

function parse<T>(bytes: Buffer, schema: z.ZodType<T>, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw refused(`the ${what} is not JSON`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refused(`the ${what} is none that is understood: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`);
}

/** An index or a manifest, told apart by what they say they are or else by what they have. */
export type Described =
  | { readonly kind: 'index'; readonly index: ImageIndex }
  | { readonly kind: 'manifest'; readonly manifest: ImageManifest };

const Either = z.object({ mediaType: z.string().optional(), manifests: z.unknown(), layers: z.unknown() }).partial();

/** Reads an index or a manifest. @throws ImageRefused when it is neither, or both. */
export function describe(bytes: Buffer): Described {
  const { mediaType = '', manifests, layers } = parse(bytes, Either, 'manifest');
  const isIndex = mediaType === '' ? manifests !== undefined : INDEX_TYPES.includes(mediaType);
  if (!isIndex && mediaType !== '' && !MANIFEST_TYPES.includes(mediaType)) {
    throw refused(`a manifest of type ${JSON.stringify(mediaType)} describes no image`);
  }
  // Read as the one by some and as the other by others, it would be two images under one digest.
  if (manifests !== undefined && layers !== undefined) throw refused('the manifest is an index as well');
  return isIndex
    ? { kind: 'index', index: parse(bytes, ImageIndex, 'index') }
    : { kind: 'manifest', manifest: parse(bytes, ImageManifest, 'manifest') };
}

export const readIndex = (bytes: Buffer): ImageIndex => parse(bytes, ImageIndex, 'index');
export const readConfig = (bytes: Buffer): ImageConfig => parse(bytes, ImageConfig, 'configuration');

/** Machine names as images have them. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
const PLAIN_VARIANTS: readonly (string | undefined)[] = [undefined, '', 'v8'];

/** The manifest for Linux on this kind of machine. @throws ImageRefused when the index has none. */
export function chooseManifest({ manifests }: ImageIndex, arch: string): Descriptor {
  const wanted = ARCHITECTURES[arch] ?? arch;
  const found = manifests.find(
    ({ platform }) =>
      platform?.os === 'linux' && platform.architecture === wanted && PLAIN_VARIANTS.includes(platform.variant),
  );
  // An index of one image need not say what it is for: its configuration does.
  const [only] = manifests;
  if (found === undefined && manifests.length === 1 && only?.platform === undefined && only !== undefined) return only;
  if (found === undefined) throw refused(`the image is not there for linux on ${wanted}`);
  return found;
}

/** What manifest and configuration say must fit this machine, one another, and the limits. @throws ImageRefused */
export function checkImage(
  layers: readonly Descriptor[],
  config: ImageConfig,
  arch: string,
  limits: ImageLimits,
): void {
  const wanted = ARCHITECTURES[arch] ?? arch;
  if (config.os !== 'linux' || config.architecture !== wanted) {
    throw refused(`the image is for ${config.os} on ${config.architecture}, not for linux on ${wanted}`);
  }
  if (layers.length !== config.rootfs.diff_ids.length)
    throw refused('manifest and configuration differ in their layers');
  if (layers.length > limits.layers) throw refused(`the image has more than ${limits.layers} layers`);
  const bytes = layers.reduce((sum, { size }) => sum + size, 0);
  if (bytes > limits.compressedBytes) throw refused(`the image has more than ${limits.compressedBytes} bytes`);
}

const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]{0,127})=([^\0]*)$/s;

/** Names the sandbox decides about, whatever an image says. */
const OURS = new Set(['HOME', 'USER', 'LOGNAME', 'TMPDIR', 'SHELL']);

const VARIABLES_MAX = 500;
const VARIABLE_CHARS_MAX = 32_768;

/** The variables of an image, `PATH` among them, that a job gets. What is no variable is left out. */
export function environmentOfImage({ config }: ImageConfig): Readonly<Record<string, string>> {
  const entries = (config?.Env ?? []).slice(0, VARIABLES_MAX).flatMap((line): [string, string][] => {
    const [, name = '', value = ''] = VARIABLE.exec(line) ?? [];
    const isTaken = name !== '' && value.length <= VARIABLE_CHARS_MAX && !OURS.has(name) && !name.startsWith('DELTA_');
    return isTaken ? [[name, value]] : [];
  });
  return Object.fromEntries(entries);
}
