import { z } from 'zod';
import { CACHES_PER_JOB_MAX, CacheKey } from './caches.ts';
import { Change, RerunSource, Repository, TrustLevel } from './change.ts';
import { DebugHold } from './debug.ts';
import { CommitId, Digest, JobKey, PoolName } from './ids.ts';
import { JobKind, JobStep, RelativePath } from './job-step.ts';
import { JobPolicy, RunPolicy } from './policy.ts';
import { RecipeUse } from './recipe.ts';
import { PlanShadow } from './shadow-ledger.ts';
import { ID_TOKENS_PER_JOB_MAX, IdTokenRequest, SECRETS_PER_JOB_MAX, SecretName } from './secrets.ts';

/**
 * A plan: every choice of one run, made before anything runs. Immutable, stored once under the SHA-256 of its
 * canonical JSON, and enough for a runner to work from: execution decides nothing.
 */

export const IsolationTier = z.enum(['process', 'sandbox', 'gvisor', 'container', 'microvm']);
export type IsolationTier = z.infer<typeof IsolationTier>;

/**
 * Tiers from the weakest to the strongest. A container shares the host's kernel as the sandbox does and adds its own
 * root; gVisor puts a kernel of its own between; a microvm puts a machine.
 */
export const ISOLATION_TIERS_FROM_WEAKEST: readonly IsolationTier[] = [
  'process',
  'sandbox',
  'container',
  'gvisor',
  'microvm',
];

/** Names of variables, and their values, as a shell has them. */
export const EnvironmentVariables = z.record(
  z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'expected up to 128 letters, digits or "_", no digit first: NODE_ENV'),
  z.string().max(32_768),
);

export const ArtifactRequest = z.strictObject({
  type: z.enum(['junit', 'file', 'coverage', 'folder']),
  /** Glob relative to the workspace; for a folder its path. */
  path: RelativePath,
  retentionDays: z.number().int().min(1).max(3_650),
});
export type ArtifactRequest = z.infer<typeof ArtifactRequest>;

export const CacheRequest = z.strictObject({
  type: z.enum(['deps', 'build']),
  key: CacheKey,
  paths: z.array(RelativePath).min(1).max(100),
});
export type CacheRequest = z.infer<typeof CacheRequest>;

/** As many services as one job may have beside it. */
export const SERVICES_MAX = 10;

/** The name of a service, under which a job reaches it: one label of a host name. */
export const ServiceName = z
  .string()
  .regex(/^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'expected a host name in lower case');
export type ServiceName = z.infer<typeof ServiceName>;

/** An image that says which one it is: by a tag, by the digest of its content, or by both. */
export const PinnedImage = z
  .string()
  .max(500)
  .regex(
    /^[a-z0-9][a-z0-9._/-]*(?::[0-9]{1,5}\/[a-z0-9][a-z0-9._/-]*)?(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(?:@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})$/,
    'expected an image with a tag or a digest, such as postgres:17',
  );

/** Something that runs beside the steps of a job for as long as they do. */
export const ServiceRequest = z.strictObject({
  name: ServiceName,
  image: PinnedImage,
  /** On which it listens. */
  ports: z.array(z.number().int().min(1).max(65_535)).max(20),
  env: EnvironmentVariables,
  /** A command line that succeeds in its container once it is ready, and for how long that may take; null: at once. */
  health: z.strictObject({ command: z.string().min(1).max(1_000), timeoutMs: z.number().int().positive() }).nullable(),
});
export type ServiceRequest = z.infer<typeof ServiceRequest>;

/** What is put into the workspace beside the files of the tested commit itself. */
export const SourceRequest = z.strictObject({
  /** Submodules of the tested commit, or theirs as well; absent: their places stay empty. */
  submodules: z.enum(['direct', 'recursive']).optional(),
  /** Files of Git LFS in place of their pointers. */
  lfs: z.literal(true).optional(),
});
export type SourceRequest = z.infer<typeof SourceRequest>;

export const JobLimits = z.strictObject({
  cpuCount: z.number().positive().max(256),
  memoryBytes: z.number().int().positive(),
  diskBytes: z.number().int().positive(),
  pids: z.number().int().positive(),
});
export type JobLimits = z.infer<typeof JobLimits>;

/** 2 CPUs, 2 GiB, 20 GiB, 512 processes: what an ordinary test suite needs and a fork bomb cannot hide in. */
export const DEFAULT_JOB_LIMITS: JobLimits = {
  cpuCount: 2,
  memoryBytes: 2 * 1024 ** 3,
  diskBytes: 20 * 1024 ** 3,
  pids: 512,
};

/** What a runner must offer to take a job. */
export const JobRequirements = z.strictObject({
  pool: PoolName,
  os: z.enum(['linux', 'darwin']),
  isolation: IsolationTier,
  toolchains: z.array(z.strictObject({ name: z.string().min(1).max(50), version: z.string().min(1).max(100) })).max(20),
  labels: z.array(z.string().min(1).max(100)).max(20),
});
export type JobRequirements = z.infer<typeof JobRequirements>;

/** Hosts a job may reach. Empty: none. `*` alone: any host, for trusted changes on runners that allow it. */
export const Egress = z.strictObject({ allow: z.array(z.string().min(1).max(253)).max(200) });
export type Egress = z.infer<typeof Egress>;

