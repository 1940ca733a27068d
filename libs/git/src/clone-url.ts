import { isIP } from 'node:net';
import { done, failed, type GitResult } from './git-error.ts';
import type { Protocol } from './hygiene.ts';
import { maskCredentials, oneSafeLine } from './text-for-people.ts';

const MAX_URL_CHARACTERS = 2_000;

const SCHEME = /^(https|http|ssh|file):\/\/(.*)$/u;
const AUTHORITY = /^(?:([A-Za-z0-9._~%+:=!$&'()*,;-]*)@)?(\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+)(?::(\d{1,5}))?$/u;
/** `user@host:path`, as ssh users write it. The user is required, so that `c:/x` and `ext::sh` are never taken for hosts. */
const SCP_LIKE = /^([A-Za-z0-9_][A-Za-z0-9_.-]*)@([A-Za-z0-9][A-Za-z0-9.-]*):(?!\/\/)(.+)$/u;
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/u;
const HOST_LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/u;
const PATH = /^[A-Za-z0-9_.~+/@,=%-]+$/u;
const DEFAULT_PORTS: Readonly<Record<Protocol, number>> = { https: 443, http: 80, ssh: 22, file: 0 };

/** What a remote wants to know before it answers. Sent as HTTP basic authentication, never stored, never logged. */
export interface Credential {
  readonly username: string;
  readonly password: string;
}

export interface CloneUrl {
  /** What git is given: without credentials, so it may be stored and shown. Also the key of the mirror cache. */
  readonly url: string;
  readonly protocol: Protocol;
  /** Lower case, without brackets; empty for `file`. */
  readonly host: string;
  readonly port: number;
  /** Whatever stood before the host of an `https` or `http` URL. */
  readonly credential?: Credential;
}

/** Looks for what makes a path mean something else to git, a server or a file system than it does to a reader. */
function complaintAboutPath(path: string): string | undefined {
  if (!PATH.test(path)) return 'has a path with a character that is not accepted';
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return 'has a path with an invalid percent sign';
  }
  if (/[\p{Cc}\\]|%[0-9a-f]{2}/iu.test(decoded)) return 'has a path that hides characters behind percent signs';
  if (decoded.split('/').length !== path.split('/').length) return 'has a path with a hidden slash';
  for (const part of decoded.split('/')) {
    if (part === '.' || part === '..') return 'has a path with a "." or ".." part';
    if (part.startsWith('-')) return 'has a path with a part that begins with "-"';
  }
  return undefined;
}

/** Accepts names and dotted quads; refuses other spellings of addresses (`2130706433`, `0x7f.1`, `127.1`). */
function complaintAboutHost(host: string): string | undefined {
  if (isIP(host) !== 0) return undefined;
  if (host.length > 253 || !host.split('.').every((label) => HOST_LABEL.test(label))) return 'has an invalid host name';
  const last = host.slice(host.lastIndexOf('.') + 1);
  if (/^(?:\d+|0x[0-9a-f]*)$/iu.test(last)) return 'has a host that is a number in disguise';
  return undefined;
}

function complaintAboutPlace(host: string, port: number, path: string): string | undefined {
  if (port < 1 || port > 65_535) return 'has an invalid port';
  return complaintAboutHost(host) ?? complaintAboutPath(path);
}

type Parsed = CloneUrl | string;

function credentialFrom(userInfo: string): Credential | string {
  const [username = '', ...rest] = userInfo.split(':');
  try {
    return { username: decodeURIComponent(username), password: decodeURIComponent(rest.join(':')) };
  } catch {
    return 'has credentials with an invalid percent sign';
  }
}

function parseWithScheme(protocol: Exclude<Protocol, 'file'>, rest: string): Parsed {
  const slash = rest.indexOf('/');
  if (slash < 0) return 'has no path';
  const authority = AUTHORITY.exec(rest.slice(0, slash));
  if (authority === null) return 'has an invalid host';
  const [, userInfo, bracketed = '', portText] = authority;
  const host = bracketed.replace(/^\[|\]$/gu, '').toLowerCase();
  if (bracketed.startsWith('[') && isIP(host) !== 6) return 'has an invalid IPv6 address';
  const port = portText === undefined ? DEFAULT_PORTS[protocol] : Number(portText);
  const path = rest.slice(slash);
  const reason = path === '/' ? 'has no path' : complaintAboutPlace(host, port, path);
  if (reason !== undefined) return reason;
  const shownHost = bracketed.startsWith('[') ? `[${host}]` : host;
  const place = `${shownHost}${port === DEFAULT_PORTS[protocol] ? '' : `:${port}`}${path}`;
  if (protocol === 'ssh') {
    if (userInfo !== undefined && !USER.test(userInfo))
      return 'has an invalid user (a password has no place in an ssh URL)';
    return { url: `ssh://${userInfo === undefined ? '' : `${userInfo}@`}${place}`, protocol, host, port };
  }
  const plain = { url: `${protocol}://${place}`, protocol, host, port };
  if (userInfo === undefined || userInfo === '') return plain;
  const credential = credentialFrom(userInfo);
  return typeof credential === 'string' ? credential : { ...plain, credential };
}

function parseFile(rest: string): Parsed {
  if (!rest.startsWith('/')) return 'must name an absolute path, as in file:///srv/repository.git';
  return complaintAboutPath(rest) ?? { url: `file://${rest}`, protocol: 'file', host: '', port: 0 };
}

function parseScpLike(text: string): Parsed {
  const [, user = '', host = '', path = ''] = SCP_LIKE.exec(text) ?? [];
  if (user === '')
    return 'is not of a form that is accepted (https://host/path, ssh://user@host/path or user@host:path)';
  const lowerHost = host.toLowerCase();
  const reason = complaintAboutPlace(lowerHost, DEFAULT_PORTS.ssh, path);
  return reason ?? { url: `${user}@${lowerHost}:${path}`, protocol: 'ssh', host: lowerHost, port: DEFAULT_PORTS.ssh };
}

function parseAny(text: string): Parsed {
  if (text.length > MAX_URL_CHARACTERS) return `is longer than ${MAX_URL_CHARACTERS} characters`;
  const scheme = SCHEME.exec(text);
  if (scheme === null) return parseScpLike(text);
  const [, protocol, rest = ''] = scheme;
  if (protocol === 'file') return parseFile(rest);
  return parseWithScheme(protocol === 'ssh' ? 'ssh' : protocol === 'http' ? 'http' : 'https', rest);
}

/**
 * Accepts a clone URL of an allowed protocol, and takes credentials out of it.
 * Refuses other schemes, remote helpers (`ext::`), queries, traversal, options in disguise and addresses in disguise.
 */
export function parseCloneUrl(text: string, allowed: readonly Protocol[]): GitResult<CloneUrl> {
  const shown = `"${oneSafeLine(maskCredentials(text.slice(0, MAX_URL_CHARACTERS)), 200)}"`;
  const parsed = parseAny(text);
  if (typeof parsed === 'string') return failed('invalid_url', `${shown} ${parsed}`);
  if (!allowed.includes(parsed.protocol)) {
    return failed('protocol_refused', `${shown} uses ${parsed.protocol}; accepted here: ${allowed.join(', ')}`);
  }
  return done(parsed);
}

/**
 * What a checkout names as the remote it comes from: no credential, and no path of this host. Undefined where the URL is none
 * that would be cloned.
 */
export function originOf(text: string): string | undefined {
  const parsed = parseCloneUrl(text, ['https', 'http', 'ssh']);
  return parsed.ok ? parsed.value.url : undefined;
}
