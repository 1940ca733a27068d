import { execFileSync } from 'node:child_process';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';

/** Where figures were measured: without it they mean nothing. */
export interface Machine {
  platform: string;
  cpu: string;
  cores: number;
  memoryGiB: number;
  /** Load average over the last minute, before anything was measured: what else the machine was doing. */
  loadBefore: number;
  versions: Record<string, string>;
}

export function describeMachine(): Machine {
  return {
    platform: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
    versions: {
      node: process.version,
      postgres: versionOf(
        process.env['DELTA_POSTGRES_BIN'] && `${process.env['DELTA_POSTGRES_BIN']}/postgres`,
        '--version',
      ),
      'nats-server': versionOf(process.env['DELTA_NATS_SERVER'], '--version'),
      git: versionOf('git', '--version'),
    },
  };
}

function versionOf(program: string | undefined, flag: string): string {
  if (!program) return 'unknown';
  return execFileSync(program, [flag], { encoding: 'utf8' }).trim();
}
