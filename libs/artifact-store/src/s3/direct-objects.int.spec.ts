import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from '@jest/globals';
import { ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { eventually } from '../../../../test/support/infra/index.ts';
import {
  whereObjectsAreServed,
  type FreshBucket,
  type ServedObjects,
} from '../../../../test/support/infra/object-server.ts';
import type { GrantedRequest } from '../artifact-store.ts';
import { digestOf } from '../measured-bytes.ts';
import { ContentObjects } from './content-objects.ts';
import { DirectObjects } from './direct-objects.ts';
import { S3Bucket } from './s3-bucket.ts';

const MIB = 1_024 ** 2;
const MINUTE_MS = 60_000;
const SENDER = 'a'.repeat(64);

await whereObjectsAreServed('signed addresses', (server) => {
  let served: ServedObjects;
  let bucket: FreshBucket;
  let objects: ContentObjects;
  let direct: DirectObjects;
  beforeAll(async () => {
    served = await server();
  });
  afterAll(async () => served.end());
  beforeEach(async () => {
    bucket = await served.freshBucket();
    const s3 = new S3Bucket({ ...served, bucket: bucket.name, prefix: 'p/' });
    objects = new ContentObjects(s3, 'artifacts');
    // Parts as small as servers take them, so that two of them are an upload.
    direct = new DirectObjects(s3, 'p/artifacts/incoming/', objects, { singleBytesMax: MIB, partBytes: 5 * MIB });
  });
  afterEach(async () => bucket.drop());

  const scopeOf = (bytes: Buffer, sender = SENDER) => ({
    digest: digestOf(bytes),
    sizeBytes: bytes.byteLength,
    sender,
  });
  const grant = async (bytes: Buffer, validMs = MINUTE_MS) => direct.grantUpload(scopeOf(bytes), validMs);
  const finish = async (bytes: Buffer, uploadId: string | null) => direct.finishUpload(scopeOf(bytes), uploadId);
  const sendAll = async (requests: readonly GrantedRequest[], bytes: Buffer) =>
    Promise.all(requests.map(async (request) => send(request, bytes.subarray(request.fromByte, request.toByte))));
  const underWay = async () =>
    (await served.client.send(new ListMultipartUploadsCommand({ Bucket: bucket.name }))).Uploads?.length ?? 0;

  describe('for an object in one request', () => {
    const bytes = Buffer.from('what a job left');

    it('take it, and it stands; sending and finishing it again is harmless', async () => {
      const { uploadId, requests } = await grant(bytes);
      expect([uploadId, requests.length]).toEqual([null, 1]);
      expect(await sendAll(requests, bytes)).toEqual([200]);
      for (let times = 0; times < 2; times += 1) await finish(bytes, uploadId);
      expect(await sendAll(requests, bytes)).toEqual([412]);
      expect(Buffer.from(await objects.read(digestOf(bytes), 100))).toEqual(bytes);
    });

    it.each<[string, (granted: GrantedRequest) => Partial<GrantedRequest>]>([
      ['another object', ({ url }) => ({ url: url.replace(/[0-9a-f]{64}\?/, `${'0'.repeat(64)}?`) })],
      ['another bucket', ({ url }) => ({ url: url.replace('/delta-test-', '/other-test-') })],
      ['a promise to overwrite', ({ headers }) => ({ headers: { ...headers, 'if-none-match': 'x' } })],
      ['another digest', ({ headers }) => ({ headers: { ...headers, 'x-amz-content-sha256': 'f'.repeat(64) } })],
      ['a longer life', ({ url }) => ({ url: url.replace('X-Amz-Expires=60', 'X-Amz-Expires=600') })],
    ])('are no good for %s', async (_what, change) => {
      const [granted] = (await grant(bytes)).requests;
      if (granted === undefined) throw new Error('nothing was granted');
      expect(await send({ ...granted, ...change(granted) }, bytes)).toBe(403);
      expect(await bucket.keys()).toEqual([]);
    });

    it('take no other bytes, and no other number of them', async () => {
      const [granted] = (await grant(bytes)).requests;
      if (granted === undefined) throw new Error('nothing was granted');
      expect(await send(granted, Buffer.from('WHAT A JOB LEFT'))).toBe(400);
      const longer = Buffer.from('what a job left, and more');
      expect(await send({ ...granted, headers: { ...granted.headers, 'content-length': '25' } }, longer)).toBe(403);
      expect(await bucket.keys()).toEqual([]);
    });

    it('are no good for other methods', async () => {
      await objects.put(bytes, { expected: digestOf(bytes), sizeBytesMax: 100 });
      const [granted] = (await grant(bytes)).requests;
      for (const method of ['GET', 'DELETE']) {
        const { url, headers } = granted as GrantedRequest;
        const { 'content-length': _, ...others } = headers;
        expect((await fetch(url, { method, headers: others })).status).toBe(403);
      }
      expect(await objects.size(digestOf(bytes))).toBe(bytes.byteLength);
    });

    it('are refused once their time is over', async () => {
      const { requests } = await grant(bytes, 1_000);
      const refused = async () => (await sendAll(requests, Buffer.alloc(bytes.byteLength)))[0] === 403;
      await eventually('its second is over', refused);
      expect(await sendAll(requests, bytes)).toEqual([403]);
    });
  });

  it('when nothing was sent, then there is nothing to finish', async () => {
    await expect(finish(Buffer.from('never sent'), null)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('when what stands has another size or other bytes than announced, then it is refused, and wrong bytes go', async () => {
    const bytes = Buffer.from('right');
    await objects.put(bytes, { expected: digestOf(bytes), sizeBytesMax: 10 });
    const scope = { ...scopeOf(bytes), sizeBytes: 6 };
    await expect(direct.finishUpload(scope, null)).rejects.toMatchObject({ code: 'digest_mismatch' });
    expect(await objects.size(digestOf(bytes))).toBe(5);
    const wrong = { Bucket: bucket.name, Key: objects.keyOf(digestOf(bytes)), Body: 'wrong' };
    await served.client.send(new PutObjectCommand(wrong));
    await expect(finish(bytes, null)).rejects.toMatchObject({ code: 'digest_mismatch' });
    expect(await bucket.keys()).toEqual([]);
  });

  describe('for an object in parts', () => {
    const bytes = Buffer.alloc(11 * MIB, 'part');

    it('take them in any order, and the whole stands once it is finished, as often as that is said', async () => {
      const { uploadId, requests } = await grant(bytes);
      expect(requests.map(({ fromByte, toByte }) => toByte - fromByte)).toEqual([5 * MIB, 5 * MIB, MIB]);
      expect(await sendAll(requests.toReversed(), bytes)).toEqual([200, 200, 200]);
      expect(await bucket.keys()).toEqual([]);
      for (let times = 0; times < 2; times += 1) await finish(bytes, uploadId);
      expect(await bucket.keys()).toEqual([objects.keyOf(digestOf(bytes))]);
      expect(bytes.equals(await objects.read(digestOf(bytes), bytes.byteLength))).toBe(true);
    });

    it('when one is missing or nobody knows the upload, then there is nothing to finish', async () => {
      const { uploadId, requests } = await grant(bytes);
      await sendAll(requests.slice(1), bytes);
      await expect(finish(bytes, uploadId)).rejects.toMatchObject({ code: 'not_found' });
      await expect(finish(bytes, 'unheard-of')).rejects.toMatchObject({ code: 'not_found' });
      const other = { ...scopeOf(bytes), sender: 'b'.repeat(64) };
      await expect(direct.finishUpload(other, uploadId)).rejects.toMatchObject({ code: 'not_found' });
      await sendAll(requests.slice(0, 1), bytes);
      await finish(bytes, uploadId);
      expect(await objects.size(digestOf(bytes))).toBe(bytes.byteLength);
    });

    it('when other bytes were sent, then they are refused as a whole, and nothing of them stays', async () => {
      const { uploadId, requests } = await grant(bytes);
      await sendAll(requests, Buffer.alloc(bytes.byteLength, 'evil'));
      await expect(finish(bytes, uploadId)).rejects.toMatchObject({ code: 'digest_mismatch' });
      expect([await bucket.keys(), await underWay()]).toEqual([[], 0]);
    });

    it('when right and other bytes are sent for it at once, in two uploads, then no place holds the other ones', async () => {
      const [right, other] = [await grant(bytes), await grant(bytes)];
      await sendAll(right.requests, bytes);
      await sendAll(other.requests, Buffer.alloc(bytes.byteLength, 'evil'));
      const [first] = await Promise.allSettled([right, other].map(async ({ uploadId }) => finish(bytes, uploadId)));
      expect(first?.status).toBe('fulfilled');
      expect(bytes.equals(await objects.read(digestOf(bytes), bytes.byteLength))).toBe(true);
    });

    it('when the object stands already, then it stays as it is', async () => {
      await objects.put(bytes, { expected: digestOf(bytes), sizeBytesMax: bytes.byteLength });
      const { uploadId, requests } = await grant(bytes);
      await sendAll(requests, Buffer.alloc(bytes.byteLength, 'evil'));
      await finish(bytes, uploadId);
      expect(bytes.equals(await objects.read(digestOf(bytes), bytes.byteLength))).toBe(true);
    });

    it('when it was begun and left, then it is given up with what was sent', async () => {
      const { requests } = await grant(bytes);
      await sendAll(requests.slice(1), bytes);
      expect(await objects.removeAbandoned(Date.now() + 2 * MINUTE_MS, MINUTE_MS)).toBe(1);
      expect([await bucket.keys(), await underWay()]).toEqual([[], 0]);
    });
  });

  describe('for a download', () => {
    it('give the object as a file that no browser shows, and nothing else', async () => {
      const bytes = Buffer.from('<script>alert(1)</script>');
      await objects.put(bytes, { expected: digestOf(bytes), sizeBytesMax: 100 });
      const address =
        (await direct.grantDownload(digestOf(bytes), `attachment; filename*=UTF-8''x.html`, MINUTE_MS)) ?? '';
      const response = await fetch(address);
      expect(await response.text()).toBe(bytes.toString());
      expect(response.headers.get('content-type')).toBe('application/octet-stream');
      expect(response.headers.get('content-disposition')).toBe(`attachment; filename*=UTF-8''x.html`);
      const shown = address.replace('octet-stream', 'xhtml');
      expect([(await fetch(shown)).status, (await fetch(address, { method: 'DELETE' })).status]).toEqual([403, 403]);
    });

    it('are not made for what is not there', async () => {
      expect(await direct.grantDownload(digestOf('nothing'), 'attachment', MINUTE_MS)).toBeNull();
    });
  });
});

async function send({ method, url, headers }: GrantedRequest, bytes: Buffer): Promise<number> {
  const response = await fetch(url, { method, headers, body: new Uint8Array(bytes) });
  await response.arrayBuffer();
  return response.status;
}
