import { DEFAULT_JOB_LIMITS, type ConfigFile, type JobLimits } from '@delta-ci/contracts';

/** What a job may take at most: what the file says, and the defaults where it says nothing. */
export function limitsOf(config: ConfigFile | null): JobLimits {
  const said = config?.limits;
  return {
    ...DEFAULT_JOB_LIMITS,
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
