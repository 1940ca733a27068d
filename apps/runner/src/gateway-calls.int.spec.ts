import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GatewayCalls } from './gateway-calls.ts';
import { GatewayClient, Refused } from './gateway-client.ts';

const DIGEST = `sha256:${'d'.repeat(64)}`;
const LARGE_BYTES = 1_024 ** 2 + 1;
const RETRY_AFTER = { 'retry-after': '300' };
const HALF = LARGE_BYTES - 100;

interface Heard {
  readonly call: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A gateway and the store it grants uploads to, in one: it hears everything, and answers the store's calls as told. */
class GatewayAndStore {
  readonly heard: Heard[] = [];
  /** What the store answers next; 200 when nothing is left. */
  storeAnswers: number[] = [];
  /** What the gateway answers to what is recorded next; 200 when nothing is left. */
  recordAnswers: number[] = [];
  grants: 'parts' | 'none' = 'parts';
  readonly #server: Server = createServer((request, reply) => {
    void this.#hear(request).then(
      ({ status, body }) => reply.writeHead(status, status === 503 ? RETRY_AFTER : {}).end(JSON.stringify(body)),
      // Parts that are under way when another one fails are cut.
      () => reply.destroy(),
    );
  });

  async open(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get calls(): string[] {
    return this.heard.map(({ call }) => call);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #hear(request: IncomingMessage): Promise<{ status: number; body: object }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = new URL(request.url ?? '/', this.url).pathname.split('/').at(-1) ?? '';
    const call = `${request.method} ${path}`;
    this.heard.push({ call, headers: request.headers, body: Buffer.concat(chunks) });
    if (path.startsWith('part-')) return { status: this.storeAnswers.shift() ?? 200, body: {} };
    if (path === 'uploads') return { status: 200, body: { grant: this.grants === 'none' ? null : this.#grant() } };
    const status = call === 'POST artifacts' ? (this.recordAnswers.shift() ?? 200) : 200;
    if (status === 200) return { status, body: { digest: DIGEST, sizeBytes: LARGE_BYTES } };
    const code = status === 503 ? 'unavailable' : 'not_found';
    return { status, body: { error: { code, message: 'nothing was sent', details: {} } } };
  }

  #grant(): object {
    const part = (number: number, fromByte: number, toByte: number) => {
      const headers = { 'content-length': String(toByte - fromByte), 'x-part': String(number) };
      return { method: 'PUT', url: `${this.url}/part-${number}`, headers, fromByte, toByte };
    };
    const requests = [part(1, 0, HALF), part(2, HALF, LARGE_BYTES)];
    return { uploadId: 'upload-1', requests, expiresAtMs: Date.now() + 60_000 };
  }
}

describe('an artifact on its way', () => {
  let far: GatewayAndStore;
  let calls: GatewayCalls;
  let gone: AbortController;
  const bytes = new Uint8Array(LARGE_BYTES).fill(7);
  const artifact = { name: 'out/large', type: 'file' as const, retentionDays: 7, digest: DIGEST };

  beforeEach(async () => {
    far = new GatewayAndStore();
    await far.open();
    gone = new AbortController();
    const token = { current: () => Promise.resolve('a-token') };
    const keeper = { gone: gone.signal, stopFor: () => undefined };
    calls = new GatewayCalls(new GatewayClient(far.url), token, { leaseId: 'e'.repeat(64), ttlMs: 60_000 }, keeper);
  });
  afterEach(() => far.close());

  it('when it is small, then one request to the gateway stores and records it', async () => {
    await calls.uploadArtifact({ ...artifact, bytes: bytes.subarray(0, 1_000) });
    expect(far.calls).toEqual(['PUT artifacts']);
  });

  it('when the store has addresses, then its parts go there without the token, and it is recorded', async () => {
    await calls.uploadArtifact({ ...artifact, bytes });
    expect(far.calls.toSorted()).toEqual(['POST artifacts', 'POST uploads', 'PUT part-1', 'PUT part-2']);
    const parts = far.heard.filter(({ call }) => call.startsWith('PUT part'));
    for (const { headers } of parts) expect(headers.authorization).toBeUndefined();
    expect(new Map(parts.map(({ headers, body }) => [headers['x-part'], body.byteLength]))).toEqual(
      new Map([
        ['1', HALF],
        ['2', 100],
      ]),
    );
    const recorded = far.heard.at(-1);
    expect(JSON.parse(recorded?.body.toString() ?? '')).toEqual({
      ...artifact,
      sizeBytes: LARGE_BYTES,
      uploadId: 'upload-1',
    });
  });

  it('when the store has none, then it goes through the gateway', async () => {
    far.grants = 'none';
    await calls.uploadArtifact({ ...artifact, bytes });
    expect(far.calls).toEqual(['POST uploads', 'PUT artifacts']);
  });

  it('when the store is away for a moment or has it already, then the upload goes on', async () => {
    far.storeAnswers = [503, 412, 500, 412];
    await calls.uploadArtifact({ ...artifact, bytes });
    expect(far.calls.filter((call) => call === 'POST uploads')).toHaveLength(1);
    expect(far.calls.at(-1)).toBe('POST artifacts');
  });

  it('when a grant is over, or what was sent is lost, then another is asked for', async () => {
    far.storeAnswers = [403, 200];
    far.recordAnswers = [404];
    await calls.uploadArtifact({ ...artifact, bytes });
    expect(far.calls.filter((call) => call === 'POST uploads')).toHaveLength(3);
    expect(far.calls.at(-1)).toBe('POST artifacts');
  });

  it('when the gateway wants to be left alone for longer than the lease lives, then it is asked again while it does', async () => {
    const token = { current: () => Promise.resolve('a-token') };
    const keeper = { gone: gone.signal, stopFor: () => undefined };
    calls = new GatewayCalls(new GatewayClient(far.url), token, { leaseId: 'e'.repeat(64), ttlMs: 40 }, keeper);
    far.recordAnswers = [503];
    await calls.uploadArtifact({ ...artifact, bytes });
    expect(far.calls.filter((call) => call === 'POST artifacts')).toHaveLength(2);
  });

  it('when grant after grant is over, then the gateway takes it', async () => {
    far.storeAnswers = Array.from({ length: 6 }, () => 403);
    await calls.uploadArtifact({ ...artifact, bytes });
    expect(far.calls.filter((call) => call === 'POST uploads')).toHaveLength(3);
    expect(far.calls.at(-1)).toBe('PUT artifacts');
  });

  it('when the store does not want these bytes, then that is an answer', async () => {
    far.storeAnswers = [400, 400];
    await expect(calls.uploadArtifact({ ...artifact, bytes })).rejects.toBeInstanceOf(Refused);
    expect(far.calls).not.toContain('POST artifacts');
  });
});
