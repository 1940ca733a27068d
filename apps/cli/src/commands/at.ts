import type { JobAtMoment, MomentView } from '@delta-ci/contracts';
import { gatewayFor } from '../api/gateway.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { safeLine } from '../screen/safe-text.ts';
import { table } from '../screen/table.ts';
import { durationText, plural } from '../screen/words.ts';
import { printJson, type Surroundings } from '../surroundings.ts';
import type { ApiOptions } from './runs.ts';

export interface AtOptions extends ApiOptions {
  /** `RUN/JOB`. */
  readonly job?: string;
  readonly limit: number;
  readonly cursor?: string;
}

/** `delta at`: how everything stood at a position or a time, or why one job was waiting then. */
export async function at(surroundings: Surroundings, asked: string, options: AtOptions): Promise<ExitCode> {
  const moment = asked === 'now' ? new Date(surroundings.nowMs()).toISOString() : asked;
  const gateway = await gatewayFor(surroundings, options);
  if (options.job !== undefined) {
    const { runId, jobKey } = jobIn(options.job);
    const answer = await gateway.jobAt(moment, runId, jobKey);
    if (options.json === true) printJson(surroundings, answer);
    else surroundings.out(jobText(surroundings, answer));
    return EXIT.succeeded;
  }
  const view = await gateway.at(moment, { limit: options.limit, cursor: options.cursor });
  if (options.json === true) printJson(surroundings, view);
  else surroundings.out(momentText(surroundings, view));
  return EXIT.succeeded;
}

function jobIn(text: string): { runId: string; jobKey: string } {
  const slash = text.indexOf('/');
  if (slash > 0 && slash < text.length - 1) return { runId: text.slice(0, slash), jobKey: text.slice(slash + 1) };
  throw new Problem('invalid_usage', `"${text}" names no job: write it as RUN/JOB`);
}

function jobText({ paint }: Surroundings, answer: JobAtMoment): string {
  const { runId, runState, jobKey, state, why } = answer;
  const head = `${whenText(answer)}: run ${safeLine(runId)} ${paint.cyan(runState)}, job ${safeLine(jobKey)} ${paint.cyan(state ?? 'not planned yet')}`;
  return `${head}\n${safeLine(why.sentence)}\n`;
}

function momentText(surroundings: Surroundings, view: MomentView): string {
  const { runs, queue, leases, pools, nextCursor } = view;
  const counts = `${plural(runs.length, 'run')} under way, ${plural(queue.length, 'attempt')} waiting, ${plural(leases.length, 'lease')}`;
  const parts = [
    `${whenText(view)}: ${counts}\n`,
    ...section(surroundings, ['RUN', 'STATE', 'FOR', 'REPOSITORY', 'JOBS'], runRows(view)),
    ...section(surroundings, ['WAITING', 'POOL', 'FOR', 'WHY'], queueRows(view)),
    ...section(surroundings, ['LEASE', 'STATE', 'FOR', 'RUNNER'], leaseRows(view)),
    ...section(
      surroundings,
      ['POOL', 'QUEUED', 'RUNNERS', 'BUSY', 'LAST DECISION'],
      pools.map(({ pool, queued, runners, busy, decision }) => [
        pool,
        String(queued),
        String(runners),
        String(busy),
        decision?.sentence ?? 'none',
      ]),
    ),
    ...(nextCursor === null ? [] : [`more: add --cursor ${safeLine(nextCursor)}\n`]),
  ];
  return parts.join('\n');
}

function section(
  surroundings: Surroundings,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  return rows.length === 0 ? [] : [table(surroundings, headings, rows)];
}

const runRows = (view: MomentView): string[][] =>
  view.runs.map(({ runId, state, createdAtMs, repositoryId, jobCounts }) => [
    runId,
    state,
    sinceText(view, createdAtMs),
    repositoryId,
    Object.entries(jobCounts)
      .map(([jobState, count]) => `${count} ${jobState}`)
      .join(', '),
  ]);

const queueRows = (view: MomentView): string[][] =>
  view.queue.map(({ runId, jobKey, pool, waitingSinceMs, why }) => [
    `${runId}/${jobKey}`,
    pool,
    sinceText(view, waitingSinceMs),
    why.sentence,
  ]);

function leaseRows(view: MomentView): string[][] {
  const names = new Map(view.runners.map(({ runnerId, name }) => [runnerId, name]));
  return view.leases.map(({ runId, jobKey, state, grantedAtMs, runnerId }) => [
    `${runId}/${jobKey}`,
    state,
    sinceText(view, grantedAtMs),
    names.get(runnerId) ?? runnerId,
  ]);
}

const whenText = ({ position, atMs }: Pick<MomentView, 'position' | 'atMs'>): string =>
  atMs === null ? 'before the first event' : `position ${position}, ${new Date(atMs).toISOString()}`;

const sinceText = ({ atMs }: Pick<MomentView, 'atMs'>, sinceMs: number): string =>
  durationText(Math.max(0, (atMs ?? sinceMs) - sinceMs));
