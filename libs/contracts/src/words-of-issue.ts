import type { z } from 'zod';

/** What a schema finds wrong, as zod or any other library of the Standard Schema tells it. */
export type FoundIssue =
  z.core.$ZodIssue | { readonly message: string; readonly path?: readonly unknown[] | undefined };

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys with values',
  record: 'keys with values',
};

/**
 * What is wrong at the place of an issue, for people who never heard of schemas: `missing, expected a list`. Messages that
 * our own schemas have are such words already.
 * @param input the whole that was looked at
 */
export function wordsOfIssue(issue: FoundIssue, input: unknown): string {
  if (!('code' in issue)) return issue.message;
  if (issue.code === 'invalid_type') {
    const expected = KINDS[issue.expected] ?? issue.expected;
    const value = issue.path.reduce<unknown>(valueIn, input);
    if (value === undefined) return `missing, expected ${expected}`;
    const isUnquoted = issue.expected === 'string' && (typeof value === 'number' || typeof value === 'boolean');
    return `expected ${expected}, not ${kindOf(value)}${isUnquoted ? `: put it in quotes, "${value}"` : ''}`;
  }
  if (issue.code === 'invalid_value')
    return `expected ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
  if (issue.code === 'unrecognized_keys')
    return `nothing is called ${issue.keys.map((key) => JSON.stringify(key)).join(', ')} there`;
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message;
  if (issue.code === 'too_small') return `expected at least ${sizeOf(issue.origin, issue.minimum)}`;
  if (issue.code === 'too_big') return `expected at most ${sizeOf(issue.origin, issue.maximum)}`;
  return issue.message;
}

function valueIn(whole: unknown, part: PropertyKey): unknown {
  return typeof whole === 'object' && whole !== null ? Reflect.get(whole, part) : undefined;
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return KINDS[typeof value] ?? typeof value;
}

function sizeOf(origin: string, bound: number | bigint): string {
  const counted = (one: string, many: string): string => `${bound} ${Number(bound) === 1 ? one : many}`;
  if (origin === 'string') return counted('character', 'characters');
  return ['array', 'set', 'map', 'object', 'record'].includes(origin) ? counted('entry', 'entries') : String(bound);
}
