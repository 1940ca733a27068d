import { PutObjectCommand } from '@aws-sdk/client-s3';
import { whereObjectsAreServed, type ServedObjects } from '../../../../test/support/infra/object-server.ts';
import { cacheContract, type CachePlace } from '../cache-contract.fixture.ts';
import { CacheObjects } from './cache-objects.ts';
import { S3Bucket } from './s3-bucket.ts';

await whereObjectsAreServed('chunks of caches in an S3 bucket', (server) => {
  cacheContract(async () => openBucket(await server()));
});

async function openBucket(served: ServedObjects): Promise<CachePlace> {
  const bucket = await served.freshBucket();
  return {
    caches: new CacheObjects(new S3Bucket({ ...served, bucket: bucket.name, prefix: 'a/prefix/' })),
    async leaveOwnerless(digest, Body) {
      const Key = `a/prefix/caches/sha256/${digest.slice(7, 9)}/${digest.slice(7)}`;
      await served.client.send(new PutObjectCommand({ Bucket: bucket.name, Key, Body }));
    },
    // The server says when it took something.
    age: null,
    async end() {
      await bucket.drop();
      await served.end();
    },
  };
}
