import { randomUUID } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Digest } from '@delta-ci/contracts';
import type { ContentStore, DirectTransfers, GrantedRequest, GrantedUpload, UploadScope } from '../artifact-store.ts';
import { checkedBytes } from '../measured-bytes.ts';
import { StoreError } from '../store-error.ts';
import { downloadOf, sizeOf } from './download.ts';
import { answerTo, nullWhenMissing, statusOf, type S3Bucket } from './s3-bucket.ts';

/** Up to here one request sends all, which the server checks; what is larger goes in parts, several at once. */
const SINGLE_BYTES_MAX = 64 * 1_024 ** 2;
/** The largest artifact has 64 of them. */
const PART_BYTES = 16 * 1_024 ** 2;
const MS_PER_S = 1_000;

/** What a sender knows an upload in parts by: our name of its place aside, and the server's of the upload. */
const UPLOAD_ID = /^([0-9a-f-]{36})\.(.+)$/;

/** Where the objects are that are sent past us. */
type Objects = Pick<ContentStore, 'open' | 'remove'> & { keyOf(digest: Digest): string };

/**
 * Signed addresses of an S3 server. An object in one request goes to its place at once: length, digest and the condition that
 * nothing stands there are signed, and the server refuses anything else. Parts have no digest of the whole that a server
 * could check: they are put together aside, read, and copied to their place by the server. Each upload has a place aside of its
 * own, where nothing changes once it is put together: what is copied is what was read.
 */
export class DirectObjects implements DirectTransfers {
  readonly #bucket: S3Bucket;
  readonly #incoming: string;
  readonly #objects: Objects;
  readonly #sizes: { readonly singleBytesMax: number; readonly partBytes: number };

  constructor(
    bucket: S3Bucket,
    incoming: string,
    objects: Objects,
    sizes = { singleBytesMax: SINGLE_BYTES_MAX, partBytes: PART_BYTES },
  ) {
    this.#bucket = bucket;
    this.#incoming = incoming;
    this.#objects = objects;
    this.#sizes = sizes;
  }

