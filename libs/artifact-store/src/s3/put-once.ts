import { PutObjectCommand } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { answerTo, statusOf, type S3Bucket } from './s3-bucket.ts';

/** Writers of one key at the same moment: the server may ask one of them to try again. */
const CONFLICTS_MAX = 5;

/** Writes an object unless it stands already. Its SHA-256 goes with it, for the server to check and to keep. */
export async function putOnce({ client, name }: S3Bucket, key: string, body: Uint8Array): Promise<void> {
  const ChecksumSHA256 = createHash('sha256').update(body).digest('base64');
  const put = { Bucket: name, Key: key, Body: body, IfNoneMatch: '*', ChecksumSHA256 };
  for (let conflicts = 0; ; conflicts += 1) {
    try {
      await answerTo(client.send(new PutObjectCommand(put)), conflicts < CONFLICTS_MAX ? [409, 412] : [412]);
      return;
    } catch (error) {
      const status = statusOf(error);
      if (status === 412) return;
      if (status !== 409) throw error;
    }
  }
}
