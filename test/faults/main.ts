import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SOCKET_VARIABLE } from '../support/infra/messages.ts';
import { openOwner } from '../support/infra/owner.ts';
import { parseArguments, USAGE, type FaultsArguments } from './arguments.ts';
import { resultLine, resultsTable } from './results-text.ts';
import { playScenario, type Played } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { showUsage } from '../../tools/bootstrap/index.mjs';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const INTERRUPTED = 130;

const parsed = parseArguments(
  process.argv.slice(2),
  SCENARIOS.map(({ name }) => name),
);
if (parsed.kind === 'usage') {
  process.exitCode = showUsage(USAGE, parsed.problem);
} else if (parsed.args.list) {
  process.stdout.write(listing(parsed.args.json));
} else {
  process.exitCode = await playAll(parsed.args);
}

function listing(json: boolean): string {
  const rows = SCENARIOS.map(({ name, hurts, shows }) => ({ name, hurts, shows }));
  if (json) return `${JSON.stringify(rows, null, 2)}\n`;
  return rows.map(({ name, hurts, shows }) => `${name}\n  hurts  ${hurts}\n  shows  ${shows}\n`).join('');
}

/** @returns the exit code */
async function playAll(args: FaultsArguments): Promise<number> {
  const interrupted = abortOnSignals();
  const owner = await openOwner(ROOT);
  process.env[SOCKET_VARIABLE] = owner.socketPath;
  const played: Played[] = [];
  try {
    for (let round = 1; round <= args.rounds; round += 1)
      for (const scenario of chosen(args)) {
        if (interrupted.aborted) break;
        const out = join(resolve(args.out), `round-${round}`);
        const result = await playScenario(scenario, { out, signal: interrupted });
        played.push(result);
        process.stderr.write(`${resultLine(result)}\n`);
      }
  } finally {
    await owner.close();
  }
  process.stdout.write(args.json ? `${JSON.stringify(played, null, 2)}\n` : `\n${resultsTable(played)}\n`);
  if (interrupted.aborted) await leave();
  return played.some(({ outcome }) => outcome === 'broken') ? 1 : 0;
}

/** Everything is put right; what a scenario had under way still waits for things that will not come. */
async function leave(): Promise<never> {
  await new Promise((written) => process.stdout.write('', written));
  process.exit(INTERRUPTED);
}

function chosen({ only }: FaultsArguments): readonly Scenario[] {
  return only.length === 0 ? SCENARIOS : SCENARIOS.filter(({ name }) => only.includes(name));
}

/** The first signal ends the scenario under way in order; a second one ends us at once, and leashes do the rest. */
function abortOnSignals(): AbortSignal {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (interruption.signal.aborted) process.exit(INTERRUPTED);
      process.stderr.write('\ninterrupted: putting everything right; once more to leave at once\n');
      interruption.abort(new Error('interrupted'));
    });
  return interruption.signal;
}
