export const USAGE = `npm run faults -- [--list] [--only NAME] [--rounds N] [--json] [--out DIR]

Plays every scenario of test/faults on a mesh of its own: real processes, Postgres, nats-server, git, sandboxes and a
forge, with timings forty times faster than the protocol's. A checker of its own judges what is left.

  --list        what there is, and plays nothing
  --only NAME   this scenario; again for another
  --rounds N    all of it N times, 1 unless told
  --json        results as JSON on standard output
  --out DIR     where verdicts go, and the logs of a mesh that did not hold; .delta/faults unless told

Ends with 0 when every scenario held or was skipped by name, 1 when one did not, 130 when it was interrupted.
`;

export interface FaultsArguments {
  readonly list: boolean;
  /** Names; empty for all. */
  readonly only: readonly string[];
  readonly rounds: number;
  readonly json: boolean;
  readonly out: string;
}

export type ParsedArguments =
  | { readonly kind: 'play'; readonly args: FaultsArguments }
  | { readonly kind: 'usage'; readonly problem: string | null };

/** More than this is a mistake: a round takes several minutes. */
const ROUNDS_MAX = 1_000;

/** @param known names of scenarios: another one is refused */
export function parseArguments(argv: readonly string[], known: readonly string[]): ParsedArguments {
  const args = { list: false, only: [] as string[], rounds: 1, json: false, out: '.delta/faults' };
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [option = '', given] = word.split('=', 2);
    const value = (): string => given ?? words.shift() ?? '';
    if (option === '--help' || option === '-h') return { kind: 'usage', problem: null };
    else if (option === '--list') args.list = true;
    else if (option === '--json') args.json = true;
    else if (option === '--only') args.only.push(value());
    else if (option === '--rounds') args.rounds = Number(value());
    else if (option === '--out') args.out = value();
    else return { kind: 'usage', problem: `there is no ${option}` };
  }
  const unknown = args.only.find((name) => !known.includes(name));
  if (unknown !== undefined) return { kind: 'usage', problem: `there is no scenario '${unknown}'; --list names them` };
  if (!Number.isInteger(args.rounds) || args.rounds < 1 || args.rounds > ROUNDS_MAX)
    return { kind: 'usage', problem: `--rounds takes a whole number from 1 to ${ROUNDS_MAX}` };
  if (args.out === '') return { kind: 'usage', problem: '--out takes a directory' };
  return { kind: 'play', args };
}
