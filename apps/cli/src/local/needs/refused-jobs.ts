import { hostname } from 'node:os';
import type { InfrastructureError, PlannedJob } from '@delta-ci/contracts';
import type { HandedInSecrets } from './handed-in-secrets.ts';
import type { NetworkChoice } from '../job/job-network.ts';
import type { JobTool } from '../machine/job-tools.ts';
import { whatIsLacking, type Offered } from './what-is-lacking.ts';

/**
 * What this machine offers jobs of a local run: the label that a runner on it has by itself, toolchains that were found, and what a
 * person says that it has besides.
 * @param tools null where nobody can tell what jobs find
 * @param claims labels, and toolchains as `name@version`
 */
export function offeredHere(
  tools: readonly JobTool[] | null,
  claims: readonly string[],
  { names }: HandedInSecrets,
  network: NetworkChoice,
): Offered {
  const claimed = claims.flatMap((claim) => {
    const [, name = '', version = ''] = /^([^@]+)@([^@]+)$/u.exec(claim) ?? [];
    return name === '' ? [] : [{ name, version }];
  });
  return {
    labels: new Set([hostname(), ...claims]),
    toolchains: tools,
    claimed,
    secrets: names,
    network: network !== 'none',
  };
}

/** Jobs that are not run because they cannot have here what they need, by key, each with what is lacking. */
export function refusedJobs(
  jobs: readonly PlannedJob[],
  offered: Offered,
  secrets: HandedInSecrets,
): Map<string, InfrastructureError> {
  return new Map(
    jobs.flatMap((job): [string, InfrastructureError][] => {
      const why = whatIsLacking(job, offered) ?? unfit(secrets.whyUnfit(job));
      return why === null ? [] : [[job.key, why]];
    }),
  );
}

const unfit = (why: string | null): InfrastructureError | null =>
  why === null ? null : { code: 'secret_unavailable', message: why };
