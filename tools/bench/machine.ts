import { execFileSync } from 'node:child_process';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { z } from 'zod';

/** Where figures were measured: without it they mean nothing. */
export const Machine = z.strictObject({
  platform: z.string(),
  cpu: z.string(),
  cores: z.number(),
  memoryGiB: z.number(),
  versions: z.record(z.string(), z.string()),
});
export type Machine = z.infer<typeof Machine>;

export function describeMachine(): Machine {
  const postgresBin = process.env['DELTA_POSTGRES_BIN'];
  return {
    platform: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    versions: {
      node: process.version.slice(1),
      postgres: versionOf(postgresBin && `${postgresBin}/postgres`),
      'nats-server': versionOf(process.env['DELTA_NATS_SERVER']),
      git: versionOf('git'),
    },
  };
}

/** Load average over the last minute. */
export const loadNow = (): number => Number((loadavg()[0] ?? 0).toFixed(2));

/** The first dotted number a program says of itself. */
function versionOf(program: string | undefined): string {
  if (!program) return 'unknown';
  const said = execFileSync(program, ['--version'], { encoding: 'utf8' });
  return /\d+(?:\.\d+)+/.exec(said)?.[0] ?? said.trim();
}
