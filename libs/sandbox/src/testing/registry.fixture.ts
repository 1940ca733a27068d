import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { digestOf } from '../images/image-source.ts';
import type { MadeImage } from './made-image.fixture.ts';

export type RegistryBehaviour = {
  /** Images by `repository:tag`. */
  readonly images: Readonly<Record<string, MadeImage>>;
  /** Further documents by digest, such as an index. */
  readonly documents?: Readonly<Record<string, Buffer>>;
  /** Who gets a token; left out, nobody needs one. */
  readonly account?: { readonly username: string; readonly password: string } | 'anybody';
  /** Where blobs really are; left out, here. */
  readonly blobsAt?: (digest: string) => string;
  /** Answers a blob in its own way. */
  readonly blob?: (digest: string, bytes: Buffer, response: ServerResponse) => void;
};

export type TestRegistry = {
  /** `host:port`. */
  readonly name: string;
  /** Paths that were asked for, in order, with who asked in front where somebody said so. */
  readonly asked: string[];
  [Symbol.asyncDispose](): Promise<void>;
};

const TOKEN = 'obviously-fake-token';

function tokenFor({ account }: RegistryBehaviour, authorization: string | undefined): string | null {
  if (account === 'anybody') return TOKEN;
  const wanted = Buffer.from(`${account?.username ?? ''}:${account?.password ?? ''}`).toString('base64');
  return authorization === `Basic ${wanted}` ? TOKEN : null;
}

/** Answers with an image's manifest or blob, or not at all. */
function answerWith(behaviour: RegistryBehaviour, path: string, response: ServerResponse): void {
  const [, repository = '', kind = '', name = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path) ?? [];
  const ofRepository = Object.entries(behaviour.images).filter(([key]) => key.startsWith(`${repository}:`));
  const documents = new Map(Object.values(behaviour.documents ?? {}).map((bytes) => [digestOf(bytes), bytes]));
  const blobs = new Map([...documents, ...ofRepository.flatMap(([, { blobs: all }]) => [...all])]);
  const tagged = behaviour.documents?.[`${repository}:${name}`] ?? behaviour.images[`${repository}:${name}`]?.manifest;
  const bytes = kind === 'manifests' ? (tagged ?? blobs.get(name)) : blobs.get(name);
  if (bytes === undefined) response.writeHead(404).end('{}');
  else if (kind === 'blobs' && behaviour.blobsAt !== undefined) {
    response.writeHead(307, { location: behaviour.blobsAt(name) }).end();
  } else if (kind === 'blobs' && behaviour.blob !== undefined) behaviour.blob(name, bytes, response);
  else response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
}

/** A registry that speaks the distribution protocol, on this host's loopback. */
export async function startRegistry(behaviour: RegistryBehaviour): Promise<TestRegistry> {
  const asked: string[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const { url = '', headers } = request;
    asked.push(`${headers.authorization === undefined ? '' : `${headers.authorization.split(' ')[0] ?? ''} `}${url}`);
    if (url.startsWith('/token?')) {
      const token = tokenFor(behaviour, headers.authorization);
      response.writeHead(token === null ? 401 : 200).end(JSON.stringify({ token }));
    } else if (behaviour.account !== undefined && headers.authorization !== `Bearer ${TOKEN}`) {
      const challenge = `Bearer realm="http://${headers.host ?? ''}/token",service="registry.test",scope="ignored"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end('{}');
    } else answerWith(behaviour, url, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    name: `127.0.0.1:${port}`,
    asked,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
