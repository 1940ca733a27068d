import { parseArgs } from 'node:util';

export interface BenchArguments {
  /** Measures by name, in the order they are to be taken; null: all that need not be asked for. */
  readonly only: readonly string[] | null;
  readonly quick: boolean;
  readonly json: boolean;
  readonly peers: boolean;
  readonly record: boolean;
  /** Growth goes up to so many jobs in the log. */
  readonly jobsMax: number;
  /** The log of replay holds so many runs. */
  readonly replayedRuns: number;
  /** Directory of a repository whose history "what-if" plans again as well; null for none. */
  readonly repo: string | null;
}

export type ParsedArguments =
  | { readonly kind: 'measure'; readonly bench: BenchArguments }
  | { readonly kind: 'list' }
  | { readonly kind: 'usage'; readonly problem: string | null };

export const USAGE = `npm run bench -- [options]

Measures this machine's Delta CI on real servers, each figure beside its raw limit and its goal. Nothing listens but on
loopback, and what was started is stopped, also on Ctrl-C.

  --only NAME,..   these measures alone
  --list           the measures, with what each is about
  --quick          a tenth of the work, for a look
  --peers          also the peers, on the same servers: installs them beside the product (tools/bench/peers)
  --jobs-max N     how many jobs the log of "growth" comes to hold (100000; a million takes some ten minutes)
  --runs N         how many runs the log of "replay" holds (10000; 910000 are ten million events)
  --repo PATH      a repository, bare or not, whose last 1,000 commits "what-if" plans again as well
  --json           only the JSON
  --record         adds the run to docs/benchmarks
  --help           this text
`;

/** @param known names that `--only` may give */
export function parseBenchArguments(args: readonly string[], known: readonly string[]): ParsedArguments {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS });
    if (values.help) return { kind: 'usage', problem: null };
    if (values.list) return { kind: 'list' };
    const only = values.only?.split(',').filter((name) => name !== '') ?? null;
    const unknown = only?.find((name) => !known.includes(name));
    if (unknown !== undefined) return problem(`there is no measure "${unknown}": ${known.join(', ')}`);
    const [jobsMax, replayedRuns] = [Number(values['jobs-max']), Number(values.runs)];
    if (!isWhole(jobsMax, 1_000, 1_000_000)) return problem('--jobs-max is a whole number from 1000 to 1000000');
    if (!isWhole(replayedRuns, 1_000, 2_000_000)) return problem('--runs is a whole number from 1000 to 2000000');
    if (values.quick && values.record) return problem('what was measured quickly is not recorded');
    const { quick, json, peers, record, repo = null } = values;
    return { kind: 'measure', bench: { only, quick, json, peers, record, jobsMax, replayedRuns, repo } };
  } catch (error) {
    return problem(error instanceof Error ? error.message : String(error));
  }
}

const isWhole = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most;

const problem = (text: string): ParsedArguments => ({ kind: 'usage', problem: text });

const OPTIONS = {
  only: { type: 'string' },
  list: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  peers: { type: 'boolean', default: false },
  'jobs-max': { type: 'string', default: '100000' },
  runs: { type: 'string', default: '10000' },
  repo: { type: 'string' },
  json: { type: 'boolean', default: false },
  record: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;
