import type { JobView, RunView } from '@delta-ci/contracts';
import { runUrl } from './addresses.ts';
import { durationText } from './duration-text.ts';
import { failureBlocks } from './failure-blocks.ts';
import { fitBlocks } from './fit-blocks.ts';
import { code, codeCell, fenced, plainLine, prose } from './harmless-text.ts';
import type { TargetedContent } from './job-publication.ts';
import { settledView } from './settled-view.ts';
import { GATE_NAME, GATE_TARGET, TEXT_BYTES_MAX, type CheckStatus, type PublicationLinks } from './publication.ts';
import { conclusionOfRun, RERUN_FAILED, WHY } from './words.ts';

/** Failures explained at length; the others are in the table and in checks of their own. */
const FAILURES_SHOWN_MAX = 10;
/** Rows of a table or list; a page of them is read, more are searched for elsewhere. */
const ROWS_MAX = 100;

/** The gate: always there, and the one place that says everything about a run. It waits for no shadow. */
export function gatePublication(asOfNow: RunView, links: PublicationLinks): TargetedContent {
  const view = settledView(asOfNow);
  const moreAt = runUrl(links, view.runId);
  const status = statusOf(view);
  const finished = status === 'completed';
  const failed = finished && view.outcome !== 'succeeded' && selectedOf(view).length > 0;
  return {
    target: GATE_TARGET,
    content: {
      name: GATE_NAME,
      externalId: view.runId,
      headSha: view.change.head,
      detailsUrl: moreAt,
      status,
      conclusion: view.outcome === null || !finished ? null : conclusionOfRun(view.outcome),
      startedAtMs: view.createdAtMs,
      completedAtMs: finished ? view.finishedAtMs : null,
      title: titleOf(view),
      summary: fitBlocks(summaryBlocks(view, moreAt), TEXT_BYTES_MAX, moreAt),
      text: '',
      annotations: [],
      actions: finished ? [...(failed ? [RERUN_FAILED] : []), WHY] : [],
    },
  };
}

function statusOf({ state, outcome }: RunView): CheckStatus {
  if (state === 'finished' && outcome !== null) return 'completed';
  return state === 'running' || state === 'canceling' ? 'in_progress' : 'queued';
}

