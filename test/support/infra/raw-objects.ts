import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

/** Objects of a bucket by nothing but Amazon's client, one request each. */
export interface RawObjects {
  readonly put: (key: string, bytes: Uint8Array) => Promise<void>;
  readonly get: (key: string) => Promise<Uint8Array | undefined>;
  readonly end: () => void;
}

/** Makes the bucket, which must not be there yet. */
export async function makeRawBucket(
  server: { readonly endpoint: string; readonly accessKeyId: string; readonly secretAccessKey: string },
  Bucket: string,
): Promise<RawObjects> {
  const { endpoint, accessKeyId, secretAccessKey } = server;
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket }));
  return {
    put: async (Key, Body) => void (await client.send(new PutObjectCommand({ Bucket, Key, Body }))),
    get: async (Key) => (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToByteArray(),
    end: () => client.destroy(),
  };
}
