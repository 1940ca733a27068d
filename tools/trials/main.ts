import { resolve } from 'node:path';
import { createProgress, openCache, reasonOf, showUsage } from '../bootstrap/index.mjs';
import { parseTrialArguments, USAGE, type TrialArguments } from './arguments.ts';
import { makeTrials } from './make-trials.ts';
import { exitCodeOf, reportText } from './report.ts';
import { NOT_TRIED, TRIALS } from './trees/known-trials.ts';

const parsed = parseTrialArguments(
  process.argv.slice(2),
  TRIALS.map(({ name }) => name),
);
switch (parsed.kind) {
  case 'usage':
    process.exitCode = showUsage(USAGE, parsed.problem);
    break;
  case 'list':
    for (const { name, toolchain } of TRIALS) process.stdout.write(`${name}: with ${toolchain}\n`);
    for (const [name, reason] of Object.entries(NOT_TRIED)) process.stdout.write(`${name}: not tried: ${reason}\n`);
    break;
  case 'try':
    process.exitCode = await tried(parsed.order).catch(complain);
    break;
}

async function tried({ only, fetch }: TrialArguments): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const chosen = only === null ? TRIALS : TRIALS.filter(({ name }) => only.includes(name));
  const cacheDir = await openCache({ repoRoot: resolve(import.meta.dirname, '../..') });
  const reports = await createProgress().step('trials', (say) =>
    makeTrials(chosen, { cacheDir, say, fetch }, stop.signal),
  );
  if (stop.signal.aborted) return 130;
  process.stdout.write(reportText(reports));
  return exitCodeOf(reports);
}

function complain(error: unknown): number {
  process.stderr.write(`delta: ${reasonOf(error)}\n`);
  return 2;
}
