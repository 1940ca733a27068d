import { z } from 'zod';
import { nearestName } from './nearest-name.ts';
import { Secret } from './secret.ts';
import { factsOf } from './settings.ts';

const PREFIX = 'DELTA_';

/** Enough of a value to recognise it; a whole file pasted into a variable must not fill the terminal. */
const GIVEN_LENGTH_MAX = 80;

/** Environment names are short; a longer one is not compared with ours, so that hostile ones cost nothing. */
const NAME_LENGTH_MAX = 100;

export interface ConfigProblem {
  variable: string;
  /** The value in quotes, `(not set)`, or `(secret)`: a secret's value is never shown. */
  given: string;
  /** Ends the sentence "expected ...". */
  expected: string;
}

/** A `DELTA_*` variable this process does not know. Processes share an environment, so it may be another one's. */
export interface UnknownVariable {
  variable: string;
  /** The name of ours that was probably meant. */
  nearest?: string;
}

export type LoadedConfig<T> =
  | { ok: true; config: T; unknown: UnknownVariable[] }
  | { ok: false; problems: ConfigProblem[]; unknown: UnknownVariable[] };

/** `leaseTtlMs` is read from `DELTA_LEASE_TTL_MS`: the two names are one name in two spellings. */
export function variableOf(field: string): string {
  return PREFIX + field.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/**
 * Reads the fields of `schema` from environment variables (see `variableOf`). An empty variable counts as not set.
 * Never throws for bad input: answers all problems at once. Rules between fields (`schema.refine(..., { path })`) are
 * judged once every field is good on its own.
 */
export function loadConfig<S extends z.ZodObject>(
  schema: S,
  env: Readonly<Record<string, string | undefined>>,
): LoadedConfig<z.output<S>> {
  const fields = Object.keys(schema.shape);
  const given: Record<string, string> = {};
  for (const field of fields) {
    const value = env[variableOf(field)]?.trim();
    if (value !== undefined && value !== '') given[field] = value;
  }
  const unknown = unknownVariables(fields.map(variableOf), env);
  const parsed = schema.safeParse(given);
  if (parsed.success) return { ok: true, config: parsed.data, unknown };
  return { ok: false, problems: parsed.error.issues.map((issue) => problemOf(schema, given, issue)), unknown };
}

function problemOf(schema: z.ZodObject, given: Record<string, string>, issue: z.core.$ZodIssue): ConfigProblem {
  const field = String(issue.path[0] ?? '');
  const setting = settingsOf(schema).get(field);
  if (setting === undefined) return { variable: '(several variables)', given: '', expected: issue.message };
  const facts = factsOf(setting);
  const value = given[field];
  return {
    variable: variableOf(field),
    given: value === undefined ? '(not set)' : facts.secret ? '(secret)' : quoted(value),
    expected: value === undefined && issue.code === 'invalid_type' ? facts.expected : issue.message,
  };
}

/** The shape of "any object schema" has values of any type; what stands in it are schemas. */
function settingsOf(schema: z.ZodObject): Map<string, z.core.$ZodType> {
  return new Map(Object.entries<z.core.$ZodType>(schema.shape));
}

function quoted(value: string): string {
  return JSON.stringify(value.length > GIVEN_LENGTH_MAX ? `${value.slice(0, GIVEN_LENGTH_MAX)}...` : value);
}

/** Variables of `env` that begin with `DELTA_` and are not among the known ones, in alphabetical order. */
export function unknownVariables(
  known: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): UnknownVariable[] {
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && name.length <= NAME_LENGTH_MAX && !known.includes(name))
    .sort()
    .map((variable) => {
      const nearest = nearestName(
        variable.slice(PREFIX.length),
        known.map((name) => name.slice(PREFIX.length)),
      );
      return nearest === undefined ? { variable } : { variable, nearest: PREFIX + nearest };
    });
}

/** The report a person reads when a process refuses to start: one line per problem. */
export function describeProblems(service: string, problems: readonly ConfigProblem[]): string {
  const lines = problems.map(({ variable, given, expected }) => {
    const got = given === '' ? '' : ` is ${given},`;
    return `  ${variable}${got} expected ${expected}`;
  });
  return [`${service} cannot start, its configuration has ${problems.length} problem(s):`, ...lines].join('\n');
}

/** Every secret of a loaded configuration, for the logger to hide. */
export function secretsIn(config: object): Secret[] {
  return Object.values(config).filter((value) => value instanceof Secret);
}
