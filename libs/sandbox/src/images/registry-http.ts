import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { ImageRefused } from './image-refused.ts';

/** Which registries may be asked, and where they may lead. */
export type RegistryRules = {
  /**
   * Registries the operator lists, `host` or `host:port`; these may have private addresses. One without TLS is listed as
   * `http://host:port`. `*` stands for every registry of the public internet.
   */
  readonly registries: readonly string[];
  /** Whether an address is one of the public internet. */
  readonly isPublicAddress: (address: string) => boolean;
};

/** A registry that says nothing for so long is away. */
const SILENT_FOR_MS = 30_000;
const REDIRECTS_MAX = 5;

const unavailable = (message: string): ImageRefused => new ImageRefused('image_unavailable', message);
const notAllowed = (message: string): ImageRefused => new ImageRefused('image_not_allowed', message);

/** Where the registry of images of this name is reached; Docker's own has another name there. */
const HOSTS: Readonly<Record<string, string>> = { 'docker.io': 'registry-1.docker.io' };

/** The address of a registry. @throws ImageRefused when the operator does not let jobs have its images */
export function originOf(registry: string, { registries }: RegistryRules): URL {
  const host = HOSTS[registry] ?? registry;
  if (registries.includes(`http://${registry}`)) return new URL(`http://${host}`);
  if (registries.includes(registry) || registries.includes('*')) return new URL(`https://${host}`);
  throw notAllowed(`the registry ${registry} is not asked here; the file in DELTA_IMAGES_FILE lists those that are`);
}

/** Hosts that may be reached whatever their address is, as URLs have them. */
const isListed = (url: URL, { registries }: RegistryRules): boolean =>
  registries.some((entry) => {
    if (entry === '*') return false;
    const [scheme, name] = entry.startsWith('http://') ? ['http:', entry.slice('http://'.length)] : ['https:', entry];
    return url.protocol === scheme && new URL(`${scheme}//${HOSTS[name] ?? name}`).host === url.host;
  });

const bareHost = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');

/** Resolves a name and refuses all of it when one of its addresses is private: what is judged is what is connected to. */
const publicLookup =
  ({ isPublicAddress }: RegistryRules): LookupFunction =>
  (host, options, done) => {
    systemLookup(host, { ...options, all: true }, (error, addresses: readonly LookupAddress[]) => {
      const found = error === null ? addresses : [];
      const hidden = found.find(({ address }) => !isPublicAddress(address));
      const [first] = found;
      if (hidden !== undefined)
        done(notAllowed(`${host} has the address ${hidden.address}, which is not public`), '', 4);
      else if (error !== null || first === undefined) done(error ?? unavailable(`${host} has no address`), '', 4);
      else if (options.all === true) done(null, [...found]);
      else done(null, first.address, first.family);
    });
  };

function refuseAddress(url: URL, rules: RegistryRules): void {
  if (isListed(url, rules)) return;
  if (url.protocol !== 'https:') throw notAllowed(`${url.host} is not asked without TLS`);
  const host = bareHost(url);
  if (isIP(host) !== 0 && !rules.isPublicAddress(host)) throw notAllowed(`${host} is not a public address`);
}

/** One request. Nothing of the answer's body is read. */
function getOnce(
  url: URL,
  headers: Readonly<Record<string, string>>,
  rules: RegistryRules,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  refuseAddress(url, rules);
  const lookup = isListed(url, rules) ? {} : { lookup: publicLookup(rules) };
  return new Promise((resolve, reject) => {
    const options: RequestOptions = { headers, signal, agent: false, timeout: SILENT_FOR_MS, ...lookup };
    const call =
      url.protocol === 'http:' ? requestHttp(url.href, options, resolve) : requestHttps(url.href, options, resolve);
    call.once('timeout', () => call.destroy(unavailable(`${url.host} says nothing`)));
    call.once('error', (error: Error) => {
      reject(
        error instanceof ImageRefused || signal.aborted ? error : unavailable(`${url.host} is away: ${error.message}`),
      );
    });
    call.end();
  });
}

/** An answer that is no redirection. What authorizes is shown to the first host alone, since the next may be anybody's. */
export async function get(
  from: URL,
  headers: Readonly<Record<string, string>>,
  rules: RegistryRules,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  let url = from;
  for (let hop = 0; hop <= REDIRECTS_MAX; hop += 1) {
    const { authorization, ...rest } = headers;
    const shown = url.origin === from.origin && authorization !== undefined ? { ...rest, authorization } : rest;
    const answer = await getOnce(url, shown, rules, signal);
    const { statusCode = 0, headers: told } = answer;
    if (statusCode < 300 || statusCode >= 400 || told.location === undefined) return answer;
    answer.destroy();
    if (!URL.canParse(told.location, url.href)) throw unavailable(`${url.host} leads to nowhere`);
    url = new URL(told.location, url);
  }
  throw unavailable(`${from.host} leads on without end`);
}
