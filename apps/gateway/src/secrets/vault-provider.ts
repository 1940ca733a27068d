import { z } from 'zod';
import { askStore, StoreAway, type StoreAnswer, type StoreRequest } from './ask-store.ts';
import { notFound, type Found, type SecretProvider } from './secret-provider.ts';
import { SharedLogin, type Login } from './shared-login.ts';

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

const LoginAnswer = z.object({
  auth: z.object({ client_token: z.string().min(1), lease_duration: z.number().nonnegative() }),
});
const Read = z.object({ data: z.object({ data: z.record(z.string(), z.unknown()) }) });

/** As long as whoever needs it waits. */
const LOGIN_MS = 10_000;
const MS_PER_S = 1_000;

/** Fields of secrets in a key-value engine, version 2, of Vault. A place is `path#field`. */
export class VaultProvider implements SecretProvider {
  readonly #options: VaultOptions;
  /** What the gateway shows the store, or where it gets that. */
  readonly #credential: (() => Promise<string>) | SharedLogin;

  constructor(options: VaultOptions) {
    this.#options = options;
    const { auth, nowMs } = options;
    this.#credential = auth.kind === 'token' ? auth.token : new SharedLogin(async () => this.#logIn(auth), nowMs);
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
    const shown = this.#credential;
    if (!(shown instanceof SharedLogin)) return this.#readWith(await readable(shown), path, signal);
    const refused = await shown.token(signal);
    const first = await this.#readWith(refused, path, signal);
    if (first.status !== 403) return first;
    shown.drop(refused);
    return this.#readWith(await shown.token(signal), path, signal);
  }

  async #readWith(token: string, path: string, signal: AbortSignal): Promise<StoreAnswer> {
    return askStore({ ...this.#request('GET', `${this.#options.mount}/data/${path}`, token) }, signal);
  }

  async #logIn({ mount, role, jwt }: Extract<VaultAuth, { kind: 'kubernetes' }>): Promise<Login> {
    const request = this.#request('POST', `auth/${mount}/login`, null);
    const body = { role, jwt: await readable(jwt) };
    const answer = await askStore({ ...request, body }, AbortSignal.timeout(LOGIN_MS)).catch((error: unknown) => {
      throw error instanceof StoreAway ? error : new StoreAway('the store did not log the gateway in, in time');
    });
    const login = LoginAnswer.safeParse(answer.body);
    if (answer.status !== 200 || !login.success)
      throw new StoreAway(`the store refused to log the gateway in (${answer.status})`);
    const { client_token: token, lease_duration: seconds } = login.data.auth;
    // The store says 0 of a token that does not end.
    return { token, holdsMs: seconds === 0 ? Infinity : seconds * MS_PER_S };
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

/** A credential that cannot be read, or is none, is a store that cannot be asked. */
async function readable(read: () => Promise<string>): Promise<string> {
  const text = await read().catch(() => {
    throw new StoreAway('the credential of the gateway for the store cannot be read');
  });
  if (text === '') throw new StoreAway('the credential of the gateway for the store is empty');
  return text;
}