/** One link of the chain from a changed file to a decision about a job. */
export const ExplanationLink = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('change'), detail: z.string() }),
  z.strictObject({ kind: z.literal('file'), path: z.string(), status: z.string() }),
  z.strictObject({ kind: z.literal('rule'), rule: z.string(), detail: z.string() }),
  z.strictObject({ kind: z.literal('unit'), unit: z.string() }),
  z.strictObject({ kind: z.literal('dependency'), from: z.string(), to: z.string(), dependencyKind: z.string() }),
  z.strictObject({ kind: z.literal('job-rule'), rule: z.string(), detail: z.string() }),
  z.strictObject({ kind: z.literal('policy'), policy: z.string(), detail: z.string() }),
]);
export type ExplanationLink = z.infer<typeof ExplanationLink>;

/** Why a job, unit or file is in or out: the chain as data, and the same as one sentence. */
export const Explanation = z.strictObject({
  decision: z.enum(['run', 'skip']),
  chain: z.array(ExplanationLink).min(1).max(1_000),
  sentence: z.string().min(1).max(5_000),
});
export type Explanation = z.infer<typeof Explanation>;

export const PlannedJob = z.strictObject({
  key: JobKey,
  title: z.string().min(1).max(300),
  kind: JobKind,
  /** The unit it serves; null for jobs of a config file that belong to none. */
  unit: z.string().max(1_000).nullable(),
  needs: z.array(JobKey).max(1_000),
  steps: z.array(JobStep).min(1).max(200),
  env: EnvironmentVariables,
  image: z.string().max(500).nullable(),
  /** Absent where the files of the tested commit are all it needs. */
  source: SourceRequest.optional(),
  /** What runs beside it; absent for nothing. */
  services: z.array(ServiceRequest).min(1).max(SERVICES_MAX).optional(),
  requirements: JobRequirements,
  limits: JobLimits,
  egress: Egress,
  /** Names only; values are handed out with the lease and never for untrusted changes. */
  secrets: z.array(SecretName).max(SECRETS_PER_JOB_MAX),
  /** Tokens that prove who the job is; absent for none. Handed out as secrets are. */
  idTokens: z.array(IdTokenRequest).min(1).max(ID_TOKENS_PER_JOB_MAX).optional(),
  artifacts: z.array(ArtifactRequest).max(100),
  caches: z.array(CacheRequest).max(CACHES_PER_JOB_MAX),
  policy: JobPolicy,
  /** Only where somebody is to look into it. */
  debug: DebugHold.optional(),
  explanation: Explanation,
});
export type PlannedJob = z.infer<typeof PlannedJob>;

/** A job that exists for this repository and does not run this time. */
export const SkippedJob = z.strictObject({
  key: JobKey,
  title: z.string().min(1).max(300),
  kind: JobKind,
  unit: z.string().max(1_000).nullable(),
  explanation: Explanation,
});
export type SkippedJob = z.infer<typeof SkippedJob>;

export const PlannedUnit = z.strictObject({
  id: z.string().min(1).max(1_000),
  root: z.string().max(4_096),
  ecosystem: z.string().min(1).max(50),
  affected: z.boolean(),
  explanation: Explanation,
});
export type PlannedUnit = z.infer<typeof PlannedUnit>;

/** Where one changed file led: the units it reached, and why. */
export const PlannedFile = z.strictObject({
  path: z.string().max(4_096),
  status: z.enum(['added', 'modified', 'deleted', 'renamed', 'copied', 'type-changed']),
  owner: z.string().max(1_000).nullable(),
  rule: z.string().min(1).max(100),
  /**
   * Ids of units it affects directly; dependents follow from the units' own explanations. Where a config file names the
   * jobs, which then belong to no unit, their keys.
   */
  reaches: z.array(z.string()).max(100_000),
  sentence: z.string().max(5_000),
});
export type PlannedFile = z.infer<typeof PlannedFile>;

export const PlanNote = z.strictObject({
  severity: z.enum(['error', 'warning', 'info']),
  code: z.string().min(1).max(100),
  message: z.string().min(1).max(5_000),
  subject: z.string().max(4_096).nullable(),
});
export type PlanNote = z.infer<typeof PlanNote>;

export const Plan = z.strictObject({
  version: z.literal(1),
  repository: Repository,
  change: Change,
  /** Commit and tree that are tested; the runner refuses a tree that differs. */
  commit: CommitId,
  tree: CommitId,
  /** The merge base the diff was taken from; null when everything runs because there was none. */
  comparedWith: CommitId.nullable(),
  trust: TrustLevel,
  /** Where the description of the jobs came from. */
  source: z.strictObject({
    kind: z.enum(['config', 'recipe', 'discovery', 'rerun']),
    evidence: z.string().max(2_000),
    /** Absent where recipes play no part: jobs of a configuration file, reruns, and plans that are not of a mesh. */
    recipe: RecipeUse.optional(),
  }),
  rerun: RerunSource.nullable(),
  /** Absent where no shadow ledger is kept. */
  shadow: PlanShadow.optional(),
  jobs: z.array(PlannedJob).max(10_000),
  skipped: z.array(SkippedJob).max(50_000),
  units: z.array(PlannedUnit).max(50_000),
  files: z.array(PlannedFile).max(100_000),
  policy: RunPolicy,
  notes: z.array(PlanNote).max(10_000),
  /** One paragraph for people: what changed, what runs, what does not. */
  summary: z.string().max(5_000),
  /** Digests of everything the planner looked at, by name. */
  inputs: z.record(z.string(), z.string()),
});
export type Plan = z.infer<typeof Plan>;

/** A plan with its own digest: what the planner proposes. */
export const ProposedPlan = z.strictObject({ digest: Digest, plan: Plan });
export type ProposedPlan = z.infer<typeof ProposedPlan>;
