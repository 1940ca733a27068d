import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { MUTANTS } from './mutants.ts';
import type { SeedResult } from './world/seed.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
/** Nothing here depends on how fast the machine is; a stalled one needs more patience, never another result. */
const PATIENCE_MS = 10 * 60_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

interface Sums {
  readonly seeds: number;
  readonly failed: number;
  readonly missing: readonly string[];
}

/** Runs the simulator as its own process. What a failing seed says goes into the message of the failure. */
async function simulate(...args: string[]): Promise<{ results: SeedResult[]; sums: Sums }> {
  const run = promisify(execFile);
  const options = { maxBuffer: OUTPUT_BYTES_MAX, timeout: PATIENCE_MS };
  const { stdout } = await run(process.execPath, [MAIN, '--json', '--workers', '1', ...args], options).catch(
    (error: { stdout: string; stderr: string }) => {
      // A seed that failed ends the process with 1, and is in what it printed.
      if (error.stdout === '') throw new Error(error.stderr);
      return error;
    },
  );
  const lines = stdout.trim().split('\n');
  const sums = JSON.parse(lines.pop() ?? '') as Sums;
  return { results: lines.map((line) => JSON.parse(line) as SeedResult), sums };
}

const failuresIn = (results: readonly SeedResult[]): string[] =>
  results.flatMap(({ seed, mode, broken }) =>
    broken === null ? [] : [`seed ${seed}, ${mode}: ${broken.detail}\n${broken.last.join('\n')}`],
  );

describe('the simulated world', () => {
  it(
    'keeps every invariant, and provokes what it should, over the set of seeds that runs with the tests',
    async () => {
      const { results, sums } = await simulate('--seeds', '60', '--complete');
      expect(failuresIn(results)).toEqual([]);
      expect(sums.missing).toEqual([]);
    },
    PATIENCE_MS,
  );

  it(
    'does the same for the same seed: alone, after others, and in another process',
    async () => {
      const [together, alone] = await Promise.all([simulate('--from', '3', '--seeds', '2'), simulate('--seed', '4')]);
      // Seeds that failed once are run beside those that are asked for.
      const [among, itself] = [together, alone].map(({ results }) => results.find(({ seed }) => seed === 4));
      expect(among?.digest).toMatch(/^[0-9a-f]{32}$/);
      expect(itself).toEqual(among);
    },
    PATIENCE_MS,
  );

  it.each(['the inbox outside the transaction', 'positions from a sequence', 'a lease is kept in clear'])(
    'notices "%s"',
    async (name) => {
      const mutant = MUTANTS.find((one) => one.name === name);
      const { results } = await simulate('--mutant', name, '--seeds', '4');
      const broken = results.flatMap((result) => result.broken?.invariant ?? []);
      expect(mutant?.caughtBy).toEqual(expect.arrayContaining(broken.slice(0, 1)));
      expect(broken).not.toEqual([]);
    },
    PATIENCE_MS,
  );
});
