import { parseArgs } from 'node:util';

export interface TrialArguments {
  /** Names of trials; null for all. */
  readonly only: readonly string[] | null;
  /** Whether toolchains that are not there may be fetched from the distribution. */
  readonly fetch: boolean;
}

export type ParsedArguments =
  | { readonly kind: 'try'; readonly order: TrialArguments }
  | { readonly kind: 'list' }
  | { readonly kind: 'usage'; readonly problem: string | null };

export const USAGE = `npm run trials [-- options]

Plans small repositories of each ecosystem, whole and with a bug in them, and carries the plans out with real toolchains in
sandboxes without a network: the jobs of a sound repository have to succeed, those that a bug reaches have to say so, and no
others may run. Toolchains that the machine lacks are unpacked from packages of Debian or Ubuntu, without root; a trial whose
toolchain cannot be had is left out, and counted.

  --only NAME,..  these trials alone; --list names them
  --no-fetch      only with toolchains that are there already
  --list          the trials, and which ecosystems have none for what reason
  --help          this text
`;

/** @param known names of all trials */
export function parseTrialArguments(args: readonly string[], known: readonly string[]): ParsedArguments {
  const problem = (text: string): ParsedArguments => ({ kind: 'usage', problem: text });
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS });
    if (values.help) return { kind: 'usage', problem: null };
    if (values.list) return { kind: 'list' };
    const only = values.only?.split(',').filter((name) => name !== '') ?? null;
    const unknown = only?.find((name) => !known.includes(name));
    if (unknown !== undefined) return problem(`there is no trial "${unknown}": ${known.join(', ')}`);
    if (only?.length === 0) return problem(`--only names none of ${known.join(', ')}`);
    return { kind: 'try', order: { only, fetch: !values['no-fetch'] } };
  } catch (error) {
    return problem(error instanceof Error ? error.message : String(error));
  }
}

const OPTIONS = {
  only: { type: 'string' },
  'no-fetch': { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;
