import { z } from 'zod';
import type { RefusalCode } from './refusals.ts';

/**
 * Who may use a route. `anyone`: holds no data of users. `signature`: the body's own signature is the proof.
 * `registration`: the installation's registration token. `runner`: a runner's token. The rest are roles of people and
 * machines: `ROLES_OF` says what each may do besides what it is named for.
 */
export type Access = 'anyone' | 'signature' | 'registration' | 'runner' | Role;

export const Role = z.enum(['viewer', 'operator', 'auditor', 'admin']);
export type Role = z.infer<typeof Role>;

/** Whose routes a role opens. An auditor sees everything, down to the stored text of every record, and changes nothing. */
export const ROLES_OF: Readonly<Record<Role, readonly Role[]>> = {
  viewer: ['viewer'],
  operator: ['viewer', 'operator'],
  auditor: ['viewer', 'auditor'],
  admin: Role.options,
};

/** What a body or an answer is made of when it is not JSON of a schema. */
export type Content = 'bytes' | 'text' | 'events' | 'json';

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Parameters as `:name`; a parameter is one path segment, with `/` in it percent-encoded. */
  readonly path: string;
  readonly summary: string;
  readonly access: Access;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: { readonly content: z.ZodType | 'bytes' | 'json'; readonly bytesMax: number };
  /** Success: status and content; `null` has none. */
  readonly answers: Readonly<Record<number, z.ZodType | Content | null>>;
  /** Refusals of its own, besides those that every route with its access and body may answer. */
  readonly refusals: readonly RefusalCode[];
}

/** A JSON request that holds names, ids and a reason: far more than any of them needs. */
export const JSON_BODY_BYTES_MAX = 64 * 1024;

/** Headers of requests that may be repeated. */
export const REPEATABLE_HEADERS = z.looseObject({
  'idempotency-key': z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Repeating the request with the same key gets the first answer.'),
});
