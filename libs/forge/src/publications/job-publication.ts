import type { JobView, RunView, SkippedJobView, StepResult } from '@delta-ci/contracts';
import { durationText } from './duration-text.ts';
import { annotationsOf, explanationOf, failureBlocks } from './failure-blocks.ts';
import { fitBlocks } from './fit-blocks.ts';
import { codeCell, plainLine, prose } from './harmless-text.ts';
import { logUrl, whyUrl } from './addresses.ts';
import {
  GATE_NAME,
  GATE_TARGET,
  TEXT_BYTES_MAX,
  type CheckContent,
  type CheckStatus,
  type PublicationLinks,
} from './publication.ts';
import { conclusionOfJob, WHY } from './words.ts';

export interface TargetedContent {
  target: string;
  content: CheckContent;
}

/** A job may be called like the gate; a dot is in no key, so the two never meet. */
const targetOf = (key: string): string => {
  const target = `check:${key}`;
  return target === GATE_TARGET ? `check:job.${key}` : target;
};

const placeOf = (view: RunView, key: string): Pick<CheckContent, 'name' | 'externalId' | 'headSha'> => ({
  name: `${GATE_NAME} / ${key}`,
  externalId: `${view.runId}.${key}`,
  headSha: view.change.head,
});

/** The check of a job of the plan. */
export function jobPublication(view: RunView, job: JobView, links: PublicationLinks): TargetedContent {
  const status = statusOf(view, job);
  const last = job.attempts.at(-1);
  const moreAt = logUrl(links, view.runId, job.key);
  const finished = status === 'completed';
  const content: CheckContent = {
    ...placeOf(view, job.key),
    detailsUrl: moreAt,
    status,
    conclusion: finished ? conclusionOfJob(job) : null,
    startedAtMs: job.attempts[0]?.startedAtMs ?? null,
    completedAtMs: finished ? (last?.finishedAtMs ?? view.finishedAtMs) : null,
    title: titleOf(job, status),
    summary: fitBlocks(summaryBlocks(job, moreAt), TEXT_BYTES_MAX, moreAt),
    text: fitBlocks(attemptBlocks(job), TEXT_BYTES_MAX, moreAt),
    annotations: finished ? annotationsOf(job) : [],
    actions: finished ? [WHY] : [],
  };
  return { target: targetOf(job.key), content };
}

/** The check of a job that the plan left out, with the sentence that says why. */
export function skippedPublication(view: RunView, job: SkippedJobView, links: PublicationLinks): TargetedContent {
  const content: CheckContent = {
    ...placeOf(view, job.key),
    detailsUrl: whyUrl(links, view.runId, job.key),
    status: 'completed',
    conclusion: 'skipped',
    startedAtMs: null,
    completedAtMs: null,
    title: plainLine(`Skipped: ${job.sentence}`, 255),
    summary: `Skipped: ${prose(job.sentence)}`,
    text: '',
    annotations: [],
    actions: [],
  };
  return { target: targetOf(job.key), content };
}

/** Nothing of a finished run may look as if it went on. */
function statusOf(view: RunView, job: JobView): CheckStatus {
  if (job.state === 'finished' || view.state === 'finished') return 'completed';
  const last = job.attempts.at(-1);
  const waits = last === undefined || last.state === 'queued' || last.state === 'leased';
  return job.state !== 'active' || (waits && job.attempts.length <= 1) ? 'queued' : 'in_progress';
}

function titleOf(job: JobView, status: CheckStatus): string {
  const name = plainLine(job.title, 150) || job.key;
  if (status === 'queued') return `${name}: waiting`;
  if (status === 'in_progress') return `${name}: running`;
  const headline = job.outcome === 'succeeded' ? undefined : explanationOf(job)?.headline;
  return plainLine(`${name}: ${headline ?? (job.reason || (job.outcome ?? 'not run'))}`, 255);
}

function summaryBlocks(job: JobView, moreAt: string): string[] {
  const ran = `Why it is part of this run: ${prose(job.sentence) || 'the plan asks for it'}`;
  const attempts = job.attempts.length > 1 ? [`It took ${job.attempts.length} attempts.`] : [];
  const failed = job.state === 'finished' && job.outcome !== 'succeeded' && job.outcome !== 'skipped';
  const optional = failed && !job.required ? ['This job is not required: the run does not fail because of it.'] : [];
  if (failed) return [...failureBlocks(job, '### What failed'), ...optional, ran, ...attempts, `[The log](${moreAt})`];
  if (job.outcome === 'skipped') return [`Skipped: ${prose(job.reason)}`, ran];
  return [ran, ...attempts, `[The log](${moreAt})`];
}

function attemptBlocks(job: JobView): string[] {
  return job.attempts.flatMap(({ attempt, outcome, reason, report }) => {
    const head = `#### Attempt ${attempt}: ${outcome ?? 'under way'}`;
    const told = reason === '' ? [] : [prose(reason)];
    if (report === null || report.steps.length === 0) return [head, ...told];
    const rows = report.steps.map(
      (step) => `| ${codeCell(step.name)} | ${endOf(step)} | ${durationText(step.usage.wallMs)} |`,
    );
    return [head, ...told, ['| Step | Ended | Took |', '| --- | --- | --- |', ...rows].join('\n')];
  });
}

function endOf({ endedBy, exitCode, signal, timedOut, oomKilled }: StepResult): string {
  if (endedBy === 'idle_timeout') return 'silent for too long';
  if (endedBy === 'canceled') return 'canceled';
  if (endedBy === 'disk_full') return 'disk full';
  if (oomKilled) return 'out of memory';
  if (timedOut) return 'timed out';
  if (signal !== null) return `by ${codeCell(signal)}`;
  return exitCode === null ? 'not told' : `exit code ${exitCode}`;
}
