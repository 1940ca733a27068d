import { parseArgs } from 'node:util';

export interface OracleArguments {
  readonly repo: string;
  readonly ref: string | null;
  readonly last: number;
  /** By name, in the order they are to be asked; null: all that know the repository's kind. */
  readonly oracles: readonly string[] | null;
  readonly json: boolean;
  /** Where a page of the results is to be written; null for nowhere. */
  readonly report: string | null;
}

export type ParsedArguments =
  | { readonly kind: 'ask'; readonly order: OracleArguments }
  | { readonly kind: 'list' }
  | { readonly kind: 'usage'; readonly problem: string | null };

/** A day of a busy repository's history takes some minutes to ask about; ten thousand commits would take days. */
const LAST_MAX = 5_000;

export const USAGE = `npm run oracle -- --repo PATH [options]

Plans the last commits of a repository's history and asks the tools of its ecosystems what each commit reaches. What only a
tool calls affected has to be explained by what the plan itself says; what is not is shown, and the exit code is 1. Tools run
in a sandbox without network, on a clone that is gone afterwards; they are installed beside the product (tools/oracle/peers).

  --repo PATH      the repository, with or without a working tree
  --ref NAME       the branch, tag or commit that the history ends with (HEAD)
  --last N         as many commits along first parents (50)
  --oracle NAME,.. these tools alone; --list names them (all that know the repository's kind)
  --list           the tools, what each is asked, and which are not asked for what reason
  --json           only JSON
  --report FILE    also writes a page; FILE must not be there yet
  --help           this text
`;

/**
 * @param known names that `--oracle` may give
 * @param notAsked names that it may not, with the reason
 */
export function parseOracleArguments(
  args: readonly string[],
  known: readonly string[],
  notAsked: Readonly<Record<string, string>>,
): ParsedArguments {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS });
    if (values.help) return { kind: 'usage', problem: null };
    if (values.list) return { kind: 'list' };
    const oracles = values.oracle?.split(',').filter((name) => name !== '') ?? null;
    const refused = oracles?.find((name) => Object.hasOwn(notAsked, name));
    if (refused !== undefined) return problem(`${refused} is not asked: ${notAsked[refused]}`);
    const unknown = oracles?.find((name) => !known.includes(name));
    if (unknown !== undefined) return problem(`there is no oracle "${unknown}": ${known.join(', ')}`);
    if (oracles?.length === 0) return problem(`--oracle names none of ${known.join(', ')}`);
    if (values.repo === undefined) return problem('name a repository: --repo PATH');
    const last = Number(values.last);
    if (!Number.isInteger(last) || last < 1 || last > LAST_MAX) {
      return problem(`--last is a whole number from 1 to ${LAST_MAX}`);
    }
    const { repo, ref = null, json, report = null } = values;
    return { kind: 'ask', order: { repo, ref, last, oracles, json, report } };
  } catch (error) {
    return problem(error instanceof Error ? error.message : String(error));
  }
}

const problem = (text: string): ParsedArguments => ({ kind: 'usage', problem: text });

const OPTIONS = {
  repo: { type: 'string' },
  ref: { type: 'string' },
  last: { type: 'string', default: '50' },
  oracle: { type: 'string' },
  list: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  report: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;
