import { join, resolve } from 'node:path';
import { Git, isObjectId, openHistory, type RepositoryReader } from '@delta-ci/git';
import { cacheHome } from '../local/machine/bubblewrap-path.ts';
import { valueOf } from '../git-answers.ts';
import { outsideRepository } from '../local/machine/outside-repository.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { Progress } from '../screen/progress.ts';
import { printJson, type Surroundings } from '../surroundings.ts';
import { textOfFile, writeNewFile } from '../text-file.ts';
import { AnswersTally } from '../what-if/answers-tally.ts';
import { COUNTED, parseDurations, type Durations } from '../what-if/durations.ts';
import { failuresIn, historyDocument, type History } from '../what-if/history-document.ts';
import { historyPage } from '../what-if/history-page.ts';
import { HistoryTally } from '../what-if/history-summary.ts';
import { historyText } from '../what-if/history-text.ts';
import { KeptPlans, NO_PLANS } from '../what-if/kept-plans.ts';
import { plannerCode } from '../what-if/planner-code.ts';
import { parsePolicy, type Policy } from '../what-if/policy.ts';
import { BROKE, replanHistory } from '../what-if/replan.ts';

export interface WhatIfOptions {
  readonly repo: string;
  readonly last: number;
  readonly ref?: string;
  readonly policy?: string;
  readonly durations?: string;
  readonly html?: string;
  /** Where plans are kept; false: nowhere. */
  readonly cache?: string | false;
  /** Whether to ask why about everything in every plan. */
  readonly why?: boolean;
  readonly json?: boolean;
}

/** `delta what-if`: what would have run for each commit of a history, whether or not it ever saw this system. */
export async function whatIf(surroundings: Surroundings, options: WhatIfOptions): Promise<ExitCode> {
  refuseWhatLooksLikeOptions(options);
  const durations = await durationsFor(surroundings, options.durations);
  const policy = await policyFor(surroundings, options.policy);
  const git = new Git({ environment: outsideRepository(surroundings, options.repo).environment });
  const reader = valueOf(await openHistory(git, resolve(surroundings.directory, options.repo)));
  try {
    const history = await replanned(surroundings, reader, options, durations, policy);
    if (options.html !== undefined) {
      await writeNewFile(resolve(surroundings.directory, options.html), historyPage(history));
    }
    if (options.json === true) printJson(surroundings, historyDocument(history));
    else surroundings.out(historyText(surroundings, history));
    return exitCodeOf(history);
  } finally {
    await reader.close();
  }
}

/** What a repository gets wrong is an answer. Where everything has to be explained, defects of planning are a failure. */
function exitCodeOf({ answers, summary }: History): ExitCode {
  if (answers === null) return EXIT.succeeded;
  const broken = failuresIn(summary.rows).some(({ code }) => DEFECTS.has(code));
  return broken || answers.unanswered > 0 ? EXIT.failed : EXIT.succeeded;
}

const DEFECTS: ReadonlySet<string> = new Set([BROKE, 'plan_rejected']);

/** A forgotten value makes the next option one, and git and file systems have their own ideas about leading dashes. */
function refuseWhatLooksLikeOptions({ repo, ref, policy, durations, html, cache }: WhatIfOptions): void {
  for (const [name, value] of Object.entries({ repo, ref, policy, durations, html, cache })) {
    if (typeof value !== 'string' || !value.startsWith('-')) continue;
    throw new Problem('looks_like_an_option', `--${name} is "${value}", which looks like an option`, {
      next: name === 'ref' ? 'name a branch, a tag or a commit' : `write it as a path: ./${value}`,
    });
  }
}

async function durationsFor({ directory }: Surroundings, file: string | undefined): Promise<Durations> {
  if (file === undefined) return COUNTED;
  const durations = parseDurations(await requiredText(directory, file));
  if (durations !== null) return durations;
  throw new Problem(
    'invalid_durations',
    `${file} is neither what \`delta durations --json\` prints nor a JSON object of milliseconds by job key`,
    {
      next: 'for instance: { "test-packages-cart": 42000 }',
    },
  );
}

async function policyFor({ directory }: Surroundings, file: string | undefined): Promise<Policy | null> {
  if (file === undefined) return null;
  const parsed = parsePolicy(await requiredText(directory, file), file);
  if (parsed.ok) return parsed.policy;
  throw new Problem('invalid_policy', parsed.message, {
    next: 'a delta.yaml can be checked with `delta lint`; planning rules are a JSON object, for instance: { "pool": "large" }',
  });
}

async function requiredText(directory: string, file: string): Promise<string> {
  const text = await textOfFile(resolve(directory, file));
  if (text === null) throw new Problem('file_not_found', `there is no file ${file}`);
  return text;
}

async function replanned(
  surroundings: Surroundings,
  reader: RepositoryReader,
  { ref: name, last, json, cache, why }: WhatIfOptions,
  durations: Durations,
  policy: Policy | null,
): Promise<History> {
  const { ref, head } = await headOf(reader, name);
  const tally = new HistoryTally();
  const progress = new Progress(surroundings, { json: json === true });
  const { interrupted: signal, nowMs } = surroundings;
  const answers = why === true ? new AnswersTally() : null;
  // Of what was kept only outlines are left, which answer nothing.
  const kept = cache === false || answers !== null ? null : await KeptPlans.in(plansDirectory(surroundings, cache));
  const means = { signal, nowMs, plans: kept ?? NO_PLANS, code: kept === null ? '' : await plannerCode() };
  try {
    await replanHistory(reader, { head, last, policy, durations }, means, (step) => {
      tally.add(step);
      answers?.add(step);
      progress.show(() => `${tally.count} of at most ${last} commits`);
    });
  } finally {
    progress.end();
    await kept?.tidy();
  }
  if (json !== true) for (const note of kept?.notes() ?? []) surroundings.err(`${note}\n`);
  return { ref, head, last, durations, summary: tally.summary(), answers: answers?.summary() ?? null };
}

function plansDirectory(surroundings: Surroundings, named: string | undefined): string {
  if (named === undefined) return join(cacheHome(surroundings), 'what-if');
  return resolve(surroundings.directory, named);
}

/** A full name, or a short one of a branch, a remote's branch or a tag, in this order; or a full commit id. */
async function headOf(reader: RepositoryReader, name: string | undefined): Promise<{ ref: string; head: string }> {
  if (name === undefined) {
    const ref = valueOf(await reader.currentBranch()) ?? 'HEAD';
    return { ref, head: valueOf(await reader.resolveRef('HEAD')) };
  }
  if (isObjectId(name)) return { ref: name, head: name };
  const prefixes = name === 'HEAD' || name.startsWith('refs/') ? [''] : ['refs/heads/', 'refs/remotes/', 'refs/tags/'];
  for (const prefix of prefixes) {
    const found = await reader.resolveRef(`${prefix}${name}`);
    if (found.ok) return { ref: `${prefix}${name}`, head: found.value };
    if (found.error.code !== 'ref_not_found') valueOf(found);
  }
  throw new Problem('ref_not_found', `"${name}" names no branch, tag or commit of the repository`, {
    next: 'give --ref a full name, for instance --ref refs/remotes/origin/main',
  });
}
