import { parseCommandLine, USAGE, type Request } from './command/command-line.ts';
import { hunt, type Caught } from './command/hunt.ts';
import { keepSeeds, ordersOf, readKeptSeeds } from './command/kept-seeds.ts';
import { Progress } from './command/progress.ts';
import { caughtText, commit, failureText, totalsText } from './command/report.ts';
import { simulate } from './command/simulate.ts';
import { readVerdict, summed, verdictOf, writeVerdict } from './command/verdict.ts';
import { MUTANTS } from './mutants.ts';
import type { SeedResult } from './world/seed.ts';
import { showUsage } from '../../tools/bootstrap/index.mjs';

/** `npm run simulate`: seeds until they are done or one fails, or mutants until they are caught. */

/** From so many seeds on, whatever was never provoked is a fault of the simulator. */
const SEEDS_FOR_EVERYTHING = 200;
const SHOWN_FAILURES_MAX = 3;

const clock = process.hrtime.bigint();
const secondsSoFar = (): number => Number(process.hrtime.bigint() - clock) / 1e9;

async function runSeeds(request: Request): Promise<boolean> {
  const mutant = MUTANTS.find(({ name }) => name === request.mutant) ?? null;
  const single = request.seeds === 1;
  const first = single || mutant !== null ? [] : ordersOf(readKeptSeeds());
  const progress = new Progress(process.stderr, first.length + request.seeds, secondsSoFar);
  const totals = await simulate(request, {
    workers: single ? 1 : request.workers,
    mutant,
    first,
    onResult: (result, { seeds, failed }) => {
      if (request.json) process.stdout.write(`${JSON.stringify(result)}\n`);
      else tell(result, failed.length, request);
      if (!single) progress.show(seeds, failed.length);
      return true;
    },
  });
  if (mutant === null && request.stepsMax === null) keepSeeds(totals.failed);
  const complete =
    request.complete || (totals.seeds >= SEEDS_FOR_EVERYTHING && request.mode === null && mutant === null);
  const missing = complete ? [...totals.neverProvoked, ...totals.neverChecked] : [];
  if (request.json) process.stdout.write(`${JSON.stringify({ ...totals.sums, missing })}\n`);
  else process.stdout.write(totalsText(totals.sums, secondsSoFar()));
  if (request.verdict !== null) {
    const range = `${request.from}-${request.from + request.seeds - 1}`;
    writeVerdict(request.verdict, verdictOf(totals, range, commit(), secondsSoFar()));
  }
  if (missing.length > 0) process.stderr.write(`never provoked or checked: ${missing.join('; ')}\n`);
  return totals.failed.length === 0 && missing.length === 0;
}

function tell(result: SeedResult, failed: number, request: Request): void {
  if (request.seeds === 1)
    process.stdout.write(`seed ${result.seed}, ${result.mode}, ${result.steps} steps, digest ${result.digest}\n`);
  if (result.broken !== null && failed <= SHOWN_FAILURES_MAX) process.stdout.write(failureText(result, request.mutant));
}

/** Several ranges as one. */
function sumUp(files: readonly string[]): boolean {
  const verdict = summed(files.map(readVerdict));
  process.stdout.write(totalsText(verdict, verdict.wallSeconds));
  process.stdout.write(`${JSON.stringify(verdict)}\n`);
  return verdict.failed === 0 && verdict.missing.length === 0;
}

async function huntAll(workers: number): Promise<boolean> {
  const caught: Caught[] = [];
  for (const mutant of MUTANTS) {
    const one = await hunt(mutant, workers);
    caught.push(one);
    process.stderr.write(caughtText(one));
  }
  process.stdout.write(`mutants:\n${caught.map(caughtText).join('')}`);
  return caught.every(({ by }) => by !== null);
}

const parsed = parseCommandLine(process.argv.slice(2));
if (!parsed.ok) {
  process.exitCode = showUsage(USAGE, parsed.problem);
} else if ('sum' in parsed) {
  process.exitCode = sumUp(parsed.sum) ? 0 : 1;
} else {
  const { request } = parsed;
  const good = request.mutant === 'all' ? await huntAll(request.workers) : await runSeeds(request);
  process.exitCode = good ? 0 : 1;
}
