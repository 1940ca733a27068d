import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { withSandboxPlace } from '../oracle/sandboxed-clone.ts';
import { makeTrials } from './make-trials.ts';
import { toolchainFor } from './toolchains.ts';
import { TRIALS } from './trees/known-trials.ts';
import type { Trial } from './trial.ts';

/** Trials that take seconds, with toolchains that are there already: `npm run trials` makes all of them. */
const QUICK: ReadonlySet<string> = new Set(['make', 'cmake', 'cargo', 'go-module', 'go-workspace']);

const chosen = TRIALS.filter(({ name }) => QUICK.has(name));
const where = { cacheDir: '/nonexistent', say: () => undefined, fetch: false };

async function inCache<T>(act: (cacheDir: string) => Promise<T>): Promise<T> {
  const cacheDir = await mkdtemp(join(tmpdir(), 'delta-trials-'));
  try {
    return await act(cacheDir);
  } finally {
    await rm(cacheDir, { recursive: true, force: true });
  }
}

const usable = await inCache((cacheDir) =>
  withSandboxPlace(cacheDir, async ({ executor }) => (await executor.probe()).usable),
);

/** Why a trial is left out, to be read in its name; null for one that is made. */
async function whyLeftOut({ toolchain }: Trial): Promise<string | null> {
  if (!usable) return 'no sandbox can be opened here';
  const found = await toolchainFor(toolchain, where);
  return found.ok ? null : found.reason;
}

const reasons = new Map(await Promise.all(chosen.map(async (trial) => [trial.name, await whyLeftOut(trial)] as const)));
const made = chosen.filter(({ name }) => reasons.get(name) === null);

describe(`plans carried out with real toolchains (${made.length} of ${chosen.length} trials)`, () => {
  for (const trial of chosen) {
    const reason = reasons.get(trial.name) ?? null;
    const title = reason === null ? 'what is sound passes, what a bug reaches says so' : `left out: ${reason}`;
    (reason === null ? it : it.skip)(`${trial.name}: ${title}`, async () => comesOut(trial), 120_000);
  }
});

async function comesOut(trial: Trial): Promise<void> {
  const reports = await inCache(async (cacheDir) =>
    makeTrials([trial], { ...where, cacheDir }, new AbortController().signal),
  );
  const stages = reports.flatMap((report) => (report.skipped === null ? report.stages : []));
  const expected = ['everything, and nothing is wrong', ...trial.bugs.map(({ what }) => what)];
  expect(stages.map(({ what, differences }) => ({ what, differences }))).toEqual(
    expected.map((what) => ({ what, differences: [] })),
  );
}
