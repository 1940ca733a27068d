import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { askStore, StoreAway, type StoreAnswer } from './ask-store.ts';
import { textOf } from './secret-text.ts';
import { notFound, type Found, type SecretProvider } from './secret-provider.ts';

export interface KubernetesOptions {
  /** Of the API server. */
  readonly url: URL;
  readonly namespace: string;
  /** Where a pod has `token` and `ca.crt` of its service account; both are read anew with each request. */
  readonly accountDir: string;
}

const SecretObject = z.object({ data: z.record(z.string(), z.base64()).nullish() });

/** Secret objects of one namespace, by the API of the cluster. A place is `name/key`. */
export class KubernetesProvider implements SecretProvider {
  readonly #options: KubernetesOptions;

  constructor(options: KubernetesOptions) {
    this.#options = options;
  }

  async find(place: string, signal: AbortSignal): Promise<Found> {
    const [name = '', key = ''] = place.split('/');
    try {
      return valueIn(await this.#read(name, signal), key);
    } catch (error) {
      if (error instanceof StoreAway) return notFound(error.message);
      if (signal.aborted) return notFound('there was no answer in time');
      throw error;
    }
  }

  whyNoPlace(place: string): string | null {
    const fits = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/[A-Za-z0-9._-]{1,253}$/.test(place);
    return fits ? null : 'expected name/key';
  }

  async #read(name: string, signal: AbortSignal): Promise<StoreAnswer> {
    const { url, namespace } = this.#options;
    const token = await this.#accountFile('token');
    const ca = url.protocol === 'https:' ? { ca: await this.#accountFile('ca.crt') } : {};
    const address = new URL(`api/v1/namespaces/${namespace}/secrets/${name}`, url);
    return askStore({ method: 'GET', url: address, headers: { authorization: `Bearer ${token}` }, ...ca }, signal);
  }

  async #accountFile(name: string): Promise<string> {
    const file = `the file ${name} of the gateway's service account`;
    const text = await readFile(join(this.#options.accountDir, name), 'utf8').catch(() => {
      throw new StoreAway(`${file} cannot be read`);
    });
    if (text.trim() === '') throw new StoreAway(`${file} is empty`);
    return text.trim();
  }
}

function valueIn({ status, body }: StoreAnswer, key: string): Found {
  if (status === 404) return notFound('the namespace has no such secret');
  if (status === 403 || status === 401) return notFound(`the cluster does not let the gateway read it (${status})`);
  const read = SecretObject.safeParse(body);
  if (status !== 200 || !read.success) return notFound(`the cluster gave an answer that is none (${status})`);
  const data = read.data.data ?? {};
  const value = Object.hasOwn(data, key) ? data[key] : undefined;
  return value === undefined ? notFound('the secret has no such key') : textOf(Buffer.from(value, 'base64'));
}
