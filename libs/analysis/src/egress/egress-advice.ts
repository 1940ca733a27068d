import { egressRangeOf, type EgressDecision, type EgressReason, type FailureClass } from '@delta-ci/contracts';

/** What follows for people from a connection that was refused or led nowhere. */
export interface EgressAdvice {
  readonly class: FailureClass;
  readonly category: 'egress' | 'network';
  readonly nextStep: string;
}

/** Ports of an entry of an allow-list that names none. */
const WEB_PORTS: readonly number[] = [80, 443];

/** What was settled beforehand keeps the job in: the same attempt again ends the same. */
const settled = (nextStep: string): EgressAdvice => ({ class: 'tooling', category: 'egress', nextStep });

/** It would have been let out, and the network led nowhere. */
const network = (nextStep: string): EgressAdvice => ({ class: 'infrastructure', category: 'network', nextStep });

/** What to do about a decision that is no `allowed`. */
export function egressAdvice(decision: EgressDecision & { readonly reason: EgressReason }): EgressAdvice {
  const host = decision.host ?? 'the server';
  const entry = entryFor(decision);
  switch (decision.reason) {
    case 'not-listed':
      return settled(
        `If the step needs it, name ${entry} in delta.yaml (egress: { allow: [...] }); otherwise have the step do without it.`,
      );
    case 'beyond-policy':
      return settled(
        `The plan names it and the runner's operator does not: DELTA_EGRESS_ALLOW of the runner has to have ${entry}.`,
      );
    case 'private-address':
      return settled(permitting(decision));
    case 'metadata-address':
      return settled(
        'No setting lets a job reach a metadata service: give it what it needs as a secret or as an identity token.',
      );
    case 'no-address':
      return network(
        'Check how the name is spelt. Delta asks the servers of names of the host that carries out the job, and no file of hosts; where only a proxy knows the name, DELTA_EGRESS_UPSTREAM has to name that proxy.',
      );
    case 'unreachable':
      return network(
        'Check that the service is up, and that the host that carries out the job can reach it itself or through the proxy that DELTA_EGRESS_UPSTREAM names.',
      );
    case 'not-http':
      return settled(
        'The way out of a job is a proxy for HTTP: have the program use HTTPS_PROXY as it is set, and not SOCKS or a protocol of its own.',
      );
    case 'not-tls':
      return settled(
        'Through port 443 passes TLS alone: use https, or name what speaks something else with its port (host:port) in the allow-list.',
      );
    case 'no-server-name':
    case 'server-name-mismatch':
      return settled(
        `The program's TLS has to ask for ${host} itself: look for an option that sets another name for the server, or for a very old client.`,
      );
    case 'host-mismatch':
      return settled(`The Host header of the request has to name ${host}.`);
    case 'too-slow':
      return settled('Look for a connection that the program opens and then does not use.');
    case 'too-many-connections':
      return settled('Have the step open fewer connections at once: how many a job may have is the same for all jobs.');
    case 'too-many-bytes':
      return settled('Have the step move less over the network, or share the work out among several jobs.');
  }
}

/** What an allow-list has to say for this place. */
function entryFor({ host, port }: EgressDecision): string {
  if (host === null) return 'the host';
  const shown = host.includes(':') ? `[${host}]` : host;
  return port === null || WEB_PORTS.includes(port) ? shown : `${shown}:${port}`;
}

function permitting({ host, address }: EgressDecision): string {
  return address === undefined
    ? `If the address is meant, whoever runs the jobs permits it with DELTA_EGRESS_RANGES (10.1.0.0/16, for instance); there, getent ahosts ${host ?? 'NAME'} says which it is.`
    : `If ${address} is meant, whoever runs the jobs permits it: DELTA_EGRESS_RANGES has to have ${egressRangeOf(address)}.`;
}
