import { z } from 'zod';
import { askStore, StoreAway, type StoreAnswer, type StoreRequest } from './ask-store.ts';
import { notFound, type Found, type SecretProvider } from './secret-provider.ts';

/** How the gateway proves itself to Vault. */
export type VaultAuth =
  | { readonly kind: 'token'; readonly token: () => Promise<string> }
  | {
      readonly kind: 'kubernetes';
      /** Where the method is enabled. */
      readonly mount: string;
      readonly role: string;
      /** The token of the gateway's service account. */
      readonly jwt: () => Promise<string>;
    };

export interface VaultOptions {
  readonly url: URL;
  /** Where the engine is enabled: key-value, version 2. */
  readonly mount: string;
  readonly namespace?: string;
  readonly ca?: string;
  readonly auth: VaultAuth;
  readonly nowMs: () => number;
}

const Login = z.object({
  auth: z.object({ client_token: z.string().min(1), lease_duration: z.number().nonnegative() }),
});
const Read = z.object({ data: z.object({ data: z.record(z.string(), z.unknown()) }) });

/** A token is good for this share of its time; then another one is asked for. */
const SHARE_OF_LIFE = 0.8;

/** Fields of secrets in a key-value engine, version 2, of Vault. A place is `path#field`. */
export class VaultProvider implements SecretProvider {
  readonly #options: VaultOptions;
  #login: { readonly token: string; readonly untilMs: number } | null = null;

  constructor(options: VaultOptions) {
    this.#options = options;
  }

  async find(place: string, signal: AbortSignal): Promise<Found> {
    const { path, field } = partsOf(place);
    try {
      const answer = await this.#read(path, signal);
      return valueIn(answer, field);
    } catch (error) {
      if (error instanceof StoreAway) return notFound(error.message);
      if (signal.aborted) return notFound('there was no answer in time');
      throw error;
    }
  }

  whyNoPlace(place: string): string | null {
    const { path, field } = partsOf(place);
    const plain = path
      .split('/')
      .every((part) => /^[A-Za-z0-9._-]{1,200}$/.test(part) && part !== '.' && part !== '..');
    return plain && /^[^#]{1,200}$/.test(field) ? null : 'expected path#field';
  }

  /** A token that was revoked meanwhile is replaced by another, once. */
  async #read(path: string, signal: AbortSignal): Promise<StoreAnswer> {
    const first = await this.#readWith(await this.#token(signal), path, signal);
    if (first.status !== 403 || this.#options.auth.kind === 'token') return first;
    this.#login = null;
    return this.#readWith(await this.#token(signal), path, signal);
  }

  async #readWith(token: string, path: string, signal: AbortSignal): Promise<StoreAnswer> {
    return askStore({ ...this.#request('GET', `${this.#options.mount}/data/${path}`, token) }, signal);
  }

  async #token(signal: AbortSignal): Promise<string> {
    const { auth, nowMs } = this.#options;
    if (auth.kind === 'token') return readable(auth.token);
    if (this.#login !== null && nowMs() < this.#login.untilMs) return this.#login.token;
    const request = this.#request('POST', `auth/${auth.mount}/login`, null);
    const body = { role: auth.role, jwt: await readable(auth.jwt) };
    const answer = await askStore({ ...request, body }, signal);
    const login = Login.safeParse(answer.body);
    if (answer.status !== 200 || !login.success)
      throw new StoreAway(`the store refused to log the gateway in (${answer.status})`);
    const { client_token: token, lease_duration: seconds } = login.data.auth;
    this.#login = { token, untilMs: nowMs() + seconds * 1_000 * SHARE_OF_LIFE };
    return token;
  }

  #request(method: 'GET' | 'POST', path: string, token: string | null): StoreRequest {
    const { url, namespace, ca } = this.#options;
    const headers = {
      'x-vault-request': 'true',
      ...(token === null ? {} : { 'x-vault-token': token }),
      ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
    };
    return { method, url: new URL(`v1/${path}`, url), headers, ...(ca === undefined ? {} : { ca }) };
  }
}

function valueIn({ status, body }: StoreAnswer, field: string): Found {
  if (status === 404) return notFound('the store has nothing there');
  if (status === 403 || status === 401) return notFound(`the store does not let the gateway read it (${status})`);
  const read = Read.safeParse(body);
  if (status !== 200 || !read.success) return notFound(`the store gave an answer that is none (${status})`);
  const { data } = read.data.data;
  const value = Object.hasOwn(data, field) ? data[field] : undefined;
  return typeof value === 'string' ? { ok: true, value } : notFound('the secret has no such field, or it is not text');
}

function partsOf(place: string): { path: string; field: string } {
  const at = place.lastIndexOf('#');
  return at === -1 ? { path: place, field: '' } : { path: place.slice(0, at), field: place.slice(at + 1) };
}

/** A credential that cannot be read is a store that cannot be asked. */
async function readable(read: () => Promise<string>): Promise<string> {
  try {
    return await read();
  } catch {
    throw new StoreAway('the credential of the gateway for the store cannot be read');
  }
}
