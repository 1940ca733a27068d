import { parseArgs } from 'node:util';
import { MUTANTS } from '../mutants.ts';
import type { Mode } from '../world/seed.ts';

/** What is asked for. */
export interface Request {
  readonly from: number;
  readonly seeds: number;
  /** Null: every other seed is of one and of the other. */
  readonly mode: Mode | null;
  readonly stepsMax: number | null;
  /** A name, `all`, or null. */
  readonly mutant: string | null;
  readonly json: boolean;
  readonly workers: number;
  /** Whatever was never provoked or checked counts as a failure. */
  readonly complete: boolean;
  /** Where the verdict is written, as JSON; null: nowhere. */
  readonly verdict: string | null;
}

export type Parsed =
  | { readonly ok: true; readonly request: Request }
  /** Verdicts of several ranges, by their files. */
  | { readonly ok: true; readonly sum: readonly string[] }
  | { readonly ok: false; readonly problem: string | null };

export const USAGE = `Usage: npm run simulate -- [options]

  --seeds N       how many seeds (default 500)
  --seeds N-M     the seeds from N to M: parts of a long run, on several machines or one after the other
  --from N        the first of them (default 1)
  --seed N        this seed alone
  --mode MODE     safety (faults to the end) or liveness (faults stop, everything must end); default: every other seed
  --steps N       at most so many steps of each seed
  --mutant NAME   with a known mistake in the source; "all" runs every one until it is caught
  --workers N     threads (default 2)
  --complete      fails when something was never provoked or checked; always so from 200 seeds of both modes on
  --verdict FILE  writes what came of it: counts of checks and of what was provoked, seeds that failed, time
  --sum FILE ...  runs nothing: adds up such verdicts and says whether together they provoked and checked everything
  --json          one line of JSON for each seed, and one with the totals
`;

const OPTIONS = {
  seeds: { type: 'string' },
  from: { type: 'string' },
  seed: { type: 'string' },
  mode: { type: 'string' },
  steps: { type: 'string' },
  mutant: { type: 'string' },
  workers: { type: 'string' },
  json: { type: 'boolean' },
  complete: { type: 'boolean' },
  verdict: { type: 'string' },
  sum: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const SEEDS_DEFAULT = 500;

/** Null as a problem: help was asked for. */
export function parseCommandLine(args: readonly string[]): Parsed {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    if (values.help === true) return { ok: false, problem: null };
    if (values.sum === true) return positionals.length === 0 ? no('--sum takes files') : { ok: true, sum: positionals };
    if (positionals.length > 0) return no(`what is meant by "${positionals[0]}"?`);
    const { seed, mode, mutant = null } = values;
    if (mode !== undefined && !isMode(mode)) return no(`--mode is safety or liveness, not ${mode}`);
    if (mutant !== null && mutant !== 'all' && !MUTANTS.some(({ name }) => name === mutant)) {
      return no(`there is no mutant "${mutant}"; known are: ${MUTANTS.map(({ name }) => name).join(', ')}`);
    }
    const single = whole('--seed', seed);
    const request: Request = {
      ...(single === null ? rangeOf(values.seeds, values.from) : { from: single, seeds: 1 }),
      mode: mode ?? null,
      stepsMax: whole('--steps', values.steps),
      mutant,
      json: values.json === true,
      workers: whole('--workers', values.workers) ?? 2,
      complete: values.complete === true,
      verdict: values.verdict ?? null,
    };
    return { ok: true, request };
  } catch (error) {
    return no(error instanceof Error ? error.message : String(error));
  }
}

const no = (problem: string): Parsed => ({ ok: false, problem });

const isMode = (text: string): text is Mode => text === 'safety' || text === 'liveness';

function rangeOf(seeds: string | undefined, from: string | undefined): Pick<Request, 'from' | 'seeds'> {
  const [first = '', last] = seeds?.split('-', 2) ?? [];
  if (last === undefined) return { from: whole('--from', from) ?? 1, seeds: whole('--seeds', seeds) ?? SEEDS_DEFAULT };
  const [low, high] = [whole('--seeds', first) ?? 1, whole('--seeds', last) ?? 1];
  if (from !== undefined || high < low) throw new TypeError(`--seeds ${seeds} goes from a seed to a later one, alone`);
  return { from: low, seeds: high - low + 1 };
}

function whole(name: string, given: string | undefined): number | null {
  if (given === undefined) return null;
  if (!/^[1-9]\d{0,8}$/.test(given)) throw new TypeError(`${name} takes a whole number from 1, not "${given}"`);
  return Number(given);
}
