import { isIP } from 'node:net';
import { egressRangeOf, type Plan, type PlannedJob } from '@delta-ci/contracts';
import type { NetworkChoice } from '../local/job/job-network.ts';
import { toolsText, type JobTool } from '../local/machine/job-tools.ts';
import type { JudgedRun } from '../local/judge-run.ts';
import type { LocalOutcome } from '../local/run-jobs.ts';
import { cachesText } from '../screen/caches-text.ts';
import { egressText } from '../screen/egress-text.ts';
import { explanationText } from '../screen/explanation-text.ts';
import { LineSplitter } from '../screen/line-splitter.ts';
import { paintOutcome } from '../screen/paint.ts';
import { safeJson, safeLine, safeLogLine, safeText } from '../screen/safe-text.ts';
import { notesText } from '../screen/show-plan.ts';
import { table } from '../screen/table.ts';
import { bytesText, durationText, plural } from '../screen/words.ts';
import type { Surroundings } from '../surroundings.ts';

/** What a local run looks like while it goes on. */
export interface RunScreen {
  planned(run: PlannedRun): void;
  /** What jobs find on this machine, before any of them runs. */
  equipped(tools: readonly JobTool[]): void;
  started(job: PlannedJob): void;
  /** Where the bytes of one job's output go. */
  outputOf(job: PlannedJob): LineSplitter;
  finished(job: PlannedJob, outcome: LocalOutcome): void;
  ended(run: PlannedRun, ended: EndedRun): void;
}

export interface PlannedRun {
  readonly plan: Plan;
  readonly digest: string;
  readonly jobs: readonly PlannedJob[];
  readonly network: NetworkChoice;
  readonly unsandboxed: boolean;
  /** Where artifacts are kept; null when they are not. */
  readonly artifactDir: string | null;
  readonly comparedText: string;
}

export interface EndedRun extends JudgedRun {
  readonly durationMs: number;
  readonly outcomes: readonly LocalOutcome[];
}

/** JSON lines: `planned`, `equipped`, `job-started`, `output`, `job-finished`, `finished`. */
export function jsonLines({ out }: Surroundings): RunScreen {
  const line = (value: object): void => out(`${safeJson(value)}\n`);
  return {
    planned: ({ plan, digest, jobs, network, artifactDir }) =>
      line({ type: 'planned', digest, jobs: jobs.map(({ key }) => key), network, artifactDir, plan }),
    equipped: (tools) => line({ type: 'equipped', tools }),
    started: ({ key }) => line({ type: 'job-started', job: key }),
    outputOf: ({ key }) => new LineSplitter((text) => line({ type: 'output', job: key, text })),
    finished: (job, outcome) => line({ type: 'job-finished', ...publicOutcome(job, outcome) }),
    ended: ({ plan, jobs }, { outcomes, ...ended }) =>
      line({
        type: 'finished',
        ...ended,
        jobs: jobs.flatMap((job) => {
          const outcome = outcomes.find(({ key }) => key === job.key);
          return outcome === undefined ? [] : [publicOutcome(job, outcome)];
        }),
        skipped: plan.skipped.map(({ key, explanation: { sentence } }) => ({ job: key, why: sentence })),
      }),
  };
}

function publicOutcome(
  { key, explanation }: PlannedJob,
  {
    outcome,
    notJudged,
    durationMs,
    reason,
    result,
    caches,
    artifacts,
    unmatched,
    egress,
    explanation: failure,
  }: LocalOutcome,
) {
  const { exitCode = null, signal = null, steps = [] } = result ?? {};
  return {
    job: key,
    outcome,
    notJudged,
    durationMs,
    reason,
    exitCode,
    signal,
    steps,
    caches,
    artifacts,
    unmatched,
    egress,
    why: explanation.sentence,
    failure,
  };
}

/** Prefixed lines as they come, and a table at the end. */
export function readable(surroundings: Surroundings): RunScreen {
  const { out, paint } = surroundings;
  let width = 0;
  const prefix = ({ key }: PlannedJob): string => `${paint.cyan(key.padEnd(width))} ${paint.dim('|')} `;
  const say = (job: PlannedJob, text: string): void => out(`${prefix(job)}${text}\n`);
  return {
    planned: (run) => {
      width = Math.max(0, ...run.jobs.map(({ key }) => key.length));
      out(`${safeText(run.plan.summary)}\n${paint.dim(run.comparedText)}\n${networkText(run)}${notesText(run.plan)}\n`);
    },
    equipped: (tools) => out(paint.dim(`Jobs find ${safeText(toolsText(tools))}.`) + '\n\n'),
    started: (job) => say(job, paint.bold('starts')),
    outputOf: (job) => new LineSplitter((text) => say(job, safeLogLine(text))),
    finished: (job, { outcome, notJudged, durationMs, reason }) => {
      const word = notJudged === null ? outcome : 'not judged';
      const time = durationMs === null ? '' : ` after ${durationText(durationMs)}`;
      say(job, `${paintOutcome(paint, word)}${time}${reason === '' ? '' : `: ${safeLine(reason)}`}`);
    },
    ended: (run, ended) => out(`\n${endText(surroundings, run, ended)}`),
  };
}

