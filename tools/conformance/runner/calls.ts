import { RUNNER_ENDPOINTS, type Endpoint } from '@delta-ci/contracts';

/** A call of the protocol by its name; `store` is a granted upload, `none` whatever is no call of the protocol. */
export type CallName = keyof typeof RUNNER_ENDPOINTS | 'store' | 'none';

/** What the played gateway says, or that it cuts the connection and says nothing. */
export type Answer =
  { readonly status: number; readonly body?: object; readonly headers?: Readonly<Record<string, string>> } | 'cut';

/** One request as it came in, and what became of it. */
export interface HeardCall {
  readonly name: CallName;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly query: Readonly<Record<string, string>>;
  readonly token: string | null;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** The body of a JSON call; undefined when it is none. */
  readonly json: unknown;
  /** What of it is not as the protocol has it, in words; null when all is. */
  readonly problem: string | null;
  /** On a clock that nobody sets: when it had arrived as a whole, and when it was answered. */
  readonly atMs: number;
  answer: Answer | null;
  answeredAtMs: number | null;
}

const PATTERNS = Object.entries(RUNNER_ENDPOINTS).map(([name, endpoint]) => ({
  name: name as keyof typeof RUNNER_ENDPOINTS,
  method: endpoint.method,
  path: new RegExp(`^${endpoint.path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`),
}));

/** Which call a request is, and the lease it speaks of. */
export function callOf(method: string, pathname: string): { name: CallName; leaseId: string | null } {
  for (const pattern of PATTERNS) {
    const match = pattern.method === method ? pattern.path.exec(pathname) : null;
    if (match !== null) return { name: pattern.name, leaseId: match.groups?.['leaseId'] ?? null };
  }
  return { name: pathname.startsWith('/store/') && method === 'PUT' ? 'store' : 'none', leaseId: null };
}

/** What of a request is not as the protocol has it; null when all is. */
export function problemWith(
  name: CallName,
  request: Pick<HeardCall, 'method' | 'url' | 'query' | 'contentType' | 'body' | 'json'>,
): string | null {
  if (name === 'store') return null;
  if (name === 'none') return `${request.method} ${request.url.replace(/\?.*/, '')} is no call of the protocol`;
  const { query, body }: Endpoint = RUNNER_ENDPOINTS[name];
  const told = query?.safeParse(request.query);
  if (told?.success === false) return `query: ${told.error.issues.map(({ message }) => message).join('; ')}`;
  if (body === undefined) return null;
  if (request.body.byteLength > body.bytesMax) return `the body has more than ${body.bytesMax} bytes`;
  const type = body.content === 'bytes' ? 'application/octet-stream' : 'application/json';
  if (!request.contentType.startsWith(type)) return `the content type is '${request.contentType}' and not '${type}'`;
  if (typeof body.content === 'string') return null;
  const parsed = body.content.safeParse(request.json);
  if (parsed.success) return null;
  return parsed.error.issues.map(({ path, message }) => `${['body', ...path].join('.')}: ${message}`).join('; ');
}

const BODY_CHARACTERS_MAX = 400;
const LEASE_ID = /\/leases\/[0-9a-f]{64}/;

/** One request and its answer in a few lines. Tokens and lease ids are left out. */
export function exchangeText(call: HeardCall, startedAtMs: number): string {
  const at = `${((call.atMs - startedAtMs) / 1_000).toFixed(2)} s`;
  const body = call.json === undefined ? `${call.body.byteLength} bytes` : shortened(JSON.stringify(call.json));
  const answer =
    call.answer === null ? 'no answer yet' : call.answer === 'cut' ? 'the connection was cut' : answerText(call.answer);
  return `${at}  ${call.method} ${call.url.replace(LEASE_ID, '/leases/{lease}')}  ${body}\n        -> ${answer}`;
}

function answerText({ status, body }: Exclude<Answer, 'cut'>): string {
  return body === undefined ? String(status) : `${status} ${shortened(JSON.stringify(withoutCredentials(body)))}`;
}

/** An answer without what only its receiver may know. */
export function withoutCredentials(body: object): object {
  const hidden = new Set(['token', 'leaseId', 'secrets']);
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, hidden.has(name) ? '(hidden)' : value]));
}

const shortened = (text: string): string =>
  text.length <= BODY_CHARACTERS_MAX ? text : `${text.slice(0, BODY_CHARACTERS_MAX)}…`;
