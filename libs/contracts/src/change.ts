import { z } from 'zod';
import { DebugTerms } from './debug.ts';
import { CommitId, Digest, RepositoryId, RunId } from './ids.ts';

export const ForgeKind = z.enum(['github', 'gitlab', 'gitea', 'local']);
export type ForgeKind = z.infer<typeof ForgeKind>;

/** A repository under test, as the forge names it. `cloneUrl` never carries credentials. */
export const Repository = z.strictObject({
  id: RepositoryId,
  forge: ForgeKind,
  /** `owner/name` as people write it. */
  fullName: z.string().min(1).max(300),
  cloneUrl: z.string().min(1).max(2_000),
  defaultBranch: z.string().min(1).max(255),
});
export type Repository = z.infer<typeof Repository>;

export const ChangeKind = z.enum(['push', 'pull_request', 'merge_group', 'manual', 'rerun']);
export type ChangeKind = z.infer<typeof ChangeKind>;

/** Who caused something: a forge user as the forge verified it, a person or token at our API, a service, a timer. */
export const Actor = z.strictObject({
  kind: z.enum(['forge-user', 'operator', 'service', 'runner', 'timer']),
  name: z.string().min(1).max(200),
});
export type Actor = z.infer<typeof Actor>;

/** Code of strangers (a fork, a first-time contributor) is untrusted: no secrets, no cache writes, a stronger sandbox. */
export const TrustLevel = z.enum(['trusted', 'untrusted']);
export type TrustLevel = z.infer<typeof TrustLevel>;

/**
 * What happened to a repository, from `base` to `head`.
 * `base` is null when there is nothing to compare with (a new branch): the planner looks for a merge base or runs everything.
 */
export const Change = z.strictObject({
  kind: ChangeKind,
  /** Full ref the head was pushed to, e.g. `refs/heads/main`, `refs/pull/7/head`. */
  ref: z.string().min(1).max(1_000),
  base: CommitId.nullable(),
  head: CommitId,
  /** Branch the change wants to go to; null for a plain push. */
  targetRef: z.string().min(1).max(1_000).nullable(),
  pullRequest: z.number().int().positive().nullable(),
  title: z.string().max(500),
  author: z.string().max(200),
  trust: TrustLevel,
});
export type Change = z.infer<typeof Change>;

/** A rerun evaluates the same change again in a run of its own; finished runs are never reopened. */
export const RerunSource = z.strictObject({
  of: RunId,
  only: z.enum(['all', 'failed']),
  /** The plan to take the jobs from. */
  planDigest: Digest,
  /** Keys of the jobs to run; null means all. */
  jobs: z.array(z.string()).max(10_000).nullable(),
  /** Only for a run in which somebody looks into one job: it counts for nothing. */
  debug: DebugTerms.optional(),
});
export type RerunSource = z.infer<typeof RerunSource>;
