import type { Repository } from '@delta-ci/contracts';
import { Git, parseCloneUrl, parseRef } from '@delta-ci/git';
import { gatewayFor } from '../api/gateway.ts';
import { valueOf } from '../git-answers.ts';
import { outsideRepository } from '../local/machine/outside-repository.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { safeLine } from '../screen/safe-text.ts';
import { printJson, type Surroundings } from '../surroundings.ts';
import type { ApiOptions } from './runs.ts';

export interface StartRunOptions extends ApiOptions {
  readonly repository?: string;
  /** A branch, or the full name of any ref. */
  readonly ref?: string;
  readonly head?: string;
  readonly base?: string;
  readonly title?: string;
}

/** How a mesh may fetch, whatever this machine has besides. */
const PROTOCOLS = ['https', 'http', 'ssh'] as const;
/** Long for a forge's list of refs, short for a person who waits. */
const ASKING_MS = 30_000;

/** `delta runs start`: has a mesh evaluate a commit of a repository that it serves, by default what is on its default branch. */
export async function startRun(surroundings: Surroundings, options: StartRunOptions): Promise<ExitCode> {
  const gateway = await gatewayFor(surroundings, options);
  const repository = chosen((await gateway.repositories()).repositories, options.repository);
  const ref = fullName(options.ref ?? repository.defaultBranch);
  const head = options.head ?? (await tipOf(surroundings, repository, ref));
  const { base = null, title = '' } = options;
  const answer = await gateway.createRun({ repository: repository.id, ref, head, base, title });
  if (options.json === true) printJson(surroundings, answer);
  else {
    const id = safeLine(answer.runId);
    const what = `${head.slice(0, 12)} of ${repository.id} (${ref})`;
    surroundings.out(`${id} evaluates ${safeLine(what)}; follow it: delta runs watch ${id}\n`);
  }
  return EXIT.succeeded;
}

function chosen(served: readonly Repository[], id: string | undefined): Repository {
  const [only] = served;
  const found = id === undefined && served.length === 1 ? only : served.find((each) => each.id === id);
  if (found !== undefined) return found;
  const names = served.map((each) => each.id).join(', ');
  if (served.length === 0) throw new Problem('unknown_repository', 'this installation serves no repository');
  if (id === undefined)
    throw new Problem('invalid_usage', 'which repository?', { next: `name one with --repository: ${names}` });
  throw new Problem('unknown_repository', `${id} is not served there`, { next: `what is: ${names}` });
}

const fullName = (ref: string): string => {
  const full = ref.startsWith('refs/') ? ref : `refs/heads/${ref}`;
  return valueOf(parseRef(full));
};

/** Where the ref is at the repository's own address now, as this machine may ask. */
async function tipOf(surroundings: Surroundings, { id, cloneUrl }: Repository, ref: string): Promise<string> {
  const { environment, interrupted } = outsideRepository(surroundings, '.');
  const { url, protocol } = valueOf(parseCloneUrl(cloneUrl, PROTOCOLS));
  const context = { protocols: [protocol], timeLimitMs: ASKING_MS, signal: interrupted };
  const asked = await new Git({ environment }).run({ command: 'ls-remote', operands: [url, ref] }, context);
  if (!asked.ok) {
    throw new Problem(asked.error.code, `where ${ref} of ${id} is could not be asked: ${asked.error.message}`, {
      exitCode: EXIT.notJudged,
      next: 'name a commit with --head',
    });
  }
  const line = asked.value.stdout
    .toString('utf8')
    .split('\n')
    .find((each) => each.endsWith(`\t${ref}`));
  const commit = line?.split('\t')[0];
  if (commit !== undefined) return commit;
  throw new Problem('ref_not_found', `${id} has no ${ref}`, { next: 'push it, or name another with --ref' });
}