function titleOf(view: RunView): string {
  const { planning, skipped, outcome } = view;
  const jobs = selectedOf(view);
  const done = jobs.filter(({ state }) => state === 'finished').length;
  if (planning !== null) return plainLine(`No plan could be made: ${planning.message}`, 255);
  if (view.state === 'created' || view.state === 'planning') return 'Planning what has to run';
  if (view.state === 'queued') return `Waiting for a runner: ${counted(jobs.length, 'job')}`;
  if (view.state === 'running') return `Running: ${done} of ${counted(jobs.length, 'job')} done`;
  if (view.state === 'canceling') return 'Canceling';
  if (jobs.length === 0 && outcome === 'succeeded') return 'Nothing had to run';
  if (outcome === 'succeeded') return `${counted(jobs.length, 'job')} succeeded, ${skipped.length} skipped`;
  if (outcome === 'failed') return `${failedOf(view).length} of ${counted(jobs.length, 'job')} failed`;
  return plainLine(`${outcome === 'canceled' ? 'Canceled' : 'Timed out'}: ${view.reason}`, 255);
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Without shadows, which decide nothing. */
const selectedOf = ({ jobs }: RunView): JobView[] => jobs.filter(({ shadow }) => !shadow);

const failedOf = (view: RunView): JobView[] =>
  selectedOf(view).filter(({ outcome }) => outcome === 'failed' || outcome === 'timed_out');

function summaryBlocks(view: RunView, moreAt: string): string[] {
  return [
    ...planningBlocks(view),
    ...changeBlocks(view),
    ...failedBlocks(view),
    ...ranBlocks(view),
    ...skippedBlocks(view),
    ...nextBlocks(view),
    `[Everything about this run](${moreAt})`,
  ];
}

function planningBlocks({ planning }: RunView): string[] {
  if (planning === null) return [];
  return [
    '### No plan could be made',
    `Nothing has run. The reason (${code(planning.code)}):`,
    fenced(planning.message),
  ];
}

function changeBlocks({
  change,
  summary,
  outcome,
  reason,
  createdAtMs,
  finishedAtMs,
  supersededBy,
}: RunView): string[] {
  const from = change.base === null ? '' : `${code(change.base.slice(0, 12))} → `;
  const pull = change.pullRequest === null ? '' : `, pull request ${change.pullRequest}`;
  const what = `${code(change.title || '(no title)', 300)} by ${code(change.author, 100)}: ${from}${code(change.head.slice(0, 12))} on ${code(change.ref)}${pull}`;
  const untrusted =
    change.trust === 'untrusted' ? ['Run as the code of a stranger: without secrets, in the strictest sandbox.'] : [];
  const took = finishedAtMs === null ? [] : [`It took ${durationText(finishedAtMs - createdAtMs)}.`];
  const ended = outcome === null || outcome === 'succeeded' || reason === '' ? [] : [`Ended: ${prose(reason)}`];
  const superseded = supersededBy === null ? [] : [`A newer run took its place: ${code(supersededBy)}`];
  const plan = summary === '' ? [] : [prose(summary, 5_000)];
  return ['### What changed', what, ...untrusted, ...plan, ...took, ...ended, ...superseded];
}

function failedBlocks(view: RunView): string[] {
  const failed = failedOf(view);
  if (failed.length === 0) return [];
  const shown = failed.slice(0, FAILURES_SHOWN_MAX);
  const more = failed.length - shown.length;
  return [
    '### What failed',
    ...shown.flatMap((job) =>
      failureBlocks(job, `#### ${code(job.key)}${job.required ? '' : ' (not required)'}: ${prose(job.title, 200)}`),
    ),
    ...(more > 0 ? [`And ${counted(more, 'more job')}: see their own checks.`] : []),
  ];
}

function ranBlocks(view: RunView): string[] {
  const shadows = view.jobs.filter(({ shadow }) => shadow);
  return [
    ...jobBlocks('### What runs, and why', selectedOf(view)),
    ...jobBlocks('### What runs as a shadow, and decides nothing', shadows),
  ];
}

function jobBlocks(heading: string, jobs: readonly JobView[]): string[] {
  if (jobs.length === 0) return [];
  const rows = jobs.slice(0, ROWS_MAX).map((job) => {
    const state = job.outcome ?? (job.attempts.at(-1)?.state || job.state);
    return `| ${codeCell(job.key)} | ${state.replace('_', ' ')} | ${tookOf(job)} | ${prose(job.sentence, 300)} |`;
  });
  return [
    heading,
    ['| Job | State | Took | Why |', '| --- | --- | --- | --- |', ...rows].join('\n'),
    ...moreBlock(jobs.length),
  ];
}

function tookOf({ attempts }: JobView): string {
  const took = attempts.flatMap(({ startedAtMs, finishedAtMs }) =>
    startedAtMs === null || finishedAtMs === null ? [] : [finishedAtMs - startedAtMs],
  );
  if (took.length === 0) return '';
  const total = durationText(took.reduce((sum, ms) => sum + ms, 0));
  return attempts.length > 1 ? `${total} in ${attempts.length} attempts` : total;
}

function skippedBlocks({ skipped }: RunView): string[] {
  if (skipped.length === 0) return [];
  const rows = skipped.slice(0, ROWS_MAX).map(({ key, sentence }) => `- ${code(key)}: ${prose(sentence, 300)}`);
  return ['### What was skipped, and why', rows.join('\n'), ...moreBlock(skipped.length)];
}

const moreBlock = (count: number): string[] => (count > ROWS_MAX ? [`And ${count - ROWS_MAX} more.`] : []);

function nextBlocks(view: RunView): string[] {
  if (view.state !== 'finished' || view.outcome === 'succeeded') return [];
  return ['### What to do next', nextOf(view)];
}

function nextOf(view: RunView): string {
  if (view.planning !== null) return 'Mend what the reason names, and push again.';
  if (view.supersededBy !== null) return 'Nothing: look at the newer run.';
  if (view.outcome === 'canceled') return 'Start it again with "Re-run" if it is still wanted.';
  const classes = failedOf(view).map(({ attempts }) => attempts.at(-1)?.failureClass ?? 'unknown');
  const ours = classes.length > 0 && classes.every((found) => found === 'infrastructure');
  if (ours) return 'The change is not at fault as far as can be seen: press "Rerun failed".';
  return 'Start with the first failure above. When it has nothing to do with the change, press "Rerun failed".';
}
