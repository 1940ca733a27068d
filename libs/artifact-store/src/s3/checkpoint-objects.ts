import { GetObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import type { Checkpoint } from '@delta-ci/contracts';
import type { CheckpointStore } from '../artifact-store.ts';
import {
  afterCheckpoints,
  checkpointFolder,
  checkpointIn,
  checkpointName,
  positionInName,
  textOfCheckpoint,
} from '../checkpoint-names.ts';
import { putOnce } from './put-once.ts';
import { answerTo, type S3Bucket } from './s3-bucket.ts';

/** Checkpoints in an S3 bucket, one object each, under names that sort as positions do. */
export class CheckpointObjects implements CheckpointStore {
  readonly #bucket: S3Bucket;

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
  }

  async put(checkpoint: Checkpoint): Promise<void> {
    const text = textOfCheckpoint(checkpoint);
    const { position } = checkpoint;
    const key = this.#bucket.key(`checkpoints/${checkpointFolder(position)}/${checkpointName(position, text)}`);
    await putOnce(this.#bucket, key, new TextEncoder().encode(text));
  }

  async list(afterPosition: number, limit: number): Promise<Checkpoint[]> {
    const found: Checkpoint[] = [];
    for await (const key of this.#keysAfter(afterPosition)) {
      const name = key.slice(key.lastIndexOf('/') + 1);
      const position = positionInName(name);
      if (position <= afterPosition) continue;
      if (found.length >= limit && position !== found.at(-1)?.position) return found;
      found.push(checkpointIn(await this.#textOf(key), name));
    }
    return found;
  }

  async *#keysAfter(position: number): AsyncGenerator<string> {
    const { client, name } = this.#bucket;
    const Prefix = this.#bucket.key('checkpoints/');
    const query = { Bucket: name, Prefix, StartAfter: Prefix + afterCheckpoints(position) };
    const pages = paginateListObjectsV2({ client }, query);
    for (let page = await answerTo(pages.next()); page.done !== true; page = await answerTo(pages.next())) {
      yield* (page.value.Contents ?? []).map(({ Key }) => Key ?? '');
    }
  }

  async #textOf(Key: string): Promise<string> {
    const { client, name } = this.#bucket;
    const { Body } = await answerTo(client.send(new GetObjectCommand({ Bucket: name, Key })));
    return answerTo(Body?.transformToString() ?? Promise.resolve(''));
  }
}