function networkText({ jobs, network, unsandboxed }: PlannedRun): string {
  const online = jobs.filter(({ egress }) => egress.allow.length > 0).map(({ key }) => key);
  const named = online.join(', ');
  if (unsandboxed) {
    const lists = online.length === 0 ? '' : ` The hosts that the plan names are no bounds in tier process: ${named}\n`;
    return `Jobs run as yourself: nothing is kept from them, neither your files nor the network.\n${lists.trimStart()}`;
  }
  if (online.length === 0 || network === 'none') return '';
  if (network === 'plan') {
    const open = jobs.filter(({ egress }) => egress.allow.includes('*')).map(({ key }) => key);
    const kept = online.filter((key) => !open.includes(key));
    return [
      mayReach(kept, 'the hosts that the plan names and no others; --no-network forbids these too'),
      mayReach(open, 'any public host, as the plan says; --no-network forbids it'),
    ].join('');
  }
  return `${plural(online.length, 'job')} may use all of this host's network, which is more than a runner gives, as --network host says: ${named}\n`;
}

const mayReach = (keys: readonly string[], what: string): string =>
  keys.length === 0 ? '' : `${plural(keys.length, 'job')} may reach ${what}: ${keys.join(', ')}\n`;

/** What jobs reached and kept, in the tables of `delta runs view`. */
function tablesText(surroundings: Surroundings, outcomes: readonly LocalOutcome[]): string {
  const jobs = outcomes.map(({ key, outcome, caches, egress }) => {
    const report = { outcome, caches: [...caches], ...(egress === null ? {} : { egress: [...egress] }) };
    return { key, attempts: [{ report }] };
  });
  return [cachesText(surroundings, jobs), egressText(surroundings, jobs) + permitText(outcomes)]
    .map((text) => (text === '' ? '' : `${text}\n`))
    .join('');
}

/** A registry of one's own is the usual reason for an address that is not public. */
function permitText(outcomes: readonly LocalOutcome[]): string {
  const ranges = outcomes.flatMap(({ egress }) =>
    (egress ?? []).flatMap(({ reason, host, address = host }) =>
      reason === 'private-address' && address !== null && isIP(address) !== 0 ? [egressRangeOf(address)] : [],
    ),
  );
  if (ranges.length === 0) return '';
  const named = [...new Set(ranges)].sort().join(',');
  return `Addresses that are not public are reached where DELTA_EGRESS_RANGES has them: for these, DELTA_EGRESS_RANGES=${named}\n`;
}

/** What jobs left, where it is or how it is kept, and what they were to leave and did not. */
function artifactsText({ artifactDir }: PlannedRun, outcomes: readonly LocalOutcome[]): string {
  const all = outcomes.flatMap(({ artifacts }) => artifacts);
  const what = `${plural(all.length, 'artifact')} (${bytesText(all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))})`;
  const where =
    artifactDir === null
      ? 'went with the sandboxes: --artifacts DIR keeps them'
      : `in ${safeLine(artifactDir)}, a folder for each job`;
  const missing = outcomes.flatMap(({ key, unmatched }) =>
    unmatched.map((pattern) => `Nothing matched the artifact ${safeLine(pattern)} of ${key}.\n`),
  );
  return `${all.length === 0 ? '' : `${what} ${where}.\n`}${missing.join('')}`;
}

function endText(surroundings: Surroundings, run: PlannedRun, { outcome, durationMs, outcomes }: EndedRun): string {
  const { paint } = surroundings;
  const { plan, jobs } = run;
  const rows = [
    ...outcomes.map((each) => {
      const word = each.notJudged === null ? each.outcome : 'not judged';
      const why = jobs.find(({ key }) => key === each.key)?.explanation.sentence ?? '';
      return [
        each.key,
        { text: word, paint: (text: string) => paintOutcome(paint, text) },
        each.durationMs === null ? '' : durationText(each.durationMs),
        each.reason === '' ? why : `${each.reason}. ${why}`,
      ];
    }),
    ...plan.skipped.map(({ key, explanation }) => [
      key,
      { text: 'skipped', paint: paint.dim },
      '',
      explanation.sentence,
    ]),
  ];
  // What kept a job from being judged is its reason already: there is nothing in its log to explain.
  const explained = outcomes.flatMap(({ key, explanation, notJudged }) =>
    explanation === null || notJudged !== null ? [] : [explanationText(surroundings, key, explanation)],
  );
  const done = outcomes.filter((each) => each.outcome === 'succeeded').length;
  const head = `${paintOutcome(paint, outcome)}: ${done} of ${plural(outcomes.length, 'job')} succeeded in ${durationText(durationMs)}`;
  const jobTable = rows.length === 0 ? '' : `${table(surroundings, ['JOB', 'OUTCOME', 'TIME', 'WHY'], rows)}\n`;
  return `${explained.map((each) => `${each}\n`).join('')}${jobTable}${tablesText(surroundings, outcomes)}${artifactsText(run, outcomes)}${head}\n`;
}
