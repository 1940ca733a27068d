import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { ENDPOINTS, REFUSALS, refuse, type Endpoint, type Refusal } from '@delta-ci/contracts';
import type { HttpAnswer, HttpRequest } from '../network/simulated-http.ts';
import type { ControllerClass, Product } from './product.ts';
import { REGISTRATION_TOKEN } from './settings.ts';

/** What stands before the gateway's controllers: takes the place of Fastify and of Nest's guards, pipes and filters. */

interface Caller {
  readonly kind: string;
}

interface Parts {
  readonly proofs: { readonly runners: { callerOf: (token: string) => Caller | null } };
}

type ControllerName = 'leases' | 'uploads' | 'runners' | 'runs' | 'webhooks';

export type Door = (request: HttpRequest) => Promise<HttpAnswer>;

/** One matched request, checked. */
interface Call {
  readonly request: HttpRequest;
  readonly caller: unknown;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/** Which method of which controller takes a request, and what it is given. */
type Route = readonly [controller: ControllerName, method: string, given: (call: Call) => readonly unknown[]];

const ofLease = ({ caller, params, body }: Call): readonly unknown[] => [caller, params, body];
const streamedUnderLease = ({ caller, params, query, body, request }: Call): readonly unknown[] => [
  caller,
  params,
  query,
  { body, headers: request.headers },
];
const repeatable = ({ caller, params, body, request }: Call): readonly unknown[] => [
  caller,
  params,
  request.headers['idempotency-key'],
  body,
];

const TAKEN: Readonly<Partial<Record<keyof typeof ENDPOINTS, Route>>> = {
  registerRunner: ['runners', 'register', ({ body }) => [body]],
  renewToken: ['runners', 'renew', ({ caller, body }) => [caller, body]],
  requestLease: ['leases', 'request', ({ caller, body, request }) => [caller, body, replyTo(request)]],
  acknowledgeLease: ['leases', 'acknowledge', ofLease],
  heartbeat: ['leases', 'heartbeat', ofLease],
  appendLog: ['leases', 'appendLog', streamedUnderLease],
  grantUpload: ['uploads', 'grant', ofLease],
  uploadArtifact: ['uploads', 'upload', streamedUnderLease],
  recordUpload: ['uploads', 'recordUpload', ofLease],
  completeAttempt: ['leases', 'complete', ofLease],
  acknowledgeCancel: ['leases', 'acknowledgeCancel', ofLease],
  deliverGitHub: ['webhooks', 'deliver', ({ request }) => [request]],
  createRun: ['runs', 'create', ({ caller, body, request }) => [caller, request.headers['idempotency-key'], body]],
  cancelRun: ['runs', 'cancel', repeatable],
  rerun: ['runs', 'rerun', repeatable],
};

const ROUTES = Object.entries(TAKEN).map(([name, taken]) => {
  const endpoint: Endpoint = ENDPOINTS[name as keyof typeof ENDPOINTS];
  const pattern = endpoint.path.replaceAll(/:([a-zA-Z]+)/g, '(?<$1>[^/]+)');
  return { endpoint, taken, pattern: new RegExp(`^${pattern}$`) };
});

type Controllers = Readonly<Record<ControllerName, InstanceType<ControllerClass>>>;

/**
 * Answers requests with the real controllers of one gateway. What nobody takes here, and what fails for a mistake in a
 * program, is no answer but the end of the seed: an endpoint that only refuses would prove nothing for ever.
 */
export function gatewayDoor(product: Product, parts: object): Door {
  const controllers = {
    leases: new product.LeaseController(parts),
    uploads: new product.UploadController(parts),
    runners: new product.RunnerController(parts),
    runs: new product.RunController(parts),
    webhooks: new product.WebhookController(parts),
  };
  return async (request) => {
    try {
      return await answer(controllers, parts as Parts, request);
    } catch (error) {
      if (isMistake(error)) throw error;
      return refusedAnswer(refusalOf(error));
    }
  };
}

/** Nobody meant to throw these. */
const MISTAKES: readonly string[] = ['TypeError', 'ReferenceError', 'RangeError', 'SyntaxError', 'NoSuchRoute'];
const isMistake = (error: unknown): boolean => error instanceof Error && MISTAKES.includes(error.name);

class NoSuchRoute extends Error {
  override readonly name = 'NoSuchRoute';
}

async function answer(controllers: Controllers, parts: Parts, request: HttpRequest): Promise<HttpAnswer> {
  const route = ROUTES.find(
    ({ endpoint, pattern }) => endpoint.method === request.method && pattern.test(request.path),
  );
  if (route === undefined) throw new NoSuchRoute(`${request.method} ${request.path}`);
  const { endpoint, taken, pattern } = route;
  const caller = callerOf(endpoint, parts, request);
  if (caller === null) return refusedAnswer(refuse('unauthenticated', 'nobody proved who calls'));
  const call = { request, caller, ...checked(endpoint, pattern, request) };
  const [name, method, given] = taken;
  const handler = controllers[name][method];
  if (handler === undefined) throw new NoSuchRoute(`${name} has no method ${method}`);
  const body = await handler.call(controllers[name], ...given(call));
  const [status = 200] = Object.keys(endpoint.answers).map(Number);
  return body === undefined ? { status: 204, body: null } : { status, body };
}

function callerOf({ access }: Endpoint, parts: Parts, { headers }: HttpRequest): unknown {
  const token = (headers['authorization'] ?? '').replace('Bearer ', '');
  if (access === 'runner') return parts.proofs.runners.callerOf(token);
  if (access === 'registration') return token === REGISTRATION_TOKEN ? {} : null;
  if (access === 'signature') return {};
  return { kind: 'access', name: 'ada', role: 'admin' };
}

function checked(endpoint: Endpoint, pattern: RegExp, request: HttpRequest): Pick<Call, 'params' | 'query' | 'body'> {
  const params = { ...pattern.exec(request.path)?.groups };
  const query = Object.fromEntries(request.query);
  const content = endpoint.body?.content;
  return {
    params: endpoint.params?.parse(params) ?? params,
    query: endpoint.query?.parse(query) ?? query,
    body:
      typeof content === 'object'
        ? content.parse(JSON.parse(Buffer.from(request.body).toString('utf8')))
        : streamed(request),
  };
}

const streamed = ({ body }: HttpRequest): Readable => Readable.from([body]);

/** The reply of a long poll, as far as it is asked whether anybody still listens. */
function replyTo({ gone }: HttpRequest): unknown {
  const raw = Object.assign(new EventEmitter(), { destroyed: gone.aborted, writableFinished: false });
  gone.addEventListener('abort', () => raw.emit('close'), { once: true });
  return { raw, code: () => undefined };
}

function refusalOf(error: unknown): Refusal {
  if (typeof error === 'object' && error !== null && 'refusal' in error) return error.refusal as Refusal;
  if (error instanceof Error && error.name === 'StoreError' && 'code' in error) {
    const details = 'details' in error ? (error.details as Record<string, unknown>) : {};
    return refuse(error.code as Refusal['code'], error.message, details);
  }
  return refuse('internal', error instanceof Error ? `${error.name}: ${error.message}` : 'our fault');
}

const refusedAnswer = ({ code, message, details }: Refusal): HttpAnswer => ({
  status: REFUSALS[code].status,
  body: { error: { code, message, details } },
});
