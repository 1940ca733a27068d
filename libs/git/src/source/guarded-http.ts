import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { judgeAddresses, type AddressPolicy, type ResolveHost } from '../address-policy.ts';
import type { Protocol } from '../hygiene.ts';
import { oneSafeLine } from '../text-for-people.ts';

/** Where requests may go, and for how long. */
export interface HttpTerms {
  readonly protocols: readonly Protocol[];
  readonly addressPolicy: AddressPolicy;
  /** Of the server that is talked with anyway, wherever it is. */
  readonly ownOrigin: string;
  readonly resolve?: ResolveHost | undefined;
  readonly signal: AbortSignal;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Why a request came to nothing, in words for people. */
export class HttpTrouble extends Error {}

/** Between two words of a server. */
const SILENCE_MS = 60_000;

/**
 * Sends one request to an address that was judged, and to no other: the name is resolved once. Follows no redirect.
 * @throws HttpTrouble when it may not go there, or nobody answers
 */
export async function ask({ method, url, headers, body }: HttpRequest, terms: HttpTerms): Promise<IncomingMessage> {
  const target = parseTarget(url, terms.protocols);
  const host = target.hostname.replace(/^\[|\]$/gu, '');
  const protocol = target.protocol === 'https:' ? 'https' : 'http';
  const port = Number(target.port) || (protocol === 'https' ? 443 : 80);
  const policy: AddressPolicy = target.origin === terms.ownOrigin ? { kind: 'any' } : terms.addressPolicy;
  const judged = await judgeAddresses({ url, protocol, host, port }, policy, terms.resolve);
  if (!judged.ok) throw new HttpTrouble(judged.error.message);
  const options: RequestOptions = {
    method,
    agent: false,
    signal: terms.signal,
    timeout: SILENCE_MS,
    headers: { 'user-agent': 'delta-ci', 'accept-encoding': 'identity', ...headers },
    ...(judged.value === undefined ? {} : { lookup: lookupOf(judged.value) }),
  };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent = (protocol === 'https' ? requestHttps : requestHttp)(target, options);
  sent.once('response', resolve);
  sent.on('error', (error) => reject(new HttpTrouble(`${target.host} did not answer: ${error.message}`)));
  sent.once('timeout', () => sent.destroy(new Error(`silent for ${SILENCE_MS} ms`)));
  sent.end(body);
  return promise;
}

function parseTarget(url: string, protocols: readonly Protocol[]): URL {
  if (!URL.canParse(url)) throw new HttpTrouble(`"${oneSafeLine(url, 200)}" is no address`);
  const target = new URL(url);
  const usable = target.protocol === 'https:' || (target.protocol === 'http:' && protocols.includes('http'));
  if (!usable) throw new HttpTrouble(`an address with ${oneSafeLine(target.protocol, 20)} is not gone to`);
  if (target.username !== '' || target.password !== '')
    throw new HttpTrouble(`an address at ${target.host} with a user in it is not gone to`);
  return target;
}

/** Answers every question for an address with those that were judged. */
function lookupOf(addresses: readonly string[]): NonNullable<RequestOptions['lookup']> {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, options, callback) => {
    if (options.all === true) callback(null, found);
    else callback(null, found[0]?.address ?? '', found[0]?.family);
  };
}

/** The body of an answer as JSON. @throws HttpTrouble for more than `bytesMax`, and for what is no JSON */
export async function readJson(answer: IncomingMessage, bytesMax: number): Promise<unknown> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > bytesMax) throw new HttpTrouble('the answer is larger than anything that is read');
    pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8'));
  } catch {
    throw new HttpTrouble('the answer is no JSON');
  }
}
