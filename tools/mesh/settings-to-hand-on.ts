import { loadConfig, unknownVariables, variableOf, type ConfigProblem } from '@delta-ci/service';
import { z } from 'zod';
import { SERVICE_NAMES, type HandedOn, type ServiceName } from './service-table.ts';
import type { SettingsOfServices } from './settings-of-services.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What an operator's variables come to. */
export interface SortedSettings {
  /** Of each service what it gets on top of what the mesh gives it. */
  readonly handedOn: HandedOn;
  /** The same by variable, in alphabetical order. */
  readonly taken: readonly { readonly variable: string; readonly services: readonly ServiceName[] }[];
  /** Settings that the mesh gives itself, and what to do instead. */
  readonly kept: readonly { readonly variable: string; readonly instead: string }[];
  /** Nobody's, and so near to a setting that it was probably meant. */
  readonly misspelt: readonly { readonly variable: string; readonly nearest: string }[];
  /** Nobody's. */
  readonly unknown: readonly string[];
  /** Values that who reads them would not take. */
  readonly problems: readonly ConfigProblem[];
}

const STATE_DIR = '--state-dir says where everything is kept';
const OF_RUNNERS = 'it is for runners that you start yourself';
const CHECKPOINT_KEYS = 'the mesh signs with orchestrator/checkpoint-key.pem of its state directory';

/** Settings that a mesh of one machine gives its services itself: with others its parts would not find each other. */
export const KEPT: Readonly<Record<string, string>> = {
  DELTA_ADMIN_TOKEN_FILE: 'the token is in gateway/admin-token of the state directory',
  DELTA_ARTIFACT_DIR: STATE_DIR,
  DELTA_CHECKPOINT_KEY: CHECKPOINT_KEYS,
  DELTA_CHECKPOINT_KEY_FILE: CHECKPOINT_KEYS,
  DELTA_CHECKPOINT_KEYS_DIR: CHECKPOINT_KEYS,
  DELTA_DATABASE_URL: 'DATABASE_URL names a Postgres to use, as its administrator',
  DELTA_DATA_DIR: STATE_DIR,
  DELTA_EXIT_WITH_PARENT: 'services end with the mesh',
  DELTA_FORGES_FILE: 'the mesh serves the forge of its demonstration',
  DELTA_GATEWAY_URL: '--port says where the gateway listens',
  DELTA_HTTP_HOST: 'all of it listens on this machine alone',
  DELTA_HTTP_PORT: '--port says where the gateway listens',
  DELTA_IDLE_TIMEOUT_MS: OF_RUNNERS,
  DELTA_INSTANCE_ID: 'there is one of each service',
  DELTA_ISOLATION: 'it is what this machine has; --unsandboxed does without',
  DELTA_KILL_GRACE_MS: OF_RUNNERS,
  DELTA_NATS_URL: 'NATS_URL names a server to use',
  DELTA_READY_FD: 'the mesh waits for its services in another way',
  DELTA_REGISTRATION_TOKEN: 'the token is in gateway/registration-token of the state directory',
  DELTA_RUNNER_ENTRY: 'runners are those of this checkout',
  DELTA_RUNNER_NAME: OF_RUNNERS,
  DELTA_SHARED_DIR: OF_RUNNERS,
};

/** What sets this machine up, what `delta` reads, and what a job finds: no service is meant by it. */
export const OF_OTHERS: ReadonlySet<string> = new Set([
  'DELTA_ATTEMPT',
  'DELTA_ATTESTATION_KEY_FILE',
  'DELTA_BWRAP',
  'DELTA_CACHES_KEPT_BYTES',
  'DELTA_CACHE_HOME',
  'DELTA_CONTAINER_ENGINE',
  'DELTA_CONTAINER_IMAGE',
  'DELTA_JOB',
  'DELTA_NATS_SERVER',
  'DELTA_NODE',
  'DELTA_POSTGRES_BIN',
  'DELTA_RUN_ID',
  'DELTA_STEP',
  'DELTA_TOKEN',
  'DELTA_TOKEN_FILE',
]);

/**
 * Decides which variables of an environment go to which services of a mesh. Those of one name go to all that read it. An
 * empty one counts as not set.
 */
export function settingsToHandOn(env: Env, settings: SettingsOfServices): SortedSettings {
  const given = Object.keys(env)
    .filter((variable) => variable.startsWith('DELTA_') && env[variable]?.trim())
    .sort();
  const open = given.filter((variable) => !OF_OTHERS.has(variable) && KEPT[variable] === undefined);
  const taken = open
    .map((variable) => ({ variable, services: SERVICE_NAMES.filter((name) => reads(settings[name], variable)) }))
    .filter(({ services }) => services.length > 0);
  const handed = new Set(taken.map(({ variable }) => variable));
  const rest = Object.fromEntries(open.filter((variable) => !handed.has(variable)).map((name) => [name, '']));
  const nobodys = unknownVariables([...new Set(Object.values(settings).flatMap(variablesOf))], rest);
  return {
    handedOn: Object.fromEntries(
      SERVICE_NAMES.map((name) => [
        name,
        valuesOf(
          env,
          taken.filter(({ services }) => services.includes(name)),
        ),
      ]),
    ),
    taken,
    kept: given.flatMap((variable) => {
      const instead = KEPT[variable];
      return instead === undefined ? [] : [{ variable, instead }];
    }),
    misspelt: nobodys.flatMap(({ variable, nearest }) => (nearest === undefined ? [] : [{ variable, nearest }])),
    unknown: nobodys.flatMap(({ variable, nearest }) => (nearest === undefined ? [variable] : [])),
    problems: problemsWith(env, taken, settings),
  };
}

const variablesOf = (settings: z.ZodObject): string[] => Object.keys(settings.shape).map(variableOf);

const reads = (settings: z.ZodObject, variable: string): boolean => variablesOf(settings).includes(variable);

const valuesOf = (env: Env, taken: SortedSettings['taken']): Record<string, string> =>
  Object.fromEntries(taken.map(({ variable }) => [variable, env[variable] ?? '']));

/** One for each variable at most. The controller hands on what is its runners', so it has to please them too. */
function problemsWith(env: Env, taken: SortedSettings['taken'], settings: SettingsOfServices): ConfigProblem[] {
  const problems = taken.flatMap(({ variable, services }) => {
    const readers = [...services, ...(services.includes('runner-controller') ? (['runner'] as const) : [])];
    return readers.flatMap((reader) => problemsOf(settings[reader], variable, env)).slice(0, 1);
  });
  return problems;
}

function problemsOf({ shape }: z.ZodObject, variable: string, env: Env): ConfigProblem[] {
  const only = Object.fromEntries(Object.entries(shape).filter(([field]) => variableOf(field) === variable));
  const loaded = loadConfig(z.object(only), env);
  return loaded.ok ? [] : loaded.problems;
}
