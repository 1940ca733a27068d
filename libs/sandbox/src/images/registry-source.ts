import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { ACCEPTED_TYPES, type Descriptor } from './image-documents.ts';
import type { ImageReference } from './image-reference.ts';
import { damaged, ImageRefused } from './image-refused.ts';
import { digestOf, readBounded, verified, type FoundImage, type ImageSource } from './image-source.ts';
import { get, originOf, type RegistryRules } from './registry-http.ts';

/** Name and password, or token, by the registry they are for. */
export type RegistryCredentials = ReadonlyMap<string, { readonly username: string; readonly password: string }>;

const TOKEN_BYTES_MAX = 64 * 1024;

const TokenAnswer = z.object({ token: z.string().optional(), access_token: z.string().optional() });

/** Parameters of a challenge: `realm="...",service="..."`. */
const parametersOf = (challenge: string): ReadonlyMap<string, string> =>
  new Map([...challenge.matchAll(/([a-z_]{1,20})="([^"]{0,2000})"/gi)].map(([, key = '', value = '']) => [key, value]));

/** One registry as one image is read from it: what authorizes is asked for once and kept as long. */
class RegistrySession {
  private readonly origin: URL;
  private readonly reference: ImageReference;
  private readonly rules: RegistryRules;
  private readonly basic: string | null;
  private authorization: string | null = null;

  constructor(reference: ImageReference, rules: RegistryRules, credentials: RegistryCredentials) {
    this.origin = originOf(reference.registry, rules);
    this.reference = reference;
    this.rules = rules;
    const known = credentials.get(reference.registry);
    const pair = known === undefined ? null : Buffer.from(`${known.username}:${known.password}`).toString('base64');
    this.basic = pair === null ? null : `Basic ${pair}`;
  }

  /** Null when the registry has nothing there. @throws ImageRefused */
  async get(path: string, accept: string, signal: AbortSignal): Promise<IncomingMessage | null> {
    const url = new URL(`/v2/${this.reference.repository}/${path}`, this.origin);
    const ask = (): Promise<IncomingMessage> => {
      const authorization = this.authorization === null ? {} : { authorization: this.authorization };
      return get(url, { accept, 'accept-encoding': 'identity', ...authorization }, this.rules, signal);
    };
    let answer = await ask();
    if (answer.statusCode === 401) {
      answer.destroy();
      this.authorization = await this.authorize(answer.headers['www-authenticate'] ?? '', signal);
      answer = await ask();
    }
    if (answer.statusCode === 200) return answer;
    answer.destroy();
    if (answer.statusCode === 404) return null;
    throw new ImageRefused(
      'image_unavailable',
      `${this.reference.registry} answers ${answer.statusCode ?? 0} for ${path}`,
    );
  }

  private async authorize(challenge: string, signal: AbortSignal): Promise<string> {
    if (/^basic/i.test(challenge) && this.basic !== null) return this.basic;
    const parameters = parametersOf(challenge);
    const realm = parameters.get('realm') ?? '';
    if (!/^bearer/i.test(challenge) || !URL.canParse(realm)) {
      throw new ImageRefused(
        'image_unavailable',
        `${this.reference.registry} wants credentials, and this runner has none for it`,
      );
    }
    const url = new URL(realm);
    const service = parameters.get('service');
    if (service !== undefined) url.searchParams.set('service', service);
    url.searchParams.set('scope', `repository:${this.reference.repository}:pull`);
    const headers = this.basic === null ? {} : { authorization: this.basic };
    const answer = await get(url, headers, this.rules, signal);
    if (answer.statusCode !== 200) {
      answer.destroy();
      throw new ImageRefused('image_unavailable', `${url.host} gives no token for ${this.reference.repository}`);
    }
    return `Bearer ${tokenIn(await readBounded(answer, TOKEN_BYTES_MAX))}`;
  }
}

function tokenIn(bytes: Buffer): string {
  const parsed = TokenAnswer.safeParse(safeJson(bytes));
  const token = parsed.success ? (parsed.data.token ?? parsed.data.access_token) : undefined;
  if (token === undefined || !/^[\x21-\x7e]+$/.test(token))
    throw new ImageRefused('image_unavailable', 'a registry gives a token that is none');
  return token;
}

function safeJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
}

async function readManifest(answer: IncomingMessage, descriptor: Pick<Descriptor, 'digest' | 'size'>): Promise<Buffer> {
  return readBounded(verified(answer, descriptor));
}

/** Images of registries that speak the distribution protocol, as far as the operator's rules let them be asked. */
export class RegistrySource implements ImageSource {
  readonly name = 'its registry';
  private readonly rules: RegistryRules;
  private readonly credentials: RegistryCredentials;

  /** @param credentials empty for code that may not have what only the operator may */
  constructor(rules: RegistryRules, credentials: RegistryCredentials) {
    this.rules = rules;
    this.credentials = credentials;
  }

  async find(reference: ImageReference, signal: AbortSignal): Promise<FoundImage | null> {
    const session = new RegistrySession(reference, this.rules, this.credentials);
    const wanted = reference.digest ?? reference.tag ?? '';
    const answer = await session.get(`manifests/${wanted}`, ACCEPTED_TYPES, signal);
    if (answer === null) return null;
    const document = await readBounded(answer);
    const digest = digestOf(document);
    if (reference.digest !== null && digest !== reference.digest) {
      throw damaged(`what should be ${reference.digest} is ${digest}`);
    }
    const orMissing = async (path: string, accept: string, during: AbortSignal): Promise<IncomingMessage> => {
      const found = await session.get(path, accept, during);
      if (found === null) throw new ImageRefused('image_unavailable', `${reference.registry} has no ${path}`);
      return found;
    };
    return {
      digest,
      document,
      isOpen: !this.credentials.has(reference.registry),
      open: async (descriptor, during): Promise<Readable> => orMissing(`blobs/${descriptor.digest}`, '*/*', during),
      manifest: async (descriptor, during) =>
        readManifest(await orMissing(`manifests/${descriptor.digest}`, ACCEPTED_TYPES, during), descriptor),
    };
  }
}
