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

type Controllers = Readonly<Record<'leases' | 'runners' | 'runs' | 'webhooks', InstanceType<ControllerClass>>>;

/** One matched request, checked. */
interface Call {
  readonly request: HttpRequest;
  readonly caller: unknown;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

type Handle = (controllers: Controllers, call: Call) => Promise<unknown> | undefined;

const HANDLERS: Readonly<Partial<Record<keyof typeof ENDPOINTS, Handle>>> = {
  registerRunner: ({ runners }, { body }) => runners['register']?.(body),
  renewToken: ({ runners }, { caller, body }) => runners['renew']?.(caller, body),
  requestLease: ({ leases }, { caller, body, request }) => leases['request']?.(caller, body, replyTo(request)),
  acknowledgeLease: ({ leases }, { caller, params, body }) => leases['acknowledge']?.(caller, params, body),
  heartbeat: ({ leases }, { caller, params, body }) => leases['heartbeat']?.(caller, params, body),
  appendLog: ({ leases }, { caller, params, query, body }) => leases['appendLog']?.(caller, params, query, { body }),
  uploadArtifact: ({ leases }, { caller, params, query, body }) =>
    leases['uploadArtifact']?.(caller, params, query, { body }),
  completeAttempt: ({ leases }, { caller, params, body }) => leases['complete']?.(caller, params, body),
  acknowledgeCancel: ({ leases }, { caller, params, body }) => leases['acknowledgeCancel']?.(caller, params, body),
  deliverGitHub: ({ webhooks }, { request }) => webhooks['deliver']?.(request),
  createRun: ({ runs }, { caller, body, request }) =>
    runs['create']?.(caller, request.headers['idempotency-key'], body),
  cancelRun: ({ runs }, { caller, params, body, request }) =>
    runs['cancel']?.(caller, params, request.headers['idempotency-key'], body),
  rerun: ({ runs }, { caller, params, body, request }) =>
    runs['rerun']?.(caller, params, request.headers['idempotency-key'], body),
};

const ROUTES = Object.entries(HANDLERS).map(([name, handle]) => {
  const endpoint: Endpoint = ENDPOINTS[name as keyof typeof ENDPOINTS];
  const pattern = endpoint.path.replaceAll(/:([a-zA-Z]+)/g, '(?<$1>[^/]+)');
  return { endpoint, handle, pattern: new RegExp(`^${pattern}$`) };
});

/** Answers requests with the real controllers of one gateway. */
export function gatewayDoor(product: Product, parts: unknown): (request: HttpRequest) => Promise<HttpAnswer> {
  const controllers = {
    leases: new product.LeaseController(parts),
    runners: new product.RunnerController(parts),
    runs: new product.RunController(parts),
    webhooks: new product.WebhookController(parts),
  };
  return async (request) => {
    try {
      return await answer(controllers, parts as Parts, request);
    } catch (error) {
      return refusedAnswer(refusalOf(error));
    }
  };
}

async function answer(controllers: Controllers, parts: Parts, request: HttpRequest): Promise<HttpAnswer> {
  const route = ROUTES.find(
    ({ endpoint, pattern }) => endpoint.method === request.method && pattern.test(request.path),
  );
  if (route === undefined) return refusedAnswer(refuse('not_found', 'there is no such route'));
  const { endpoint, handle, pattern } = route;
  const caller = callerOf(endpoint, parts, request);
  if (caller === null) return refusedAnswer(refuse('unauthenticated', 'nobody proved who calls'));
  const call = { request, caller, ...checked(endpoint, pattern, request) };
  const body = await handle(controllers, call);
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
