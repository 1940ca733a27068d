import { DEFAULT_JOB_LIMITS, type ConfigFile, type JobLimits } from '@delta-ci/contracts';
import type { LimitsMax, PlanningRules } from '../model.ts';

/**
 * What a job may take at most: what the file says, and where it says nothing the defaults, as far as the installation gives so
 * much. Whether what is said is given is for the check of the plan to tell.
 */
export function limitsOf(config: ConfigFile | null, { limitsMax = {} }: Pick<PlanningRules, 'limitsMax'>): JobLimits {
  const said = config?.limits;
  const byDefault = (name: keyof LimitsMax): number => Math.min(DEFAULT_JOB_LIMITS[name], limitsMax[name] ?? Infinity);
  return {
    pids: DEFAULT_JOB_LIMITS.pids,
    cpuCount: byDefault('cpuCount'),
    memoryBytes: byDefault('memoryBytes'),
    diskBytes: byDefault('diskBytes'),
    ...(said?.cpu === undefined ? {} : { cpuCount: Number(said.cpu) }),
    ...(said?.memory === undefined ? {} : { memoryBytes: bytesOf(said.memory) }),
    ...(said?.disk === undefined ? {} : { diskBytes: bytesOf(said.disk) }),
  };
}

const UNITS = ['', 'Ki', 'Mi', 'Gi', 'Ti'];

/** `4Gi` in bytes. The shape was checked when the file was read. */
function bytesOf(size: string): number {
  const [, number = '0', unit = ''] = /^([\d.]+)(Ki|Mi|Gi|Ti)?$/u.exec(size) ?? [];
  return Math.round(Number(number) * 1_024 ** UNITS.indexOf(unit));
}
