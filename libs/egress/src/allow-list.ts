import { readTarget, type Target } from './host.ts';

/** One entry: any name, a host, or all hosts below a name; at one port or, null, at those of the web. */
type Rule =
  { readonly kind: 'any' } | { readonly kind: 'exact' | 'below'; readonly host: string; readonly port: number | null };

/** What a job may reach, or what an operator lets any job reach. */
export type AllowList = readonly Rule[];

export type ReadAllowList = {
  readonly list: AllowList;
  /** Entries that nobody can read: they allow nothing. */
  readonly unread: readonly string[];
};

/** Ports of an entry that names none. */
const WEB_PORTS: readonly number[] = [80, 443];

const NAMES_PORT = /:[0-9]{1,5}$/;

function readRule(entry: string): Rule | null {
  if (entry === '*') return { kind: 'any' };
  const below = entry.startsWith('*.');
  const target = readTarget(below ? entry.slice(2) : entry, WEB_PORTS[0] ?? null);
  if (target === null || (below && target.host.kind === 'address')) return null;
  const port = NAMES_PORT.test(entry.replace(/^\[.*\]/, '')) ? target.port : null;
  return { kind: below ? 'below' : 'exact', host: target.host.text, port };
}

/** Reads `host`, `host:port`, `*.host`, `*.host:port`, `[address]:port` and `*`, which stands for any name, but for no address. */
export function readAllowList(entries: readonly string[]): ReadAllowList {
  const read = entries.map((entry) => ({ entry, rule: readRule(entry) }));
  return {
    list: read.flatMap(({ rule }) => (rule === null ? [] : [rule])),
    unread: read.flatMap(({ entry, rule }) => (rule === null ? [entry] : [])),
  };
}

const isAtPort = (port: number | null, asked: number): boolean =>
  port === null ? WEB_PORTS.includes(asked) : port === asked;

/** Whether a list names a place. An address has to be named itself. */
export function isListed(list: AllowList, { host, port }: Target): boolean {
  return list.some((rule) => {
    if (rule.kind === 'any') return host.kind === 'name' && isAtPort(null, port);
    if (!isAtPort(rule.port, port)) return false;
    return rule.kind === 'exact'
      ? host.text === rule.host
      : host.kind === 'name' && host.text.endsWith(`.${rule.host}`);
  });
}
