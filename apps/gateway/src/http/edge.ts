import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { refuse, type Access, type Endpoint } from '@delta-ci/contracts';
import { BodyRoom } from './body-room.ts';
import { Refused, refusedWith } from './refused.ts';
import { RequestRoom, type RequestLimits } from './request-room.ts';
import { endpointIn } from './route.ts';
import { TokenBuckets, type BucketLimits } from './token-bucket.ts';

export interface EdgeLimits {
  /** By what opens the route: only those that strangers can reach. */
  readonly rates: Readonly<Partial<Record<Access, BucketLimits>>>;
  readonly bodyTimeoutMs: number;
  readonly requests: RequestLimits;
  readonly nowMs: () => number;
  readonly onRateLimited: (access: Access) => void;
}

/** A gibibyte, the largest artifact, at about 600 kB/s: below that an upload is not worth waiting for. */
const UPLOAD_TIMEOUT_MS = 30 * 60_000;
/** Headers are a few kilobytes: whoever needs longer for them only holds the connection. */
const HEADERS_TIMEOUT_MS = 10_000;

/**
 * Bodies of strangers under way at once, in bytes: ten of the largest deliveries in all, two of them from one source.
 * Usual deliveries have some 20 kB, so that a forge's mass update of hundreds at once has room.
 */
const STRANGERS_ROOM = { bytesMax: 256 * 1024 ** 2, bytesPerSourceMax: 64 * 1024 ** 2 };
/** Bodies come and go within a second, as a rule. */
const ROOM_RETRY_S = 1;

/** Headers of every answer: nothing of ours is to be guessed at, framed, or kept by caches. */
export const ANSWER_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
};

/**
 * Prepares the listener for strangers: bodies as bytes with a limit of size and time per route, a rate per source, and
 * nothing read of a request that is refused by its head alone.
 */
export function prepareEdge(app: NestFastifyApplication, limits: EdgeLimits): void {
  const fastify = app.getHttpAdapter().getInstance();
  const buckets = bucketsFor(limits);
  const rooms = { requests: new RequestRoom(limits.requests), bodies: new BodyRoom(STRANGERS_ROOM) };
  const server = app.getHttpServer();
  server.requestTimeout = UPLOAD_TIMEOUT_MS;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  app.useBodyParser('application/json', {}, (_request, body, done) => done(null, body));
  fastify.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
  fastify.addHook('onRoute', (route) => {
    const bytesMax = endpointIn(route.config)?.body?.bytesMax;
    if (bytesMax !== undefined) route.bodyLimit = bytesMax;
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    const endpoint = endpointIn(request.routeOptions.config);
    const refused = endpoint === null ? null : refusalByHead(endpoint, request, buckets, limits);
    if (refused !== null || endpoint === null) return done(refused ?? undefined);
    done(hear(endpoint, request, reply, { rooms, limits }) ?? undefined);
  });
  fastify.addHook('preValidation', (request, reply, done) => {
    const endpoint = endpointIn(request.routeOptions.config);
    if (endpoint === null) return done();
    takeTurn(endpoint, reply, { rooms, limits }, done);
  });
}

interface Admission {
  readonly rooms: { readonly requests: RequestRoom; readonly bodies: BodyRoom };
  readonly limits: EdgeLimits;
}

/** Lets a body be sent when there is room for it, and for one more who waits. @returns why nothing of it is read, or null */
function hear(
  endpoint: Endpoint,
  { ip, headers, raw: request }: Head & { raw: IncomingMessage },
  { raw: response }: { raw: ServerResponse },
  { rooms, limits }: Admission,
): Refused | null {
  const turnedAway = (refused: Refused): Refused => {
    limits.onRateLimited(endpoint.access);
    return refused;
  };
  if (rooms.requests.isFull(endpoint)) return turnedAway(tooMany());
  if (endpoint.access === 'signature') {
    const heard = rooms.bodies.take(ip, announcedBytes(endpoint, { ip, headers }));
    if (heard === null) return turnedAway(noRoom());
    response.once('close', heard);
  }
  if (!isUpload(endpoint)) cutWhenSlow(request, response, limits.bodyTimeoutMs);
  return null;
}

/**
 * Waits for the request's turn, once it is here as a whole: whoever sends slowly, or never, keeps a connection and not a
 * turn, of which there are few.
 */
function takeTurn(
  endpoint: Endpoint,
  { raw: response }: { raw: ServerResponse },
  { rooms, limits }: Admission,
  done: (refused?: Refused) => void,
): void {
  // Nobody would give its turn back.
  if (response.closed) return done(tooMany());
  const answered = rooms.requests.enter(endpoint, (admitted) => {
    if (admitted) return done();
    limits.onRateLimited(endpoint.access);
    done(tooMany());
  });
  response.once('close', answered);
}

type Buckets = ReadonlyMap<Access, TokenBuckets>;

function bucketsFor({ rates, nowMs }: EdgeLimits): Buckets {
  const entries = Object.entries(rates) as [Access, BucketLimits][];
  return new Map(entries.map(([access, rate]) => [access, new TokenBuckets(rate, nowMs)]));
}

interface Head {
  readonly ip: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

function refusalByHead(endpoint: Endpoint, head: Head, buckets: Buckets, limits: EdgeLimits): Refused | null {
  const waitMs = buckets.get(endpoint.access)?.take(head.ip) ?? 0;
  if (waitMs > 0) {
    limits.onRateLimited(endpoint.access);
    const retryAfterS = Math.ceil(waitMs / 1_000);
    return new Refused(refuse('rate_limited', 'too many requests from this address', { retryAfterS }), retryAfterS);
  }
  const bytesMax = endpoint.body?.bytesMax ?? 0;
  const announced = Number(head.headers['content-length'] ?? '0');
  if (announced <= bytesMax) return null;
  return refusedWith('payload_too_large', `the body is over ${bytesMax} bytes`, { bytesMax });
}

/** A body that does not say how large it is may become as large as it may be. */
function announcedBytes(endpoint: Endpoint, { headers }: Head): number {
  return Number(headers['content-length'] ?? endpoint.body?.bytesMax ?? 0);
}

function tooMany(): Refused {
  return refusedWith('unavailable', 'too many requests at once; repeat with the same id');
}

function noRoom(): Refused {
  const details = { retryAfterS: ROOM_RETRY_S };
  return new Refused(refuse('rate_limited', 'too many large bodies at once', details), ROOM_RETRY_S);
}

const isUpload = (endpoint: Endpoint): boolean => endpoint.body?.content === 'bytes';

/** Cuts the connection of whoever takes too long to send a body. */
function cutWhenSlow(request: IncomingMessage, response: ServerResponse, timeoutMs: number): void {
  const timer = setTimeout(() => {
    if (!request.complete) request.destroy();
  }, timeoutMs);
  // A request that was refused half-way never closes; its answer always does.
  response.once('close', () => clearTimeout(timer));
}
