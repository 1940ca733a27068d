import { DeleteObjectsCommand, paginateListObjectsV2, type _Object } from '@aws-sdk/client-s3';
import { StoreUnreachable } from '../store-error.ts';
import { answerTo, type S3Bucket } from './s3-bucket.ts';

/** As many as one request takes. */
const REMOVED_AT_ONCE = 1_000;

/** What lies in a bucket under keys that begin with `prefix`, a thousand at a time and in the order of their keys. */
export async function* pagesOf(bucket: S3Bucket, prefix: string): AsyncGenerator<readonly _Object[]> {
  const { client, name: Bucket } = bucket;
  const pages = paginateListObjectsV2({ client }, { Bucket, Prefix: bucket.key(prefix) });
  for (let page = await answerTo(pages.next()); page.done !== true; page = await answerTo(pages.next()))
    yield page.value.Contents ?? [];
}

/** @throws StoreUnreachable when one of them could not be removed */
export async function removeKeys({ client, name: Bucket }: S3Bucket, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += REMOVED_AT_ONCE) {
    const Delete = { Objects: keys.slice(at, at + REMOVED_AT_ONCE).map((Key) => ({ Key })), Quiet: true };
    const { Errors = [] } = await answerTo(client.send(new DeleteObjectsCommand({ Bucket, Delete })));
    const [error] = Errors;
    if (error !== undefined) throw new StoreUnreachable(`${error.Key} cannot be removed: ${error.Code}`);
  }
}
