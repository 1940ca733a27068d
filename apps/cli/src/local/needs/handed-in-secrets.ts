import { realpath } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { parseEnv } from 'node:util';
import type { PlannedJob } from '@delta-ci/contracts';
import type { SecretMasker } from '@delta-ci/service';
import { Problem } from '../../problem.ts';
import { variable, type Surroundings } from '../../surroundings.ts';
import { textOfFile } from '../../text-file.ts';
import { valueOf } from '../../git-answers.ts';
import type { LocalChange } from '../source/local-change.ts';

export interface SecretOptions {
  /** `--secret NAME`, each a variable of the environment. */
  readonly secret?: readonly string[];
  /** `--secrets-file FILE`: lines `NAME=value`. */
  readonly secretsFile?: string;
}

/** Secrets that a person handed in for the jobs of one local run. */
export class HandedInSecrets {
  readonly #values: ReadonlyMap<string, string>;
  readonly #masking: Masking | null;

  constructor(values: ReadonlyMap<string, string>, masking: Masking | null) {
    this.#values = values;
    this.#masking = masking;
  }

  get names(): ReadonlySet<string> {
    return new Set(this.#values.keys());
  }

  /** What the job is given: what it names and was handed in, and nothing else. */
  of({ secrets, idTokens = [] }: PlannedJob): Readonly<Record<string, string>> {
    const named = [...secrets, ...idTokens.map(({ name }) => name)];
    return Object.fromEntries(
      named.flatMap((name) => {
        const value = this.#values.get(name);
        return value === undefined ? [] : [[name, value]];
      }),
    );
  }

  /** Why the job cannot be given its own; null when it can. Never names a value. */
  whyUnfit(job: PlannedJob): string | null {
    return this.#masking?.whyNoSecrets(this.of(job)) ?? null;
  }

  /** Hides what the job is given in everything that it says; null when that is nothing. */
  maskerOf(job: PlannedJob): SecretMasker | null {
    const values = Object.values(this.of(job));
    return this.#masking === null || values.length === 0 ? null : new this.#masking.SecretMasker(values);
  }
}

type Masking = Pick<typeof import('@delta-ci/service'), 'SecretMasker' | 'whyNoSecrets'>;

/**
 * Reads what was handed in: by name from this environment, which goes before, and from a file. Nothing else of either reaches a job.
 * @throws Problem for a name without a value, for a file that cannot be read, and for one that every job would find in its workspace
 */
export async function handedInSecrets(
  surroundings: Surroundings,
  { secret = [], secretsFile }: SecretOptions,
  change: LocalChange,
): Promise<HandedInSecrets> {
  const values = new Map(secretsFile === undefined ? [] : await ofFile(surroundings, secretsFile, change));
  for (const name of secret) {
    const value = variable(surroundings, name);
    if (value === null) {
      throw new Problem('secret_unavailable', `the environment has no ${name} to hand in`, {
        next: `export ${name}, or put ${name}=... into a file and give that to --secrets-file`,
      });
    }
    values.set(name, value);
  }
  // Whoever hands nothing in does not wait for the room of services to be loaded.
  return new HandedInSecrets(values, values.size === 0 ? null : await import('@delta-ci/service'));
}

async function ofFile(
  { directory }: Surroundings,
  file: string,
  change: LocalChange,
): Promise<[name: string, value: string][]> {
  const path = resolve(directory, file);
  const text = await textOfFile(path);
  if (text === null) throw new Problem('file_not_found', `there is no file ${file}`);
  await refuseTested(path, file, change);
  const values = Object.entries(parseEnv(text)).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, value]],
  );
  if (values.length > 0) return values;
  throw new Problem('file_unreadable', `${file} has no line NAME=value`);
}

/** A file that is part of what is tested lies in the workspace of every job, whatever that job is to know. */
async function refuseTested(path: string, file: string, { repository, snapshot, tree }: LocalChange): Promise<void> {
  const within = relative(await realpath(repository.root), await realpath(path));
  if (within === '..' || within.startsWith(`..${sep}`)) return;
  let isTested = false;
  const look = (entries: readonly { readonly path: string }[]): void => {
    isTested ||= entries.some((entry) => entry.path === within);
  };
  valueOf(await snapshot.reader.walkTree(tree, {}, look));
  if (!isTested) return;
  throw new Problem('secrets_tested', `${file} is part of what is tested: every job would find it in its workspace`, {
    next: 'let git ignore it, or keep it outside of the repository',
  });
}
