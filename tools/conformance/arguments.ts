export const USAGE = `npm run conformance -- runner [options] -- COMMAND...

Checks a runner against docs/runner-protocol.md, and says of each requirement whether it holds, or what was expected, what
was seen, and in which requests. Plays a gateway on loopback, and starts COMMAND anew for each scene with DELTA_GATEWAY_URL,
DELTA_REGISTRATION_TOKEN, DELTA_POOL, DELTA_RUNNER_NAME and DELTA_DATA_DIR (an empty directory) in its environment;
{DELTA_GATEWAY_URL} and so on in COMMAND stand for their values. Sources are served over plain http.

  --list             the requirements with their sections, and checks nothing
  --only ID          this requirement; again for another
  --json             verdicts as JSON on standard output
  --patience SECONDS how long what has to come is waited for, 60 unless told
  --at-once N        scenes under way at once, 4 unless told

Ends with 0 when nothing failed, 1 when something did, 130 when it was interrupted.
`;

export interface RunnerArguments {
  readonly kind: 'runner';
  /** Ids of requirements; empty for all. */
  readonly only: readonly string[];
  readonly list: boolean;
  readonly json: boolean;
  readonly patienceMs: number;
  readonly command: readonly string[];
  readonly atOnce: number;
}

export type ParsedArguments = RunnerArguments | { readonly kind: 'usage'; readonly problem: string | null };

const usage = (problem: string | null): ParsedArguments => ({ kind: 'usage', problem });

export function parseArguments([kind = '', ...words]: readonly string[]): ParsedArguments {
  if (kind === '--help' || kind === '-h' || kind === '') return usage(null);
  if (kind !== 'runner') return usage(`say 'runner', not '${kind}'`);
  const dashes = words.indexOf('--');
  const options = [...(dashes < 0 ? words : words.slice(0, dashes))];
  const command = dashes < 0 ? [] : words.slice(dashes + 1);
  const only: string[] = [];
  let [list, json, patienceS, atOnce] = [false, false, 60, 4];
  for (let word = options.shift(); word !== undefined; word = options.shift()) {
    const [, name = word, inline] = /^(--[a-z-]+)=(.*)$/s.exec(word) ?? [];
    const value = (): string => inline ?? options.shift() ?? '';
    if (name === '--help' || name === '-h') return usage(null);
    else if (name === '--list') list = true;
    else if (name === '--json') json = true;
    else if (name === '--only') only.push(value());
    else if (name === '--patience') patienceS = Number(value());
    else if (name === '--at-once') atOnce = Number(value());
    else return usage(`there is no ${name}`);
  }
  if (!(patienceS >= 1 && patienceS <= 3_600)) return usage('--patience takes 1 to 3600 seconds');
  if (!Number.isInteger(atOnce) || atOnce < 1 || atOnce > 64)
    return usage('--at-once takes a whole number from 1 to 64');
  if (command.length === 0 && !list) return usage('say which runner: runner -- COMMAND...');
  return { kind, only, list, json, patienceMs: patienceS * 1_000, command, atOnce };
}
