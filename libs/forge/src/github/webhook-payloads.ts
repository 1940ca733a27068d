import { z } from 'zod';

/**
 * The parts of GitHub's webhook payloads that we read. GitHub adds fields as it likes, so these objects are loose; what
 * we read is checked for its type and bounded.
 */
const Sha = z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/);
const Login = z.looseObject({ login: z.string().min(1).max(100) });

export const PayloadRepository = z.looseObject({
  full_name: z.string().min(3).max(250),
  clone_url: z.string().max(2_000),
  default_branch: z.string().min(1).max(255),
});
export type PayloadRepository = z.infer<typeof PayloadRepository>;

export const PushPayload = z.looseObject({
  ref: z.string().min(1).max(1_000),
  before: Sha,
  after: Sha,
  deleted: z.boolean(),
  created: z.boolean(),
  repository: PayloadRepository,
  sender: Login,
  head_commit: z.looseObject({ message: z.string() }).nullable(),
});
export type PushPayload = z.infer<typeof PushPayload>;

const PullRequestSide = z.looseObject({
  ref: z.string().min(1).max(1_000),
  sha: Sha,
  /** Null when the fork was deleted. */
  repo: z.looseObject({ full_name: z.string().max(250) }).nullable(),
});

export const PullRequestPayload = z.looseObject({
  action: z.string().max(100),
  number: z.number().int().positive(),
  pull_request: z.looseObject({
    title: z.string(),
    draft: z.boolean().optional(),
    author_association: z.string().max(100),
    user: Login,
    head: PullRequestSide,
    base: PullRequestSide,
  }),
  repository: PayloadRepository,
  sender: Login,
});
export type PullRequestPayload = z.infer<typeof PullRequestPayload>;

export const MergeGroupPayload = z.looseObject({
  action: z.string().max(100),
  merge_group: z.looseObject({
    head_sha: Sha,
    head_ref: z.string().min(1).max(1_000),
    base_sha: Sha,
    base_ref: z.string().min(1).max(1_000),
  }),
  repository: PayloadRepository,
  sender: Login,
});
export type MergeGroupPayload = z.infer<typeof MergeGroupPayload>;

export const CheckRunPayload = z.looseObject({
  action: z.string().max(100),
  requested_action: z.looseObject({ identifier: z.string().max(100) }).optional(),
  check_run: z.looseObject({ external_id: z.string().max(500).nullable(), head_sha: Sha }),
  repository: PayloadRepository,
  sender: Login,
});
export type CheckRunPayload = z.infer<typeof CheckRunPayload>;
