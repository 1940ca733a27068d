import { execFileSync } from 'node:child_process';
import type { SeedResult } from '../world/seed.ts';
import type { Caught } from './hunt.ts';
import type { Sums } from './totals.ts';

/** What people read. */

/** The sources that run. */
export const commit = (): string => {
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
};

export function failureText({ seed, mode, steps, broken }: SeedResult, mutant: string | null): string {
  if (broken === null) return '';
  const withMutant = mutant === null ? '' : ` --mutant '${mutant}'`;
  return [
    ...broken.last.map((line) => `  ${line}`),
    '',
    `seed ${seed}, ${mode}, commit ${commit()}, broke in step ${steps}: ${broken.invariant}`,
    `  ${broken.detail}`,
    `  replay: npm run simulate -- --seed ${seed} --mode ${mode}${withMutant}`,
    '',
  ].join('\n');
}

export function totalsText({ seeds, steps, failed, checks, sometimes }: Sums, seconds: number): string {
  return [
    table('checked', checks),
    table('provoked', sometimes),
    `${seeds} seeds, ${failed} failed, ${steps} steps, ${(seeds / seconds).toFixed(1)} seeds/s, ${Math.round(steps / seconds)} steps/s`,
    '',
  ].join('\n');
}

function table(title: string, counts: Readonly<Record<string, number>>): string {
  const lines = Object.entries(counts).map(([name, count]) => `  ${String(count).padStart(12)}  ${name}`);
  return [`${title}:`, ...lines, ''].join('\n');
}

/** `NAME   seed 12, safety, step 3456: the invariant` */
export function caughtText({ mutant, by, seeds, instead }: Caught): string {
  const how =
    by === null
      ? `SURVIVED ${seeds} seeds${instead === null ? '' : ` (${instead.slice(0, 100)})`}`
      : `seed ${by.seed}, ${by.mode}, step ${by.steps}: ${by.broken?.invariant}`;
  return `  ${mutant.name.padEnd(48)} ${how}\n`;
}
