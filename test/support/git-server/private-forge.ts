import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { answerByGit } from './git-http-server.ts';

/** What a request carried that says who asks: `null` for nobody. */
export interface HeardRequest {
  readonly line: string;
  readonly authorization: string | null;
}

/** A storage's or a server's answer in place of the usual one; true means that it was given. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => boolean;

const LFS_BATCH = /^\/(?<repository>.+)\.git\/info\/lfs\/objects\/batch$/u;
const LFS_OBJECT = /^\/storage\/(?<oid>[0-9a-f]{64})$/u;

/**
 * Repositories below a directory over real HTTP, with Git LFS beside them. Those named private are for who shows the token
 * as a password; the storage of LFS objects is for who shows what the batch answer said.
 */
export class PrivateForge {
  readonly heard: HeardRequest[] = [];
  /** Contents by their SHA-256. */
  readonly objects = new Map<string, Buffer>();
  misbehave: Misbehaviour = () => false;
  readonly #server: Server;
  readonly #privates = new Map<string, string>();

  private constructor(root: string) {
    this.#server = createServer((request, response) => {
      this.heard.push({
        line: `${request.method} ${request.url}`,
        authorization: request.headers.authorization ?? null,
      });
      if (this.misbehave(request, response)) return;
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      const oid = LFS_OBJECT.exec(pathname)?.groups?.['oid'];
      if (oid !== undefined) this.#giveObject(oid, request, response);
      else if (!this.#maySee(pathname, request)) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="forge"' }).end();
      } else if (LFS_BATCH.test(pathname)) void this.#answerBatch(request, response);
      else answerByGit(root, request, response);
    });
  }

  static async over(root: string): Promise<PrivateForge> {
    const forge = new PrivateForge(root);
    forge.#server.listen(0, '127.0.0.1');
    await once(forge.#server, 'listening');
    return forge;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on only who has the token sees what lies below `prefix`, for instance `demo/shop`. */
  makePrivate(prefix: string, token: string): void {
    this.#privates.set(`/${prefix}`, token);
  }

  /** Stores a content and answers the pointer that stands for it. */
  keep(content: Buffer): string {
    const oid = createHash('sha256').update(content).digest('hex');
    this.objects.set(oid, content);
    return pointerTo(oid, content.length);
  }

  async end(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #maySee(pathname: string, { headers }: IncomingMessage): boolean {
    const token = [...this.#privates].find(([prefix]) => pathname.startsWith(prefix))?.[1];
    if (token === undefined) return true;
    const [, basic = ''] = /^Basic (.*)$/u.exec(headers.authorization ?? '') ?? [];
    return Buffer.from(basic, 'base64').toString().split(':')[1] === token;
  }

  async #answerBatch(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { objects } = JSON.parse(await text(request)) as { objects: { oid: string; size: number }[] };
    const answered = objects.map(({ oid, size }) => {
      if (!this.objects.has(oid)) return { oid, size, error: { code: 404, message: 'no such object' } };
      const download = { href: `${this.url}/storage/${oid}`, header: { 'X-Storage-Pass': `for-${oid}` } };
      return { oid, size, actions: { download } };
    });
    response.writeHead(200, { 'content-type': 'application/vnd.git-lfs+json' });
    response.end(JSON.stringify({ transfer: 'basic', objects: answered }));
  }

  #giveObject(oid: string, { headers }: IncomingMessage, response: ServerResponse): void {
    const content = this.objects.get(oid);
    if (content === undefined || headers['x-storage-pass'] !== `for-${oid}`) response.writeHead(403).end();
    else response.writeHead(200).end(content);
  }
}

/** A pointer as Git LFS writes it. */
export function pointerTo(oid: string, sizeBytes: number): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${sizeBytes}\n`;
}
