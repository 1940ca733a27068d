import { createHash } from 'node:crypto';
import { ARTIFACT_FILE_BYTES_MAX, type ArtifactRequest } from '@delta-ci/contracts';
import type { CollectReport, CollectedFile } from '@delta-ci/sandbox';
import type { SecretMasker } from '@delta-ci/service';
import { ArtifactList } from './artifact-list.ts';
import { contentOf, FolderArchive } from './folder-archive.ts';
import type { GatewayCalls } from './gateway-calls.ts';
import { Refused, type ArtifactUpload as Upload } from './gateway-client.ts';

/**
 * What a job leaves, on its way to the gateway. An artifact nobody takes, or with a secret in it, does not change what the
 * job's steps said: it is left behind, and the log says why.
 */
export class KeptArtifacts {
  readonly list = new ArtifactList();
  readonly #gateway: Pick<GatewayCalls, 'uploadArtifact'>;
  readonly #secrets: Pick<SecretMasker, 'isIn'>;
  readonly #leftBehind: (name: string, why: string) => Promise<void>;
  readonly #bytesMax: number;
  #folder: FolderArchive | null = null;

  constructor(
    gateway: Pick<GatewayCalls, 'uploadArtifact'>,
    secrets: Pick<SecretMasker, 'isIn'>,
    leftBehind: (name: string, why: string) => Promise<void>,
    bytesMax = ARTIFACT_FILE_BYTES_MAX,
  ) {
    this.#gateway = gateway;
    this.#secrets = secrets;
    this.#leftBehind = leftBehind;
    this.#bytesMax = bytesMax;
  }

  /** A file that a request asks for: an artifact of its own, or one of its folder. */
  async take(request: ArtifactRequest, file: CollectedFile): Promise<void> {
    if (request.type === 'folder') {
      this.#folder ??= new FolderArchive(this.#bytesMax);
      await this.#folder.add(file);
      return;
    }
    if (file.sizeBytes > this.#bytesMax) {
      await this.#leftBehind(file.path, `it has ${file.sizeBytes} bytes, the limit is ${this.#bytesMax}`);
      return;
    }
    const { type, retentionDays } = request;
    await this.#upload({ name: file.path, type, retentionDays }, async () => contentOf(file));
  }

  /** All files of a request were taken: those of a folder go as one archive, or not at all when some do not fit. */
  async collected(request: ArtifactRequest, { notCollected }: CollectReport): Promise<void> {
    if (request.type !== 'folder') return;
    const folder = this.#folder;
    this.#folder = null;
    const name = `${request.path}.tar`;
    const cap = notCollected.find(({ reason }) => reason.endsWith('-cap'));
    if (folder === null) return this.#leftBehind(name, 'there is no file in it');
    if (folder.isOver) return this.#leftBehind(name, `its files are more than ${this.#bytesMax} bytes together`);
    if (cap !== undefined) return this.#leftBehind(name, `it is more than is collected (${cap.reason})`);
    await this.#upload({ name, type: 'file', retentionDays: request.retentionDays }, () => folder.finish());
  }

  async #upload(
    { name, type, retentionDays }: Pick<Upload, 'name' | 'type' | 'retentionDays'>,
    content: () => Upload['bytes'] | Promise<Upload['bytes']>,
  ): Promise<void> {
    const full = this.list.whyNoRoomFor(name);
    if (full !== null) return this.#leftBehind(name, full);
    if (await this.#secrets.isIn(Buffer.from(name)))
      return this.#leftBehind(name, 'a secret of the job is in its name');
    const bytes = await content();
    // It cannot be masked without being another file.
    if (await this.#secrets.isIn(bytes)) return this.#leftBehind(name, 'a secret of the job is in it');
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    try {
      const { sizeBytes } = await this.#gateway.uploadArtifact({ name, type, retentionDays, digest, bytes });
      this.list.add({ name, type, digest, sizeBytes, retentionDays });
    } catch (error) {
      if (!(error instanceof Refused) || error.stale) throw error;
      await this.#leftBehind(name, error.message);
    }
  }
}
