import { z } from 'zod';
import { AttemptView, JobView, PoolView, RunArtifact, RunPage, RunSummary, RunView, SkippedJobView } from './api.ts';
import { Actor, Change, Repository, RerunSource } from './change.ts';
import { EgressDecision } from './egress.ts';
import type { Access, Content, Endpoint } from './endpoint.ts';
import { ENDPOINTS } from './endpoints.ts';
import { FailureExplanation } from './events.ts';
import { ArtifactRecord, CompletionReport, StepEnding, StepResult } from './outcome.ts';
import {
  Explanation,
  JobRequirements,
  Plan,
  PlanNote,
  PlannedFile,
  PlannedJob,
  PlannedUnit,
  SkippedJob,
} from './plan.ts';
import { JobPolicy, RunPolicy } from './policy.ts';
import { RecipeSummary } from './recipe-api.ts';
import { Recipe } from './recipe.ts';
import { ErrorBody, REFUSALS, type RefusalCode } from './refusals.ts';

/** Schemas that answers are made of, under their own names; an answer that is not here is named after its operation. */
const NAMED = {
  Actor,
  ArtifactRecord,
  AttemptView,
  Change,
  CompletionReport,
  EgressDecision,
  Error: ErrorBody,
  Explanation,
  FailureExplanation,
  JobPolicy,
  JobRequirements,
  JobView,
  Plan,
  PlanNote,
  PlannedFile,
  PlannedJob,
  PlannedUnit,
  PoolView,
  Recipe,
  RecipeSummary,
  Repository,
  RerunSource,
  RunArtifact,
  RunPage,
  RunPolicy,
  RunSummary,
  RunView,
  SkippedJob,
  SkippedJobView,
  StepEnding,
  StepResult,
};

/** The OpenAPI 3.1 description of the gateway, made from the endpoint table: equal input, equal text. */
export function openApiDocument(): object {
  const names = namesOfAnswers();
  return {
    openapi: '3.1.0',
    info: {
      title: 'Delta CI',
      version: '1',
      description:
        'The public API under /api/v1 and the runner protocol under /runner/v1. Every error answer is ' +
        '`{ error: { code, message, details } }` with a code of a closed list.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths: pathsOf(names),
    components: { schemas: schemasOf(names), securitySchemes: SECURITY_SCHEMES },
  };
}

const SECURITY_SCHEMES = {
  access: { type: 'http', scheme: 'bearer', description: 'Token of a person or machine, with a role.' },
  runner: { type: 'http', scheme: 'bearer', description: 'Short-lived token of a registered runner.' },
  registration: { type: 'http', scheme: 'bearer', description: 'Lets a stranger register as a runner.' },
  signature: { type: 'apiKey', in: 'header', name: 'X-Hub-Signature-256', description: 'HMAC-SHA-256 of the body.' },
};

type Names = z.core.$ZodRegistry<{ id: string }>;

function namesOfAnswers(): Names {
  const names = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) names.add(schema, { id });
  for (const [operationId, { answers }] of Object.entries<Endpoint>(ENDPOINTS)) {
    for (const content of Object.values(answers)) {
      if (content === null || typeof content === 'string' || names.has(content)) continue;
      names.add(content, { id: `${operationId.charAt(0).toUpperCase()}${operationId.slice(1)}Answer` });
    }
  }
  return names;
}

const referenceTo = (id: string): string => `#/components/schemas/${id}`;

function schemasOf(names: Names): object {
  const { schemas } = z.toJSONSchema(names, { io: 'output', uri: referenceTo });
  return Object.fromEntries(
    Object.entries(schemas)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, { $schema: _dialect, $id: _place, ...schema }]) => [id, schema]),
  );
}

function pathsOf(names: Names): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [name, endpoint] of Object.entries<Endpoint>(ENDPOINTS)) {
    const path = endpoint.path.replace(/:([A-Za-z]+)/g, '{$1}');
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operation(name, endpoint, names) };
  }
  return paths;
}

