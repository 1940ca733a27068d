import {
  ERROR_MESSAGE_CHARS_MAX,
  versionSatisfies,
  type InfrastructureError,
  type PlannedJob,
} from '@delta-ci/contracts';
import { KNOWN_TOOLS } from '../machine/job-tools.ts';

/** What jobs of a local run can have. */
export interface Offered {
  /** As `runs_on` asks for them. */
  readonly labels: ReadonlySet<string>;
  /** Null where nobody can tell: what a container has inside is its own. A version is null where the toolchain does not say it. */
  readonly toolchains: readonly { readonly name: string; readonly version: string | null }[] | null;
  /** Those that were said to be here, without being asked. */
  readonly claimed: readonly { readonly name: string; readonly version: string }[];
  /** Names of what was handed in. */
  readonly secrets: ReadonlySet<string>;
  /** Whether jobs may reach anything. */
  readonly network: boolean;
}

/**
 * What a job needs and cannot have here, with what a person can do about it; null when nothing is lacking. Such a job is not run: it
 * would be judged by what this machine lacks.
 */
export function whatIsLacking(job: PlannedJob, offered: Offered): InfrastructureError | null {
  const ofSecrets = [...lackingSecrets(job, offered), ...lackingTokens(job, offered)];
  const ofNetwork = lackingNetwork(job, offered);
  const rest = [...lackingServices(job), ...lackingLabels(job, offered), ...lackingToolchains(job, offered)];
  if (ofSecrets.length + ofNetwork.length + rest.length === 0) return null;
  const code = rest.length > 0 ? 'layer_missing' : ofSecrets.length > 0 ? 'secret_unavailable' : 'not_offered';
  return { code, message: [...ofSecrets, ...ofNetwork, ...rest].join('; ').slice(0, ERROR_MESSAGE_CHARS_MAX) };
}

function lackingSecrets({ secrets }: PlannedJob, offered: Offered): string[] {
  const missing = secrets.filter((name) => !offered.secrets.has(name));
  if (missing.length === 0) return [];
  const hints = missing.map((name) => `--secret ${name}`).join(' ');
  return [
    `it needs ${plural('secret', missing)}, and nobody handed ${missing.length === 1 ? 'it' : 'them'} in: ${hints} takes what this environment has under the name, --secrets-file FILE what a file has`,
  ];
}

/** Whoever got a token elsewhere can hand it in: to the steps it is a variable like any other. */
function lackingTokens({ idTokens = [] }: PlannedJob, offered: Offered): string[] {
  const missing = idTokens.map(({ name }) => name).filter((name) => !offered.secrets.has(name));
  if (missing.length === 0) return [];
  return [
    `it needs ${plural('identity token', missing)}, which only an installation signs; one that you got elsewhere is handed in as a secret is: ${missing.map((name) => `--secret ${name}`).join(' ')}`,
  ];
}

function lackingNetwork({ egress: { allow } }: PlannedJob, { network }: Offered): string[] {
  return network || allow.length === 0
    ? []
    : [`it needs the network (${allow.join(', ')}) and --no-network forbids it`];
}

function lackingServices({ services = [] }: PlannedJob): string[] {
  if (services.length === 0) return [];
  const named = services.map(({ name, image }) => `${name} (${image})`).join(', ');
  return [`it is to run beside ${named}, and nothing here starts services: a step of the job can start what it needs`];
}

function lackingLabels({ requirements }: PlannedJob, { labels }: Offered): string[] {
  const missing = requirements.labels.filter((label) => !labels.has(label));
  if (missing.length === 0) return [];
  const claims = missing.map((label) => `--has ${label}`).join(' ');
  return [`it runs on ${missing.join(', ')}, which nobody says this machine is: ${claims} does`];
}

function lackingToolchains({ requirements }: PlannedJob, { toolchains, claimed }: Offered): string[] {
  return requirements.toolchains.flatMap(({ name, version }) => {
    const isIt = (tool: { name: string; version: string | null }): boolean =>
      tool.name === name && versionSatisfies(tool.version ?? '', version);
    if (claimed.some(isIt) || (toolchains ?? []).some(isIt)) return [];
    const asked = version === '*' ? name : `${name} ${version}`;
    const claim = `--has ${name}@${version === '*' ? 'any' : version} says that they do`;
    if (toolchains === null)
      return [`it needs ${asked}, and nobody can tell what jobs find in their container: ${claim}`];
    if (!KNOWN_TOOLS.includes(name))
      return [`it needs ${asked}, and nobody knows how to tell whether jobs here find it: ${claim}`];
    const there = toolchains.find((tool) => tool.name === name);
    const found = there === undefined ? `no ${name}` : `${name} ${there.version ?? 'that does not say its version'}`;
    return [
      `it needs ${asked}, and jobs here find ${found}: put it first on PATH, or name where it is installed in DELTA_TOOLCHAIN_DIRS`,
    ];
  });
}

const plural = (what: string, names: readonly string[]): string =>
  names.length === 1 ? `the ${what} ${names[0]}` : `the ${what}s ${names.join(', ')}`;
