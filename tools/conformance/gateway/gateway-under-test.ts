import { ErrorBody } from '@delta-ci/contracts';
import { withoutCredentials } from '../runner/calls.ts';

export interface Asked {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the address of the gateway. */
  readonly path: string;
  readonly token?: string;
  readonly type?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

/** What came back. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** The body as JSON; null when it has none, undefined when it is none. */
  readonly json: unknown;
  /** The code of an answer that says no in the documented form; null for any other. */
  readonly code: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  /** Request and answer for people, without tokens and lease ids. */
  readonly exchange: string;
}

const ANSWER_MS = 60_000;
const CHARACTERS_MAX = 300;

/** Any gateway, by its address. Keeps all that it answered. */
export class GatewayUnderTest {
  readonly replies: Reply[] = [];
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** @throws Error when nothing answers there */
  async send({ method = 'POST', path, token, type = 'application/json', body = '{}' }: Asked): Promise<Reply> {
    const response = await fetch(this.#url + path, {
      method,
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), 'content-type': type },
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
      ...(method === 'GET' ? {} : { body }),
    }).catch((error: unknown) => {
      throw new Error(`${method} ${hidden(path)}: ${reasonOf(error)}`, { cause: error });
    });
    const text = await response.text();
    const json = text === '' ? null : jsonIn(text);
    const no = ErrorBody.safeParse(json);
    const said = typeof body === 'string' ? shortened(body) : `${body.byteLength} bytes`;
    const answered = typeof json === 'object' && json !== null ? JSON.stringify(withoutCredentials(json)) : text;
    const reply: Reply = {
      status: response.status,
      headers: response.headers,
      json,
      code: no.success ? no.data.error.code : null,
      details: no.success ? no.data.error.details : {},
      exchange: `${method} ${hidden(path)}  ${said}\n        -> ${response.status} ${shortened(answered)}`,
    };
    this.replies.push(reply);
    return reply;
  }
}

const hidden = (path: string): string => path.replace(/\/leases\/[0-9a-f]{64}/, '/leases/{lease}');

const shortened = (text: string): string =>
  text.length <= CHARACTERS_MAX ? text : `${text.slice(0, CHARACTERS_MAX)}… (${text.length} characters)`;

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
