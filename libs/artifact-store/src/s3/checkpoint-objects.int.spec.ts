import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll } from '@jest/globals';
import { whereObjectsAreServed, type ServedObjects } from '../../../../test/support/infra/object-server.ts';
import { checkpointContract, type CheckpointPlace } from '../checkpoint-contract.fixture.ts';
import { CheckpointObjects } from './checkpoint-objects.ts';
import { S3Bucket } from './s3-bucket.ts';

await whereObjectsAreServed('checkpoints in an S3 bucket', (server) => {
  let served: ServedObjects;
  beforeAll(async () => {
    served = await server();
  });
  afterAll(async () => served.end());
  checkpointContract(async () => openBucket(served));
});

async function openBucket(served: ServedObjects): Promise<CheckpointPlace> {
  const bucket = await served.freshBucket();
  return {
    checkpoints: new CheckpointObjects(new S3Bucket({ ...served, bucket: bucket.name, prefix: 'delta/' })),
    async overwriteTheOne(Body) {
      const [Key = ''] = await bucket.keys();
      await served.client.send(new PutObjectCommand({ Bucket: bucket.name, Key, Body }));
    },
    end: async () => bucket.drop(),
  };
}
