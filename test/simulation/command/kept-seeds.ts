import { readFileSync, writeFileSync } from 'node:fs';
import type { Mode, SeedOrder, SeedResult } from '../world/seed.ts';

/** Seeds that broke something once. They run first in every later run, for ever. */
export interface KeptSeed {
  readonly seed: number;
  readonly mode: Mode;
  /** What it broke when it was found. */
  readonly found: string;
}

const FILE = new URL('../seeds-that-failed.json', import.meta.url);

export const readKeptSeeds = (): KeptSeed[] => JSON.parse(readFileSync(FILE, 'utf8')) as KeptSeed[];

/** Adds what is not there yet. */
export function keepSeeds(failed: readonly SeedResult[]): void {
  const kept = readKeptSeeds();
  for (const { seed, mode, broken } of failed) {
    if (broken === null || kept.some((one) => one.seed === seed && one.mode === mode)) continue;
    kept.push({ seed, mode, found: broken.detail.slice(0, 200) });
  }
  writeFileSync(FILE, `${JSON.stringify(kept, null, 2)}\n`);
}

export const ordersOf = (kept: readonly KeptSeed[]): SeedOrder[] => kept.map(({ seed, mode }) => ({ seed, mode }));
