import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { readConfig, readIndex, type Descriptor } from './image-documents.ts';
import { DOCUMENT_BYTES_MAX } from './image-limits.ts';
import { fullName, parseImageReference, type ImageReference } from './image-reference.ts';
import { ImageRefused, refused } from './image-refused.ts';
import { digestOf, readBounded, readDocument, type FoundImage, type ImageSource } from './image-source.ts';
import { filesOfArchive, filesOfDirectory, type LayoutFiles } from './layout-files.ts';

/** Where tools write down which image a manifest of a layout is. */
const NAME_ANNOTATIONS = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];

/** Whether a name in a store means the image that is asked for, whatever tag it is asked for with, if any. */
function isNamed(name: string, reference: ImageReference): boolean {
  try {
    const named = parseImageReference(name);
    return named.kind === 'image' && fullName(named) === fullName(reference);
  } catch {
    return false;
  }
}

const blobPath = (digest: string): string => `blobs/${digest.replace(':', '/')}`;

async function readFile(files: LayoutFiles, path: string): Promise<Buffer | null> {
  const size = await files.size(path);
  if (size === null) return null;
  if (size > DOCUMENT_BYTES_MAX) throw refused(`${path} has more than ${DOCUMENT_BYTES_MAX} bytes`);
  return size === 0 ? Buffer.alloc(0) : readBounded(files.open(path));
}

async function openBlob(files: LayoutFiles, path: string, digest: string): Promise<Readable> {
  if ((await files.size(path)) === null)
    throw new ImageRefused('image_unavailable', `${digest} is missing from its store`);
  return files.open(path);
}

async function findInLayout(
  files: LayoutFiles,
  index: Buffer,
  reference: ImageReference,
  signal: AbortSignal,
): Promise<FoundImage | null> {
  const isMeant = ({ digest, annotations = {} }: Descriptor): boolean =>
    reference.digest === null
      ? NAME_ANNOTATIONS.some((key) => isNamed(annotations[key] ?? '', reference))
      : digest === reference.digest;
  const meant = readIndex(index).manifests.find(isMeant);
  if (meant === undefined) return null;
  const open: FoundImage['open'] = ({ digest }) => openBlob(files, blobPath(digest), digest);
  const found: FoundImage = {
    digest: meant.digest,
    document: Buffer.alloc(0),
    isOpen: true,
    open,
    manifest: (descriptor) => readDocument(found, descriptor, signal),
  };
  return { ...found, document: await readDocument(found, meant, signal) };
}

const DockerArchive = z.array(
  z.object({ Config: z.string(), RepoTags: z.array(z.string()).nullish(), Layers: z.array(z.string()) }),
);

/**
 * An image as `docker save` wrote it before it wrote layouts: without a manifest. Its identity is the digest of its
 * configuration, which names the digest of each layer's archive.
 */
async function findInDockerArchive(
  files: LayoutFiles,
  list: Buffer,
  reference: ImageReference,
): Promise<FoundImage | null> {
  const images = DockerArchive.safeParse(JSON.parse(list.toString('utf8')));
  if (!images.success) throw refused('its manifest.json is none of an archive of images');
  for (const { Config, RepoTags, Layers } of images.data) {
    const isNamedSo = reference.digest === null && (RepoTags ?? []).some((name) => isNamed(name, reference));
    if (reference.digest === null && !isNamedSo) continue;
    const config = await readFile(files, Config);
    if (config === null) throw refused(`${Config} is missing from its archive`);
    const digest = digestOf(config);
    if (reference.digest === null || reference.digest === digest)
      return describeDockerImage(files, config, Config, Layers);
  }
  return null;
}

async function describeDockerImage(
  files: LayoutFiles,
  config: Buffer,
  configPath: string,
  layerPaths: readonly string[],
): Promise<FoundImage> {
  const { diff_ids } = readConfig(config).rootfs;
  const paths = new Map<string, string>([[digestOf(config), configPath]]);
  const layers: Descriptor[] = [];
  for (const [ordinal, path] of layerPaths.entries()) {
    const digest = diff_ids[ordinal] ?? '';
    paths.set(digest, path);
    layers.push({ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: (await files.size(path)) ?? 0 });
  }
  const described = {
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length },
    layers,
  };
  return {
    digest: digestOf(config),
    document: Buffer.from(JSON.stringify(described)),
    isOpen: true,
    open: ({ digest }) => openBlob(files, paths.get(digest) ?? '', digest),
    manifest: () => Promise.reject(refused('an archive without an index has no further manifests')),
  };
}

/** Images in an OCI layout, which is a directory or a tar archive of one, or in an archive of `docker save`. */
export class LayoutSource implements ImageSource {
  readonly name: string;
  private readonly path: string;

  /** @param path absolute, the operator's own: everybody whose jobs run here can have what is in it */
  constructor(path: string) {
    this.path = path;
    this.name = path;
  }

  async find(reference: ImageReference, signal: AbortSignal): Promise<FoundImage | null> {
    const found = await stat(this.path).catch(() => null);
    if (found === null) throw new ImageRefused('image_unavailable', `there is no image store at ${this.path}`);
    const files = found.isDirectory() ? filesOfDirectory(this.path) : await filesOfArchive(this.path);
    const index = await readFile(files, 'index.json');
    if (index !== null) return findInLayout(files, index, reference, signal);
    // Paths that it names are looked up in an archive, and could lead out of a directory.
    const list = found.isDirectory() ? null : await readFile(files, 'manifest.json');
    if (list === null) throw refused(`${this.path} is no image store: nothing in it says which images it has`);
    return findInDockerArchive(files, list, reference);
  }
}
