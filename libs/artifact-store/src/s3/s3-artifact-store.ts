import { HeadBucketCommand } from '@aws-sdk/client-s3';
import { LOG_BYTES_MAX } from '@delta-ci/contracts';
import type { ArtifactStore, LogStore } from '../artifact-store.ts';
import { FileArtifactStore } from '../file-artifact-store.ts';
import { CacheObjects } from './cache-objects.ts';
import { CheckpointObjects } from './checkpoint-objects.ts';
import { ContentObjects } from './content-objects.ts';
import { LogObjects } from './log-objects.ts';
import { answerTo, S3Bucket, type S3Settings } from './s3-bucket.ts';

/**
 * The artifact store in an S3 bucket. Logs grow, which objects cannot: until their attempts are over they are files in a
 * directory that services share.
 */
export class S3ArtifactStore implements ArtifactStore {
  readonly content: ContentObjects;
  readonly artifacts: ContentObjects;
  readonly caches: CacheObjects;
  readonly logs: LogStore;
  readonly checkpoints: CheckpointObjects;
  readonly #bucket: S3Bucket;
  readonly #files: FileArtifactStore;

  constructor(settings: S3Settings, logDirectory: string) {
    this.#bucket = new S3Bucket(settings);
    this.#files = new FileArtifactStore(logDirectory, LOG_BYTES_MAX, new LogObjects(this.#bucket));
    this.content = new ContentObjects(this.#bucket, 'objects');
    this.artifacts = new ContentObjects(this.#bucket, 'artifacts');
    this.caches = new CacheObjects(this.#bucket);
    this.logs = this.#files.logs;
    this.checkpoints = new CheckpointObjects(this.#bucket);
  }

  async check(): Promise<void> {
    const { client, name } = this.#bucket;
    await Promise.all([answerTo(client.send(new HeadBucketCommand({ Bucket: name }))), this.#files.check()]);
  }
}
