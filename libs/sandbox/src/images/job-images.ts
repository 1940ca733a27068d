import { lstat, readdir, readlink } from 'node:fs/promises';
import { isNativeError } from 'node:util/types';
import { join } from 'node:path';
import { refusal } from '../refusal.ts';
import type { JobRoot, ObtainedRoot, RootRequest } from '../sandbox-executor.ts';
import { DEFAULT_IMAGE_LIMITS, type ImageLimits } from './image-limits.ts';
import { fullName, parseImageReference, type ImageReference } from './image-reference.ts';
import { ImageRefused } from './image-refused.ts';
import type { FoundImage, ImageSource } from './image-source.ts';
import { ImageStore, type ClaimedTree, type TopEntry } from './image-store.ts';
import { LayoutSource } from './layout-source.ts';
import { obtainImage, type Pull } from './obtain-image.ts';
import type { RegistryRules } from './registry-http.ts';
import { RegistrySource, type RegistryCredentials } from './registry-source.ts';

/** What a host's operator offers jobs in the way of images. */
export type ImageOffer = {
  /** Where unpacked images are kept; private to the warden, on a disk. */
  readonly storeDir: string;
  /** Beyond which those that were not used for longest are removed. */
  readonly storeBytesMax: number;
  /** Layouts and archives, asked in this order and before any registry. Every job may have what is in them. */
  readonly archives: readonly string[];
  /** Root file systems by name: absolute paths of directories. Every job may have them. */
  readonly rootfs: Readonly<Record<string, string>>;
  readonly registry: RegistryRules;
  /** Used for trusted code alone. */
  readonly credentials: RegistryCredentials;
  readonly limits?: ImageLimits;
};

async function topOf(directory: string): Promise<readonly TopEntry[]> {
  const names = await readdir(directory);
  return Promise.all(
    names.map(async (name): Promise<TopEntry> => {
      const path = join(directory, name);
      const found = await lstat(path);
      if (found.isSymbolicLink()) return { name, kind: 'symlink', target: await readlink(path) };
      return { name, kind: found.isDirectory() ? 'directory' : 'file', target: null };
    }),
  );
}

const rootOf = (
  reference: string,
  digest: string,
  { rootfs, record, release }: ClaimedTree,
  env: JobRoot['env'],
): JobRoot => ({ reference, digest, env, tree: { directory: rootfs, top: record.top }, release });

/** Gives jobs the images that their plans name, as far as the operator offers them. */
export class JobImages {
  private readonly offer: ImageOffer;
  private readonly store: ImageStore;

  constructor(offer: ImageOffer) {
    this.offer = offer;
    this.store = new ImageStore(offer.storeDir, offer.storeBytesMax);
  }

  /**
   * Never throws for what an image, its registry or the host does. A tag is resolved here, once; what it led to is said and
   * told with the answer.
   *
   * @param sharedByModes whether jobs have user ids of their own, and get at the tree's files by their modes alone
   */
  async obtain(reference: string, request: RootRequest, sharedByModes: boolean): Promise<ObtainedRoot> {
    const limits = this.offer.limits ?? DEFAULT_IMAGE_LIMITS;
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(limits.withinMs)]);
    try {
      const parsed = parseImageReference(reference);
      if (parsed.kind === 'rootfs') return { ok: true, root: await this.named(reference, parsed.name) };
      const isTrusted = request.trust === 'trusted';
      const pull: Pull = {
        name: reference,
        store: this.store,
        limits,
        sharedByModes,
        isTrusted,
        signal,
        say: request.say,
      };
      return { ok: true, root: await this.pulled(reference, parsed, pull) };
    } catch (reason) {
      if (reason instanceof ImageRefused) return { ok: false, refusal: reason.toRefusal() };
      const why = isNativeError(reason) ? reason.message : String(reason);
      return { ok: false, refusal: refusal('image_unavailable', `the image ${reference} could not be had: ${why}`) };
    }
  }

  private async named(reference: string, name: string): Promise<JobRoot> {
    const directory = this.offer.rootfs[name];
    if (directory === undefined) {
      throw new ImageRefused(
        'image_not_allowed',
        `no root file system called ${name} is offered here: rootfs in the file that DELTA_IMAGES_FILE names has those that are`,
      );
    }
    const tree = { directory, top: await topOf(directory) };
    return { reference, digest: null, env: {}, tree, release: () => Promise.resolve() };
  }

  private async pulled(text: string, reference: ImageReference, pull: Pull): Promise<JobRoot> {
    // Untrusted code has to show each time that its registry lets anybody have the image.
    const kept = pull.isTrusted ? await this.kept(text, reference) : null;
    if (kept !== null) return kept;
    const { found, source } = await this.find(reference, pull.isTrusted, pull.signal);
    await pull.say(`image ${text} is ${found.digest}, from ${source.name}`);
    const { tree, env } = await obtainImage(found, pull);
    return rootOf(text, found.digest, tree, env);
  }

  /** What is called by its digest and is here need not be asked for. */
  private async kept(text: string, { digest }: ImageReference): Promise<JobRoot | null> {
    const recorded = digest === null ? null : await this.store.recorded(digest);
    const tree = recorded === null ? null : await this.store.claim(recorded.chain);
    return digest === null || recorded === null || tree === null ? null : rootOf(text, digest, tree, recorded.env);
  }

  private async find(
    reference: ImageReference,
    withCredentials: boolean,
    signal: AbortSignal,
  ): Promise<{ readonly found: FoundImage; readonly source: ImageSource }> {
    const { archives, registry, credentials } = this.offer;
    const sources: readonly ImageSource[] = [
      ...archives.map((path) => new LayoutSource(path)),
      new RegistrySource(registry, withCredentials ? credentials : new Map()),
    ];
    for (const source of sources) {
      const found = await source.find(reference, signal);
      if (found !== null) return { found, source };
    }
    throw new ImageRefused('image_unavailable', `${fullName(reference)} is not in its registry`);
  }
}
