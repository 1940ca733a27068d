import type { JobView, RunSummary, RunView } from '@delta-ci/contracts';
import { gatewayFor, type GatewayOptions } from '../api/gateway.ts';
import { EXIT, type ExitCode } from '../problem.ts';
import { explanationText } from '../screen/explanation-text.ts';
import { cachesText } from '../screen/caches-text.ts';
import { egressText } from '../screen/egress-text.ts';
import { paintOutcome } from '../screen/paint.ts';
import { safeJson, safeLine } from '../screen/safe-text.ts';
import { stepsText } from '../screen/steps-text.ts';
import { table } from '../screen/table.ts';
import { ageText, durationText } from '../screen/words.ts';
import { printJson, type Surroundings } from '../surroundings.ts';
import { watchedWaits, whyJobsWait } from './why-jobs-wait.ts';

export interface ApiOptions extends GatewayOptions {
  readonly json?: boolean;
}

export interface ListOptions extends ApiOptions {
  readonly repository?: string;
  readonly ref?: string;
  readonly state?: string;
  readonly actor?: string;
  readonly limit: number;
  readonly cursor?: string;
}

/** `delta runs list` */
export async function listRuns(surroundings: Surroundings, options: ListOptions): Promise<ExitCode> {
  const { repository, ref, state, actor, limit, cursor } = options;
  const page = await (
    await gatewayFor(surroundings, options)
  ).listRuns({ repository, ref, state, actor, limit, cursor });
  if (options.json === true) printJson(surroundings, page);
  else {
    const { paint } = surroundings;
    const now = surroundings.nowMs();
    const rows = page.runs.map((run) => [
      run.runId,
      { text: stateOf(run), paint: (text: string) => paintOutcome(paint, text) },
      run.repository.id,
      run.change.ref.replace(/^refs\/heads\//u, ''),
      ageText(run.createdAtMs, now),
      titleOf(run),
    ]);
    const text = table(surroundings, ['RUN', 'STATE', 'REPOSITORY', 'REF', 'CREATED', 'TITLE'], rows);
    surroundings.out(rows.length === 0 ? 'no runs\n' : text);
    if (page.nextCursor !== null) surroundings.out(`\nmore: delta runs list --cursor ${safeLine(page.nextCursor)}\n`);
  }
  return EXIT.succeeded;
}

/** `delta runs view` */
export async function viewRun(surroundings: Surroundings, runId: string, options: ApiOptions): Promise<ExitCode> {
  const gateway = await gatewayFor(surroundings, options);
  const view = await gateway.run(runId);
  if (options.json === true) printJson(surroundings, view);
  else surroundings.out(runText(surroundings, view, await whyJobsWait(gateway, view)));
  return EXIT.succeeded;
}

/** `delta runs watch`: says what changes until the run is finished; the exit code is the run's. */
export async function watchRun(surroundings: Surroundings, runId: string, options: ApiOptions): Promise<ExitCode> {
  const gateway = await gatewayFor(surroundings, options);
  let view = await gateway.run(runId);
  let known = new Map<string, string>();
  const waitsIn = watchedWaits(gateway, surroundings.nowMs);
  const show = async (): Promise<void> => {
    if (options.json === true) surroundings.out(`${safeJson(view)}\n`);
    else known = sayChanges(surroundings, view, await waitsIn(view), known);
  };
  await show();
  // Nothing more may ever happen to a run that is finished, so its stream is not waited for.
  if (view.state !== 'finished') {
    for await (const position of gateway.changesOf(runId, view.position)) {
      if (position <= view.position) continue;
      view = await gateway.run(runId);
      await show();
      if (view.state === 'finished') break;
    }
  }
  if (options.json !== true && view.state === 'finished') surroundings.out(`\n${runText(surroundings, view)}`);
  return exitCodeOf(view);
}

/** `delta runs cancel` */
export async function cancelRun(
  surroundings: Surroundings,
  runId: string,
  options: ApiOptions & { readonly reason?: string },
): Promise<ExitCode> {
  const reason = options.reason ?? 'canceled by request';
  const answer = await (await gatewayFor(surroundings, options)).cancel(runId, { reason });
  if (options.json === true) printJson(surroundings, answer);
  else
    surroundings.out(
      `asked to cancel ${safeLine(answer.runId)}; see how it ends: delta runs watch ${safeLine(answer.runId)}\n`,
    );
  return EXIT.succeeded;
}

/** `delta runs rerun` */
export async function rerun(
  surroundings: Surroundings,
  runId: string,
  options: ApiOptions & { readonly failed?: boolean },
): Promise<ExitCode> {
  const only = options.failed === true ? 'failed' : 'all';
  const answer = await (await gatewayFor(surroundings, options)).rerun(runId, { only });
  if (options.json === true) printJson(surroundings, answer);
  else
    surroundings.out(
      `${safeLine(answer.runId)} runs ${only === 'all' ? 'it' : 'what failed'} again; follow it: delta runs watch ${safeLine(answer.runId)}\n`,
    );
  return EXIT.succeeded;
}

/** What a run is about; of one for debugging, who looks into what, and why. */
function titleOf({ change, rerun: source }: Pick<RunSummary, 'change' | 'rerun'>): string {
  const debug = source?.debug;
  if (source === null || debug === undefined) return change.title;
  return `debugging, by ${debug.by}: ${(source.jobs ?? []).join(', ')} of ${source.of}, attempt ${debug.attempt} (${debug.reason})`;
}

const stateOf = ({ state, outcome }: Pick<RunSummary, 'state' | 'outcome'>): string => outcome ?? state;

/** A run that is still going when the person stops watching has no outcome. */
function exitCodeOf({ state, outcome }: RunView): ExitCode {
  if (state !== 'finished') return EXIT.canceled;
  return outcome === 'succeeded' ? EXIT.succeeded : EXIT.failed;
}

function sayChanges(
  { out, paint }: Surroundings,
  view: RunView,
  waits: ReadonlyMap<string, string>,
  known: ReadonlyMap<string, string>,
): Map<string, string> {
  const states = [
    { name: 'run', state: stateOf(view), why: undefined },
    ...view.jobs.map((job) => ({ name: `job ${job.key}`, state: stateOfJob(job), why: waits.get(job.key) })),
  ];
  const texts = states.map(({ name, state, why }) => {
    const text = `${paintOutcome(paint, state)}${why === undefined ? '' : `, ${safeLine(why)}`}`;
    if (known.get(name) !== text) out(`${safeLine(name)}: ${text}\n`);
    return [name, text] as const;
  });
  return new Map(texts);
}

const waitText = (words: string | undefined): string => (words === undefined ? '' : `Waits: ${words}.`);

const stateOfJob = ({ outcome, attempts, state }: JobView): string => outcome ?? attempts.at(-1)?.state ?? state;

/** Whether what is recorded of a run is under a checkpoint already; said of one that is still going only when it is. */
function signedText({ checkpoint, state }: RunView): string {
  if (checkpoint !== null) return `signed by the checkpoint at ${checkpoint.position} of ${checkpoint.time}`;
  return state === 'finished' ? 'not under a checkpoint yet' : '';
}

/** A run with its jobs, for people, and what is in the way of those that wait. */
export function runText(
  surroundings: Surroundings,
  view: RunView,
  waits: ReadonlyMap<string, string> = new Map(),
): string {
  const { paint } = surroundings;
  const rows = [
    ...view.jobs.map((job) => {
      const attempt = job.attempts.at(-1);
      const start = attempt?.startedAtMs ?? attempt?.leasedAtMs ?? null;
      const end = attempt?.finishedAtMs ?? null;
      return [
        job.key,
        { text: stateOfJob(job), paint: (text: string) => paintOutcome(paint, text) },
        String(job.attempts.length),
        start === null || end === null ? '' : durationText(end - start),
        [waitText(waits.get(job.key)), job.reason === '' ? '' : `${job.reason}.`, job.sentence]
          .filter((part) => part !== '')
          .join(' '),
      ];
    }),
    ...view.skipped.map(({ key, sentence }) => [key, { text: 'skipped', paint: paint.dim }, '', '', sentence]),
  ];
  const head = [
    `${paint.bold(view.runId)} ${paintOutcome(paint, stateOf(view))}`,
    `${safeLine(view.repository.id)} ${safeLine(view.change.ref)} ${view.change.head.slice(0, 8)} ${safeLine(titleOf(view))}`,
    ...(view.rerun?.debug === undefined ? [] : ['a run for debugging: nothing of it counts, however it ends']),
    ...[view.reason, view.summary, view.planning?.message ?? '', signedText(view)]
      .map(safeLine)
      .filter((line) => line !== ''),
  ];
  const explained = view.jobs.flatMap(({ key, attempts }) => {
    const explanation = attempts.at(-1)?.explanation ?? null;
    return explanation === null ? [] : [explanationText(surroundings, key, explanation)];
  });
  const jobs = rows.length === 0 ? '' : `\n${table(surroundings, ['JOB', 'STATE', 'ATTEMPTS', 'TIME', 'WHY'], rows)}`;
  const tables = [stepsText, cachesText, egressText]
    .map((text) => text(surroundings, view.jobs))
    .filter((text) => text !== '');
  return `${head.join('\n')}\n${jobs}${tables.map((text) => `\n${text}`).join('')}${explained.length === 0 ? '' : `\n${explained.join('\n')}`}`;
}
