import { ImageRefused } from './image-refused.ts';

/** An image of a registry, all of its name spelled out. A digest, where there is one, decides; the tag is then for people. */
export type ImageReference = {
  readonly kind: 'image';
  /** Host, with its port where there is one. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | null;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string | null;
};

/** A root file system that the operator named. */
export type RootfsReference = { readonly kind: 'rootfs'; readonly name: string };

const REFERENCE_CHARS_MAX = 500;

/** What names without a registry mean, by the custom of container engines. */
const CUSTOMARY_REGISTRY = 'docker.io';
const CUSTOMARY_FOLDER = 'library';

const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]{2,45}\])(?::[0-9]{1,5})?$/;
const REPOSITORY =
  /^[a-z0-9]+(?:(?:\.|_{1,2}|-{1,10})[a-z0-9]+){0,50}(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-{1,10})[a-z0-9]+){0,50}){0,20}$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const ROOTFS = /^rootfs:([a-z0-9][a-z0-9._-]{0,62})$/;

export const isDigest = (text: string): boolean => DIGEST.test(text);

const isHost = (part: string): boolean => part.includes('.') || part.includes(':') || part === 'localhost';

function splitTag(named: string): readonly [string, string | null] {
  const colon = named.lastIndexOf(':');
  return colon > named.lastIndexOf('/') ? [named.slice(0, colon), named.slice(colon + 1)] : [named, null];
}

function splitRegistry(path: string): readonly [string, string] {
  const slash = path.indexOf('/');
  const first = slash < 0 ? '' : path.slice(0, slash);
  if (isHost(first)) return [first, path.slice(slash + 1)];
  return [CUSTOMARY_REGISTRY, path];
}

const withFolder = (registry: string, repository: string): string =>
  registry === CUSTOMARY_REGISTRY && !repository.includes('/') ? `${CUSTOMARY_FOLDER}/${repository}` : repository;

/**
 * Reads what a plan says under `image`: `rootfs:NAME`, or a name as container engines read it (`node:24`,
 * `registry.example/team/tools@sha256:...`). Without tag and digest the tag is `latest`.
 *
 * @throws ImageRefused for anything else
 */
export function parseImageReference(text: string): ImageReference | RootfsReference {
  const rootfs = ROOTFS.exec(text)?.[1];
  if (rootfs !== undefined) return { kind: 'rootfs', name: rootfs };
  const [named = '', digest = null, ...more] = text.split('@');
  const [path, tag] = splitTag(named);
  const [registry, short] = splitRegistry(path);
  const repository = withFolder(registry, short);
  const isWell =
    text.length <= REFERENCE_CHARS_MAX &&
    more.length === 0 &&
    HOST.test(registry) &&
    REPOSITORY.test(repository) &&
    (tag === null || TAG.test(tag)) &&
    (digest === null || isDigest(digest));
  if (!isWell)
    throw new ImageRefused('image_refused', `${JSON.stringify(text.slice(0, 200))} is not the name of an image`);
  return { kind: 'image', registry, repository, tag: tag ?? (digest === null ? 'latest' : null), digest };
}

/** The name with its registry and tag or digest, of which the digest is told where there is one. */
export const fullName = ({ registry, repository, tag, digest }: ImageReference): string =>
  `${registry}/${repository}${digest === null ? `:${tag ?? ''}` : `@${digest}`}`;
