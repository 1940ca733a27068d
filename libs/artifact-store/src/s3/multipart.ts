import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
  type CompletedPart,
  type ListMultipartUploadsCommandOutput,
} from '@aws-sdk/client-s3';
import { answerTo, nullWhenMissing, statusOf, type S3Bucket } from './s3-bucket.ts';

/** Parts in memory and on their way at once. */
const PARTS_AT_ONCE = 3;

/**
 * Sends parts as one object, a few at once. Nothing of it is seen before `confirm` has passed, which is asked once all parts
 * are there; whatever fails, the upload is given up and its parts are freed. Answers what `confirm` said.
 */
export async function sendInParts<T>(
  bucket: S3Bucket,
  key: string,
  parts: AsyncIterable<Uint8Array>,
  confirm: () => T,
): Promise<T> {
  const { client, name } = bucket;
  const begun = await answerTo(client.send(new CreateMultipartUploadCommand({ Bucket: name, Key: key })));
  const upload = { Bucket: name, Key: key, UploadId: begun.UploadId };
  try {
    const sent = await sendAll(bucket, upload, parts);
    const confirmed = confirm();
    await complete(bucket, upload, sent);
    return confirmed;
  } catch (error) {
    await giveUp(bucket, upload);
    throw error;
  }
}

interface Upload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string | undefined;
}

/** Ends with nothing under way, also when it fails: a part that arrives after the upload was given up would stay. */
async function sendAll(
  { client }: S3Bucket,
  upload: Upload,
  parts: AsyncIterable<Uint8Array>,
): Promise<CompletedPart[]> {
  const sent: CompletedPart[] = [];
  const underWay = new Set<Promise<void>>();
  const send = async (part: CompletedPart, Body: Uint8Array): Promise<void> => {
    const { ETag } = await answerTo(
      client.send(new UploadPartCommand({ ...upload, PartNumber: part.PartNumber, Body })),
    );
    part.ETag = ETag;
  };
  try {
    for await (const bytes of parts) {
      const part: CompletedPart = { PartNumber: sent.length + 1 };
      sent.push(part);
      const sending = send(part, bytes);
      underWay.add(sending);
      // One that fails stays in the set, where it is waited for; it is no unhandled rejection until then.
      sending.then(
        () => underWay.delete(sending),
        () => undefined,
      );
      if (underWay.size >= PARTS_AT_ONCE) await Promise.race(underWay);
    }
    await Promise.all(underWay);
    return sent;
  } finally {
    await Promise.allSettled(underWay);
  }
}

/** A server that honours the condition refuses when the object stands already: by its digest, with the same bytes. */
async function complete(bucket: S3Bucket, upload: Upload, Parts: CompletedPart[]): Promise<void> {
  const completion = { ...upload, IfNoneMatch: '*', MultipartUpload: { Parts } };
  try {
    await answerTo(bucket.client.send(new CompleteMultipartUploadCommand(completion)), [412]);
  } catch (error) {
    if (statusOf(error) !== 412) throw error;
    await giveUp(bucket, upload);
  }
}

/** What cannot be freed now is found as abandoned later. */
async function giveUp({ client }: S3Bucket, upload: Upload): Promise<void> {
  await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
}

/** Gives up the uploads below a folder that were begun before `beforeMs` and are not over. Answers how many there were. */
export async function giveUpUploadsBefore(bucket: S3Bucket, folder: string, beforeMs: number): Promise<number> {
  const { client, name } = bucket;
  const query = { Bucket: name, Prefix: bucket.key(folder) };
  let given = 0;
  for (let from: { KeyMarker?: string; UploadIdMarker?: string } | null = {}; from !== null;) {
    const page: ListMultipartUploadsCommandOutput = await answerTo(
      client.send(new ListMultipartUploadsCommand({ ...query, ...from })),
    );
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Initiated === undefined || Initiated.getTime() >= beforeMs) continue;
      const abort = new AbortMultipartUploadCommand({ Bucket: name, Key, UploadId });
      // Somebody else may have been quicker.
      await answerTo(client.send(abort), [404]).catch(nullWhenMissing);
      given += 1;
    }
    const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
    const more = IsTruncated === true && KeyMarker !== undefined;
    from = more ? { KeyMarker, ...(UploadIdMarker === undefined ? {} : { UploadIdMarker }) } : null;
  }
  return given;
}
