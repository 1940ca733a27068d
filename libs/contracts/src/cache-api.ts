import { z } from 'zod';
import { CacheKey, SavedCache, TrustDomain } from './caches.ts';
import { JSON_BODY_BYTES_MAX, type Endpoint } from './endpoint.ts';
import { RepositoryId } from './ids.ts';

/** Caches in the public API: what is kept, whose it is, and an end to it. */

export const CacheListQuery = z.strictObject({
  repository: RepositoryId.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  /** It names the last of a page by its key, each character of which may take six bytes, and eight in base64. */
  cursor: z.string().max(5_000).optional(),
});
export type CacheListQuery = z.infer<typeof CacheListQuery>;

export const CachePage = z.strictObject({ caches: z.array(SavedCache), nextCursor: z.string().nullable() });
export type CachePage = z.infer<typeof CachePage>;

/** `POST /caches/remove`: in every domain unless one is named. */
export const RemoveCachesRequest = z.strictObject({
  repository: RepositoryId,
  key: CacheKey,
  domain: TrustDomain.optional(),
  reason: z.string().max(500).default(''),
});
export type RemoveCachesRequest = z.infer<typeof RemoveCachesRequest>;

export const RemoveCachesAnswer = z.strictObject({
  removed: z.array(SavedCache),
  /** Whether more is kept under the key than one request removes: the same request again removes the next of it. */
  more: z.boolean(),
});
export type RemoveCachesAnswer = z.infer<typeof RemoveCachesAnswer>;

export const CACHE_ENDPOINTS = {
  listCaches: {
    method: 'GET',
    path: '/api/v1/caches',
    summary: 'Caches that are kept, newest first',
    access: 'viewer',
    query: CacheListQuery,
    answers: { 200: CachePage },
    refusals: [],
  },
  removeCaches: {
    method: 'POST',
    path: '/api/v1/caches/remove',
    summary: 'Removes what is kept under a key: the next job that wants it makes it again',
    access: 'operator',
    body: { content: RemoveCachesRequest, bytesMax: JSON_BODY_BYTES_MAX },
    answers: { 200: RemoveCachesAnswer },
    refusals: ['not_found'],
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