function operation(operationId: string, endpoint: Endpoint, names: Names): object {
  const { summary, access, body } = endpoint;
  return {
    operationId,
    summary,
    'x-delta-access': access,
    security: securityOf(access),
    parameters: [
      ...parametersOf('path', endpoint.params),
      ...parametersOf('query', endpoint.query),
      ...parametersOf('header', endpoint.headers),
    ],
    ...(body === undefined ? {} : { requestBody: { content: contentOf(body.content, inputSchema) } }),
    responses: { ...answersOf(endpoint, names), ...refusalsOf(endpoint) },
  };
}

function securityOf(access: Access): object[] {
  switch (access) {
    case 'anyone':
      return [];
    case 'signature':
    case 'registration':
    case 'runner':
      return [{ [access]: [] }];
    case 'viewer':
    case 'operator':
    case 'auditor':
    case 'admin':
      return [{ access: [] }];
  }
}

/** One parameter per field; what a schema says of its fields is in its own JSON Schema. */
function parametersOf(place: 'path' | 'query' | 'header', schema: z.ZodObject | undefined): object[] {
  if (schema === undefined) return [];
  return Object.entries<z.core.$ZodType>(schema.shape).map(([name, field]) => {
    const { description, ...described } = parameterSchema(field);
    const required = place === 'path' || !z.safeParse(field, undefined).success;
    return { name, in: place, required, ...(description === undefined ? {} : { description }), schema: described };
  });
}

const MEDIA_TYPES: Readonly<Record<Content, string>> = {
  bytes: 'application/octet-stream',
  text: 'text/plain; charset=utf-8',
  events: 'text/event-stream',
  json: 'application/json',
};

function contentOf(content: z.ZodType | Content, describe: (schema: z.ZodType) => object): object {
  return typeof content === 'string'
    ? { [MEDIA_TYPES[content]]: {} }
    : { [MEDIA_TYPES.json]: { schema: describe(content) } };
}

function answersOf({ answers }: Endpoint, names: Names): object {
  const reference = (schema: z.ZodType): object => ({ $ref: referenceTo(names.get(schema)?.id ?? '') });
  const entries = Object.entries(answers).map(([status, content]) => {
    if (content === null) return [status, { description: 'Nothing.' }];
    return [status, { description: 'Done.', content: contentOf(content, reference) }];
  });
  return Object.fromEntries(entries) as object;
}

/** Refusals by status: those of the endpoint, and those that its access and its body bring along. */
function refusalsOf(endpoint: Endpoint): object {
  const byStatus = Map.groupBy(refusalCodesOf(endpoint), (code) => REFUSALS[code].status);
  const entries = [...byStatus]
    .toSorted(([a], [b]) => a - b)
    .map(([status, codes]) => {
      const description = codes.map((code) => `\`${code}\`: ${REFUSALS[code].meaning}`).join('; ');
      const content = { 'application/json': { schema: { $ref: referenceTo('Error') } } };
      return [status, { description, content }];
    });
  return Object.fromEntries(entries) as object;
}

function refusalCodesOf({ access, body, method, params, query, refusals }: Endpoint): RefusalCode[] {
  const codes = new Set<RefusalCode>(refusals);
  if (params !== undefined || query !== undefined || body !== undefined) codes.add('invalid_request');
  if (body !== undefined) codes.add('payload_too_large').add('unsupported_media_type');
  if (access !== 'anyone' && access !== 'signature') codes.add('unauthenticated');
  if (access === 'viewer' || access === 'operator' || access === 'admin') codes.add('forbidden');
  if (method !== 'GET') codes.add('unavailable').add('timed_out');
  return [...codes.add('internal')];
}

/**
 * A body as JSON Schema 2020-12, which OpenAPI 3.1 uses as it is; the dialect is said once, by OpenAPI. Bodies stand
 * where they are used: what may be left out of a request is not left out of an answer.
 */
function inputSchema(schema: z.core.$ZodType): Record<string, unknown> {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io: 'input', reused: 'inline' });
  return described;
}

/** A parameter as what it is read as: text in the address, a number to everybody who writes a client. */
function parameterSchema(schema: z.core.$ZodType): Record<string, unknown> {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io: 'output', reused: 'inline' });
  return described;
}
