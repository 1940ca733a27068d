import { readAllowList, readRanges, resolveName, upstreamAt, type EgressBounds } from '@delta-ci/egress';
import { nearestName } from '../../nearest-name.ts';
import { Problem } from '../../problem.ts';
import { variable, type Surroundings } from '../../surroundings.ts';

/** How every name begins that may be meant for one of these: others are near to one by chance. */
const BEGINNING = 'DELTA_EGRESS'.slice(0, -'GRESS'.length);
const VARIABLES = ['DELTA_EGRESS', 'DELTA_EGRESS_ALLOW', 'DELTA_EGRESS_RANGES', 'DELTA_EGRESS_UPSTREAM'];

/**
 * What this machine lets jobs reach at most, by the variables that a runner has for it. The proxies that this person's own programs
 * use are none of them: addresses would be theirs to judge. @throws Problem for a variable that says no such thing, and for a name that was
 * probably meant to be one of theirs: it may have been to forbid something
 */
export function egressBounds(surroundings: Surroundings): EgressBounds {
  refuseMisspelt(surroundings);
  const allow = itemsOf(surroundings, 'DELTA_EGRESS_ALLOW');
  const ranges = itemsOf(surroundings, 'DELTA_EGRESS_RANGES');
  const [unread] = readAllowList(allow).unread;
  if (unread !== undefined) throw invalid('DELTA_EGRESS_ALLOW', `${JSON.stringify(unread)} is no host`);
  try {
    readRanges(ranges);
  } catch (error) {
    throw invalid('DELTA_EGRESS_RANGES', error instanceof Error ? error.message : String(error));
  }
  return {
    allow: allow.length === 0 ? ['*'] : allow,
    ranges,
    upstream: upstreamOf(surroundings),
    resolve: resolveName,
  };
}

function refuseMisspelt({ environment }: Surroundings): void {
  for (const name of Object.keys(environment)) {
    if (!name.startsWith(BEGINNING) || VARIABLES.includes(name)) continue;
    const nearest = nearestName(name, VARIABLES);
    if (nearest === null) continue;
    throw new Problem('unknown_variable', `nothing reads the variable ${name}`, { next: `did you mean ${nearest}?` });
  }
}

function upstreamOf(surroundings: Surroundings): EgressBounds['upstream'] {
  const text = variable(surroundings, 'DELTA_EGRESS_UPSTREAM');
  if (text === null) return null;
  const url = URL.parse(text);
  // A password may be in it: nothing of it is repeated.
  const unread = invalid('DELTA_EGRESS_UPSTREAM', 'a proxy is http://[user:password@]host:port');
  if (url?.protocol !== 'http:') throw unread;
  try {
    return upstreamAt(url);
  } catch {
    // What follows a percent sign is no byte.
    throw unread;
  }
}

function itemsOf(surroundings: Surroundings, name: string): string[] {
  return (variable(surroundings, name) ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

const invalid = (name: string, why: string): Problem =>
  new Problem('invalid_variable', `${name} cannot be read: ${why}`, { next: 'see docs/egress.md' });