  async grantUpload(scope: UploadScope, validMs: number): Promise<GrantedUpload> {
    const { sizeBytes } = scope;
    return sizeBytes <= this.#sizes.singleBytesMax
      ? { uploadId: null, requests: [await this.#signWhole(scope, validMs)] }
      : this.#beginParts(scope, validMs);
  }

  async finishUpload(scope: UploadScope, uploadId: string | null): Promise<void> {
    const { digest, sizeBytes } = scope;
    if (uploadId !== null && (await sizeOf(this.#bucket, this.#objects.keyOf(digest))) === null) {
      await this.#assemble(scope, uploadId);
      return;
    }
    await this.#confirm(digest, sizeBytes);
  }

  async grantDownload(digest: Digest, disposition: string, validMs: number): Promise<string | null> {
    const Key = this.#objects.keyOf(digest);
    if ((await sizeOf(this.#bucket, Key)) === null) return null;
    const { client, name: Bucket } = this.#bucket;
    const type = 'application/octet-stream';
    const get = { Bucket, Key, ResponseContentDisposition: disposition, ResponseContentType: type };
    return getSignedUrl(client, new GetObjectCommand(get), { expiresIn: Math.ceil(validMs / MS_PER_S) });
  }

  async #signWhole({ digest, sizeBytes }: UploadScope, validMs: number): Promise<GrantedRequest> {
    const hex = digest.slice('sha256:'.length);
    const headers = {
      'content-length': String(sizeBytes),
      'if-none-match': '*',
      'x-amz-content-sha256': hex,
      'x-amz-checksum-sha256': Buffer.from(hex, 'hex').toString('base64'),
    };
    const put = new PutObjectCommand({
      Bucket: this.#bucket.name,
      Key: this.#objects.keyOf(digest),
      ContentLength: sizeBytes,
      IfNoneMatch: '*',
      ChecksumSHA256: headers['x-amz-checksum-sha256'],
    });
    // In place of the words "unsigned payload", which are what an address carries otherwise.
    put.middlewareStack.add(
      (next) => async (given) => {
        (given.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = hex;
        return next(given);
      },
      { step: 'build' },
    );
    return { method: 'PUT', url: await this.#sign(put, headers, validMs), headers, fromByte: 0, toByte: sizeBytes };
  }

  async #beginParts(scope: UploadScope, validMs: number): Promise<GrantedUpload> {
    const { client, name: Bucket } = this.#bucket;
    const aside = randomUUID();
    const Key = this.#keyAside(scope, aside);
    const { UploadId = '' } = await answerTo(client.send(new CreateMultipartUploadCommand({ Bucket, Key })));
    const requests: GrantedRequest[] = [];
    for (let fromByte = 0; fromByte < scope.sizeBytes; fromByte += this.#sizes.partBytes) {
      const toByte = Math.min(scope.sizeBytes, fromByte + this.#sizes.partBytes);
      const ContentLength = toByte - fromByte;
      const part = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: requests.length + 1, ContentLength });
      const headers = { 'content-length': String(ContentLength) };
      requests.push({ method: 'PUT', url: await this.#sign(part, headers, validMs), headers, fromByte, toByte });
    }
    return { uploadId: `${aside}.${UploadId}`, requests };
  }

  async #sign(command: PutObjectCommand | UploadPartCommand, headers: object, validMs: number): Promise<string> {
    const signed = new Set(['host', ...Object.keys(headers)]);
    const options = { expiresIn: Math.ceil(validMs / MS_PER_S), unhoistableHeaders: signed, signableHeaders: signed };
    const { client } = this.#bucket;
    return command instanceof PutObjectCommand
      ? getSignedUrl(client, command, options)
      : getSignedUrl(client, command, options);
  }

  /** Puts parts together aside, reads the whole, and has it copied to its place when it is what was announced. */
  async #assemble(scope: UploadScope, uploadId: string): Promise<void> {
    const { client, name: Bucket } = this.#bucket;
    const { digest, sizeBytes } = scope;
    const [, aside = '', ofServer = ''] = UPLOAD_ID.exec(uploadId) ?? [];
    if (aside === '') throw new StoreError('not_found', 'there is no such upload');
    const Key = this.#keyAside(scope, aside);
    if ((await sizeOf(this.#bucket, Key)) === null) await this.#complete(Key, ofServer, sizeBytes);
    try {
      await readAll(checkedBytes(downloadOf(this.#bucket, Key, sizeBytes), digest));
      const copy = { Bucket, Key: this.#objects.keyOf(digest), CopySource: `${Bucket}/${encodeURIComponent(Key)}` };
      await answerTo(client.send(new CopyObjectCommand({ ...copy, IfNoneMatch: '*' })), [412]).catch(unlessStanding);
    } catch (error) {
      // Anything but the wrong bytes may pass, and then what was sent is still of use.
      if (error instanceof StoreError && error.code === 'digest_mismatch') await this.#drop(Key);
      throw error;
    }
    await this.#drop(Key);
  }

  async #complete(Key: string, UploadId: string, sizeBytes: number): Promise<void> {
    const { client, name: Bucket } = this.#bucket;
    const upload = { Bucket, Key, UploadId };
    // One page has a thousand parts, which is more than are granted.
    const listed = await answerTo(client.send(new ListPartsCommand(upload)), [404]).catch(nullWhenMissing);
    if (listed === null) throw new StoreError('not_found', 'there is no such upload, or it was given up');
    const sent = listed.Parts ?? [];
    const sentBytes = sent.reduce((sum, { Size = 0 }) => sum + Size, 0);
    const Parts = sent.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
    if (sentBytes !== sizeBytes) throw new StoreError('not_found', `${sentBytes} of ${sizeBytes} bytes were sent`);
    await answerTo(client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } })));
  }

  /** Holds what stands against what was announced: by the server's own checksum, or by reading it. */
  async #confirm(digest: Digest, sizeBytes: number): Promise<void> {
    const { client, name: Bucket } = this.#bucket;
    const asked = new HeadObjectCommand({ Bucket, Key: this.#objects.keyOf(digest), ChecksumMode: 'ENABLED' });
    const head = await answerTo(client.send(asked), [404]).catch(nullWhenMissing);
    if (head === null) throw new StoreError('not_found', `nothing was sent for ${digest}`);
    if (head.ContentLength !== sizeBytes) {
      throw new StoreError('digest_mismatch', `${digest} has ${head.ContentLength} bytes, announced were ${sizeBytes}`);
    }
    if (head.ChecksumSHA256 === Buffer.from(digest.slice('sha256:'.length), 'hex').toString('base64')) return;
    const found = await this.#objects.open(digest);
    if (found === null) throw new StoreError('not_found', `${digest} was removed`);
    try {
      await readAll(found.stream);
    } catch (error) {
      if (error instanceof StoreError && error.code === 'digest_mismatch') await this.#objects.remove([digest]);
      throw error;
    }
  }

  async #drop(Key: string): Promise<void> {
    const { client, name: Bucket } = this.#bucket;
    await answerTo(client.send(new DeleteObjectCommand({ Bucket, Key })));
  }

  #keyAside({ sender, digest }: UploadScope, aside: string): string {
    return `${this.#incoming}${sender}/${digest.slice('sha256:'.length)}/${aside}`;
  }
}

async function readAll(bytes: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of bytes);
}

/** @throws the error when it says something else than that the object stands already */
function unlessStanding(error: unknown): void {
  if (statusOf(error) !== 412) throw error;
}
