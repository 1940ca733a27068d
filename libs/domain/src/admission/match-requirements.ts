import {
  ISOLATION_TIERS_FROM_WEAKEST,
  versionSatisfies,
  type JobRequirements,
  type RunnerCapabilities,
} from '@delta-ci/contracts';

/** Why a runner cannot take a job: one entry per requirement that is not met. */
export interface Mismatch {
  readonly requirement: 'os' | 'isolation' | 'toolchain' | 'label';
  readonly message: string;
}

export type Match = { readonly ok: true } | { readonly ok: false; readonly mismatches: readonly Mismatch[] };

/** Whether a runner offers what a job requires. A stronger tier than asked for is fine, a weaker one never. */
export function matchRequirements(requirements: JobRequirements, capabilities: RunnerCapabilities): Match {
  const mismatches = [
    ...osMismatch(requirements, capabilities),
    ...isolationMismatch(requirements, capabilities),
    ...toolchainMismatches(requirements, capabilities),
    ...labelMismatches(requirements, capabilities),
  ];
  return mismatches.length === 0 ? { ok: true } : { ok: false, mismatches };
}

function osMismatch({ os }: JobRequirements, capabilities: RunnerCapabilities): Mismatch[] {
  if (capabilities.os === os) return [];
  return [{ requirement: 'os', message: `the job needs ${os}, the runner has ${capabilities.os}` }];
}

function isolationMismatch({ isolation }: JobRequirements, capabilities: RunnerCapabilities): Mismatch[] {
  const asked = ISOLATION_TIERS_FROM_WEAKEST.indexOf(isolation);
  if (capabilities.isolation.some((tier) => ISOLATION_TIERS_FROM_WEAKEST.indexOf(tier) >= asked)) return [];
  const offered = capabilities.isolation.join(', ');
  return [{ requirement: 'isolation', message: `the job needs at least ${isolation}, the runner has ${offered}` }];
}

function toolchainMismatches({ toolchains }: JobRequirements, capabilities: RunnerCapabilities): Mismatch[] {
  const missing = toolchains.filter(
    (asked) =>
      !capabilities.toolchains.some((has) => has.name === asked.name && versionSatisfies(has.version, asked.version)),
  );
  return missing.map(({ name, version }) => ({
    requirement: 'toolchain',
    message: `the job needs ${name} ${version}, the runner has ${offeredVersions(name, capabilities)}`,
  }));
}

function offeredVersions(name: string, capabilities: RunnerCapabilities): string {
  const versions = capabilities.toolchains.filter((has) => has.name === name).map((has) => has.version);
  return versions.length === 0 ? 'none' : versions.join(', ');
}

function labelMismatches({ labels }: JobRequirements, capabilities: RunnerCapabilities): Mismatch[] {
  const missing = labels.filter((label) => !capabilities.labels.includes(label));
  return missing.map((label) => ({ requirement: 'label', message: `the runner does not have the label ${label}` }));
}
