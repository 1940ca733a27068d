import { z } from 'zod';
import { JobKey } from './ids.ts';
import { EnvironmentVariables, ServiceName } from './plan.ts';
import { Audience, SECRETS_PER_JOB_MAX, SecretName } from './secrets.ts';

/**
 * `delta.yaml`, version 1: the shape a person writes (snake case, sizes with units). Positions, unknown keys with the
 * nearest known one, and references between jobs are checked by `planning`; this is the shape alone.
 */
const Glob = z.string().min(1).max(4_096);
const Size = z.string().regex(/^(?=[\d.]*[1-9])\d+(?:\.\d+)?(?:Ki|Mi|Gi|Ti)?$/, 'expected a size such as 512Mi or 4Gi');

/** Something that runs beside a job: its name is the host name under which the job reaches it. */
export const ConfigFileService = z.strictObject({
  image: z.string().min(1).max(500),
  ports: z.array(z.number().int().min(1).max(65_535)).max(20).optional(),
  env: EnvironmentVariables.optional(),
  health: z
    .strictObject({
      command: z.string().min(1).max(1_000),
      timeout_seconds: z.number().int().min(1).max(600).optional(),
    })
    .optional(),
});
export type ConfigFileService = z.infer<typeof ConfigFileService>;

/** What a checkout brings beside the files of the commit itself: nothing, unless it is asked for. */
export const ConfigFileSource = z.strictObject({
  submodules: z.union([z.boolean(), z.literal('recursive')]).optional(),
  lfs: z.boolean().optional(),
});
export type ConfigFileSource = z.infer<typeof ConfigFileSource>;

/** An identity token for a job, for one audience or several. */
export const ConfigFileIdToken = z.strictObject({ aud: z.union([Audience.element, Audience]) });

export const ConfigFileJob = z.strictObject({
  image: z.string().min(1).max(500).optional(),
  toolchain: z.string().min(1).max(100).optional(),
  runs_on: z.array(z.string().min(1).max(100)).max(20).optional(),
  workdir: z.string().min(1).max(4_096).optional(),
  needs: z.array(JobKey).max(1_000).optional(),
  /** Instead of what the file says for all jobs. */
  source: ConfigFileSource.optional(),
  steps: z.array(z.string().min(1).max(65_536)).min(1).max(200),
  paths: z.array(Glob).min(1).max(1_000).optional(),
  matrix: z
    .record(
      z
        .string()
        .regex(/^[a-z][a-z0-9_]{0,30}$/, 'expected up to 31 lower-case letters, digits or "_", a letter first: node'),
      z
        .array(z.union([z.string().max(100), z.number(), z.boolean()]))
        .min(1)
        .max(50),
    )
    .optional(),
  env: EnvironmentVariables.optional(),
  secrets: z.array(SecretName).max(SECRETS_PER_JOB_MAX).optional(),
  /** The variable of each token, and for whom it is. */
  id_tokens: z.record(SecretName, ConfigFileIdToken).optional(),
  services: z.record(ServiceName, ConfigFileService).optional(),
  artifacts: z
    .array(
      z.strictObject({
        type: z.enum(['junit', 'file', 'coverage', 'folder']),
        path: Glob,
        retention_days: z.number().int().min(1).max(3_650).optional(),
      }),
    )
    .max(100)
    .optional(),
  caches: z
    .array(
      z.strictObject({
        type: z.enum(['deps', 'build']),
        key: z.string().min(1).max(500),
        paths: z.array(z.string().min(1).max(4_096)).min(1).max(100),
      }),
    )
    .max(20)
    .optional(),
  policy: z
    .strictObject({
      required: z.boolean().optional(),
      allow_failure: z.boolean().optional(),
      retries: z.number().int().min(0).max(10).optional(),
      retry_timeouts: z.boolean().optional(),
      timeout_seconds: z.number().int().min(1).max(86_400).optional(),
      idle_timeout_seconds: z.number().int().min(1).max(86_400).optional(),
      priority: z.number().int().min(-100).max(100).optional(),
    })
    .optional(),
});
export type ConfigFileJob = z.infer<typeof ConfigFileJob>;

export const ConfigFile = z.strictObject({
  version: z.literal(1),
  jobs: z.record(JobKey, ConfigFileJob),
  policies: z
    .strictObject({
      runs: z
        .strictObject({
          cancel_superseded: z.boolean().optional(),
          max_runtime_seconds: z.number().int().min(1).max(86_400).optional(),
          max_concurrency: z.number().int().min(1).max(1_000).optional(),
          fail_fast: z.boolean().optional(),
        })
        .optional(),
      /** Defaults are the installation's. */
      shadow: z
        .strictObject({
          /** Share of the changes that also run what is left out. */
          rate: z.number().min(0).max(1).optional(),
          max_escape_rate: z.number().min(0.001).max(1).optional(),
          min_samples: z.number().int().min(1).max(2_000).optional(),
        })
        .optional(),
    })
    .optional(),
  limits: z
    .strictObject({
      cpu: z
        .string()
        .regex(/^(?=[\d.]*[1-9])\d+(?:\.\d+)?$/, 'expected a number of processors such as "2" or "0.5"')
        .optional(),
      memory: Size.optional(),
      disk: Size.optional(),
    })
    .optional(),
  /** For all jobs that say nothing else. */
  source: ConfigFileSource.optional(),
  egress: z.strictObject({ allow: z.array(z.string().min(1).max(253)).max(200) }).optional(),
});
export type ConfigFile = z.infer<typeof ConfigFile>;

/** Names looked for at the repository root, in this order. */
export const CONFIG_FILE_NAMES = ['delta.yaml', 'ci.ai.yaml'] as const;
