import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { whereObjectsAreServed, type ServedObjects } from '../../../../test/support/infra/object-server.ts';
import { contentContract, type ContentPlace } from '../content-contract.fixture.ts';
import { ContentObjects } from './content-objects.ts';
import { S3Bucket } from './s3-bucket.ts';

await whereObjectsAreServed('content in an S3 bucket', (server) => {
  contentContract(async () => openBucket(await server()));
});

/** The smallest part that servers take. */
const PART_BYTES = 5 * 1_024 ** 2;

async function openBucket(served: ServedObjects): Promise<ContentPlace> {
  const { client } = served;
  const bucket = await served.freshBucket();
  const Bucket = bucket.name;
  const keyOf = (digest: string) => `a/prefix/objects/sha256/${digest.slice(7, 9)}/${digest.slice(7)}`;
  return {
    content: new ContentObjects(new S3Bucket({ ...served, bucket: Bucket, prefix: 'a/prefix/' }), 'objects', {
      partBytes: PART_BYTES,
    }),
    async names() {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
      return [...(await bucket.keys()), ...Uploads.map(({ UploadId }) => `upload ${UploadId}`)];
    },
    async overwrite(digest, Body) {
      await client.send(new PutObjectCommand({ Bucket, Key: keyOf(digest), Body }));
    },
    async leaveUpload() {
      const begun = await client.send(
        new CreateMultipartUploadCommand({ Bucket, Key: keyOf(`sha256:${'0'.repeat(64)}`) }),
      );
      const { Key, UploadId } = begun;
      await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'half' }));
    },
    async end() {
      await bucket.drop();
      await served.end();
    },
  };
}
