import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import { StoreError, StoreUnreachable } from '../store-error.ts';
import { answerTo, nullWhenMissing, type S3Bucket } from './s3-bucket.ts';

/** Interruptions of one download without a byte between them. */
const INTERRUPTIONS_MAX = 3;

/** The bytes of an object, or null when there is none. */
export async function sizeOf({ client, name }: S3Bucket, key: string): Promise<number | null> {
  const asked = client.send(new HeadObjectCommand({ Bucket: name, Key: key }));
  const head = await answerTo(asked, [404]).catch(nullWhenMissing);
  return head === null ? null : (head.ContentLength ?? 0);
}

/**
 * The bytes of an object, going on where they were interrupted. What comes then may be of another object: whoever reads it
 * checks the whole.
 */
export async function* downloadOf(
  { client, name }: S3Bucket,
  key: string,
  sizeBytes: number,
): AsyncGenerator<Uint8Array> {
  for (let [at, interruptions] = [0, 0]; at < sizeBytes;) {
    const range = { Bucket: name, Key: key, Range: `bytes=${at}-` };
    const answer = await answerTo(client.send(new GetObjectCommand(range)), [404]).catch(nullWhenMissing);
    if (answer === null) throw new StoreError('not_found', `${key} was removed while it was read`);
    let cause: unknown = null;
    try {
      for await (const chunk of answer.Body as Readable as AsyncIterable<Uint8Array>) {
        at += chunk.byteLength;
        interruptions = 0;
        yield chunk;
      }
    } catch (error) {
      cause = error;
    }
    interruptions += 1;
    if (at < sizeBytes && interruptions > INTERRUPTIONS_MAX) {
      throw new StoreUnreachable(`${key} breaks off at ${at} of ${sizeBytes} bytes`, cause);
    }
  }
}
