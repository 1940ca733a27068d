export const USAGE = `npm run conformance -- runner [options] -- COMMAND...
npm run conformance -- gateway [options] --url URL --token TOKEN

Checks an implementation of the runner protocol against docs/runner-protocol.md, and says of each requirement whether it
holds, or what was expected, what was seen, and in which requests.

  runner    plays a gateway on loopback, and starts COMMAND anew for each scene with DELTA_GATEWAY_URL,
            DELTA_REGISTRATION_TOKEN, DELTA_POOL, DELTA_RUNNER_NAME and DELTA_DATA_DIR (an empty directory) in its environment;
            {DELTA_GATEWAY_URL} and so on in COMMAND stand for their values. Sources are served over plain http.
  gateway   plays runners against the gateway at URL. It needs a few jobs that wait in a pool of their own.

  --list             the requirements with their sections, and checks nothing
  --only ID          this requirement; again for another
  --json             verdicts as JSON on standard output
  --patience SECONDS how long what has to come is waited for, 60 unless told

  runner:
  --at-once N        scenes under way at once, 4 unless told

  gateway:
  --url URL          where it listens, such as http://127.0.0.1:7070
  --token TOKEN      its registration token; or in DELTA_REGISTRATION_TOKEN
  --pool NAME        the pool whose jobs are taken, conformance unless told
  --make-job CMD     a shell command that has one job queued in that pool; it is run whenever one is needed
  --cancel-run CMD   a shell command that cancels the run in $DELTA_RUN_ID; without it cancels are skipped

Ends with 0 when nothing failed, 1 when something did, 2 when it could not be checked, 130 when it was interrupted.
`;

interface Common {
  /** Ids of requirements; empty for all. */
  readonly only: readonly string[];
  readonly list: boolean;
  readonly json: boolean;
  readonly patienceMs: number;
}

export interface RunnerArguments extends Common {
  readonly kind: 'runner';
  readonly command: readonly string[];
  readonly atOnce: number;
}

export interface GatewayArguments extends Common {
  readonly kind: 'gateway';
  readonly url: string;
  readonly token: string;
  readonly pool: string;
  /** Shell commands; empty for none. */
  readonly makeJob: string;
  readonly cancelRun: string;
}

export type ParsedArguments =
  RunnerArguments | GatewayArguments | { readonly kind: 'usage'; readonly problem: string | null };

/** Options that take a value, by what they are for; those of the other kind are refused. */
const OPTIONS: Readonly<Record<string, 'both' | 'runner' | 'gateway'>> = {
  '--only': 'both',
  '--patience': 'both',
  '--at-once': 'runner',
  '--url': 'gateway',
  '--token': 'gateway',
  '--pool': 'gateway',
  '--make-job': 'gateway',
  '--cancel-run': 'gateway',
};
const FLAGS = ['--list', '--json'];

const usage = (problem: string | null): ParsedArguments => ({ kind: 'usage', problem });

/** @param environment where the registration token may be */
export function parseArguments(
  [kind = '', ...words]: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ParsedArguments {
  if (kind === '--help' || kind === '-h' || kind === '') return usage(null);
  if (kind !== 'runner' && kind !== 'gateway') return usage(`say 'runner' or 'gateway', not '${kind}'`);
  const dashes = words.indexOf('--');
  const options = [...(dashes < 0 ? words : words.slice(0, dashes))];
  const command = dashes < 0 ? [] : words.slice(dashes + 1);
  const given = new Map<string, string[]>();
  for (let word = options.shift(); word !== undefined; word = options.shift()) {
    if (word === '--help' || word === '-h') return usage(null);
    const [, name = word, inline] = /^(--[a-z-]+)=(.*)$/s.exec(word) ?? [];
    const use = OPTIONS[name];
    if (!FLAGS.includes(name) && use !== 'both' && use !== kind) return usage(`'${kind}' knows no ${name}`);
    const value = FLAGS.includes(name) ? '' : (inline ?? options.shift());
    if (value === undefined) return usage(`${name} takes a value`);
    given.set(name, [...(given.get(name) ?? []), value]);
  }
  return read(kind, given, command, environment);
}

function read(
  kind: 'runner' | 'gateway',
  given: ReadonlyMap<string, readonly string[]>,
  command: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ParsedArguments {
  const one = (name: string, otherwise: string): string => given.get(name)?.at(-1) ?? otherwise;
  const list = given.has('--list');
  const patienceS = Number(one('--patience', '60'));
  if (!(patienceS >= 1 && patienceS <= 3_600)) return usage('--patience takes 1 to 3600 seconds');
  const common = { only: given.get('--only') ?? [], list, json: given.has('--json'), patienceMs: patienceS * 1_000 };
  if (kind === 'runner') {
    const atOnce = Number(one('--at-once', '4'));
    if (!Number.isInteger(atOnce) || atOnce < 1 || atOnce > 64)
      return usage('--at-once takes a whole number from 1 to 64');
    if (command.length === 0 && !list) return usage('say which runner: runner -- COMMAND...');
    return { kind, ...common, command, atOnce };
  }
  if (command.length > 0) return usage('a gateway is not started here: say where it is with --url');
  const url = one('--url', '');
  const token = one('--token', environment['DELTA_REGISTRATION_TOKEN'] ?? '');
  if (!list && !/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    return usage('--url takes the http address of a gateway');
  if (!list && token === '') return usage('--token takes the registration token of the gateway');
  const rest = {
    pool: one('--pool', 'conformance'),
    makeJob: one('--make-job', ''),
    cancelRun: one('--cancel-run', ''),
  };
  return { kind, ...common, url: url.replace(/\/+$/, ''), token, ...rest };
}
