import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { wordsOfIssue } from '@delta-ci/contracts';
import { parseJson } from './parse-json.ts';
import { refusedWith } from './refused.ts';

/** More problems than this tell nobody more, nor do longer ones. */
const PROBLEMS_MAX = 20;
const PROBLEM_CHARS_MAX = 1_000;

type Schema = NonNullable<ArgumentMetadata['schema']>;

/**
 * Holds every declared parameter against its schema. Bodies arrive as bytes and are parsed only here, after the guard
 * has let the caller in. Parameters without a schema (requests, replies, raw bodies) pass as they are.
 */
@Injectable()
export class RequestPipe implements PipeTransform {
  async transform(value: unknown, { schema, type }: ArgumentMetadata): Promise<unknown> {
    if (schema === undefined) return value;
    if (type === 'body') return check(schema, jsonIn(value), 'body');
    refuseNul(value, type);
    return check(schema, value, type);
  }
}

/** What is looked up never holds a NUL: the database has no text with one. */
function refuseNul(value: unknown, where: string): void {
  if (typeof value !== 'object' || value === null) return;
  const name = Object.entries(value).find(([, each]) => typeof each === 'string' && each.includes('\0'))?.[0];
  if (name !== undefined) throw refusedWith('invalid_request', problemAt(name, where, 'holds a NUL character'));
}

/** An empty body is an empty object: requests whose fields are all optional need not send one. */
function jsonIn(body: unknown): unknown {
  if (body === undefined || body === null) return {};
  if (!(body instanceof Uint8Array)) throw refusedWith('unsupported_media_type', 'send application/json');
  if (body.byteLength === 0) return {};
  const parsed = parseJson(body);
  if (!parsed.ok) throw refusedWith('invalid_request', parsed.problem);
  return parsed.value;
}

async function check(schema: Schema, value: unknown, where: string): Promise<unknown> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return result.value;
  const problems = result.issues.slice(0, PROBLEMS_MAX).map((issue) => {
    return problemAt((issue.path ?? []).map(keyOf).join('.'), where, wordsOfIssue(issue, value));
  });
  throw refusedWith('invalid_request', problems[0] ?? `the ${where} does not have the documented shape`, { problems });
}

/** Who sends long names hears the beginning of them: a problem is no echo. */
function problemAt(place: string, where: string, words: string): string {
  const problem = `${place === '' ? '' : `${place} of `}${PLACES[where] ?? where}: ${words}`;
  return problem.length > PROBLEM_CHARS_MAX ? `${problem.slice(0, PROBLEM_CHARS_MAX)}…` : problem;
}

/** What the parts of a request are called by those who send it. */
const PLACES: Readonly<Record<string, string>> = { body: 'the body', query: 'the query', param: 'the path' };

function keyOf(part: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof part === 'object' ? part.key : part);
}
