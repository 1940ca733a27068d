import type { Explanation, PlannedJob } from '@delta-ci/contracts';
import type { ShadowPlan } from '../shadow/shadow-plan.ts';
import { whyShadow } from '../shadow/shadow-words.ts';
import type { Unit } from '../model.ts';
import type { JobOutline } from './assignments.ts';
import { bodyOf, type JobGround } from './job-body.ts';
import { shadowPolicy } from './job-decisions.ts';
import { keysFor } from './job-keys.ts';
import { preparationOf, stepOf } from './job-steps.ts';
import { headOf, keyText, subjectOf } from './outline-words.ts';
import type { StepDurations } from './step-durations.ts';

/** What is left out of a plan: jobs to be, each with the reason why its members do not run. */
export interface LeftOutJob {
  readonly outline: JobOutline;
  readonly explanation: Explanation;
  /** Whether another job of the plan does the same for other members, so that its preparation is needed anyhow. */
  readonly beside: boolean;
}

/** Kinds are words of ours and none is this: a shadow's key is never that of another job. */
const PREFIX = 'shadow';

/** What is left out, as jobs that decide nothing. */
export function shadowJobs(leftOut: readonly LeftOutJob[], { by, input }: ShadowPlan, ground: JobGround): PlannedJob[] {
  const textOf = ({ outline }: LeftOutJob): string => `${PREFIX} ${keyText(outline)}`;
  const keys = keysFor(leftOut.map(textOf));
  return leftOut.map((each): PlannedJob => {
    const { outline, explanation } = each;
    const { title, kind, unit } = headOf(outline);
    const sentence = whyShadow(subjectOf(outline), input.rules);
    return {
      key: keys.get(textOf(each)) ?? '',
      title: `${title.slice(0, TITLE_LENGTH_MAX - MARK.length)}${MARK}`,
      kind,
      unit,
      ...bodyOf(outline, ground),
      policy: shadowPolicy(by),
      explanation: {
        decision: 'run',
        chain: [{ kind: 'policy' as const, policy: 'shadow', detail: sentence }, ...explanation.chain].slice(0, 1_000),
        sentence: `${sentence} Otherwise: ${explanation.sentence}`.slice(0, 5_000),
      },
    };
  });
}

const MARK = ' (shadow)';
const TITLE_LENGTH_MAX = 300;

/** What leaving jobs out spares, as far as steps were measured: how many jobs, how many of them unknown, milliseconds. */
export function sparedBy(
  leftOut: readonly LeftOutJob[],
  byId: ReadonlyMap<string, Unit>,
  durations: StepDurations,
): { readonly jobs: number; readonly unmeasured: number; readonly ms: number } {
  const times = leftOut.map((each) => expectedMs(each, byId, durations));
  const known = times.filter((ms) => ms !== null);
  return { jobs: times.length, unmeasured: times.length - known.length, ms: known.reduce((sum, ms) => sum + ms, 0) };
}

function expectedMs(
  { outline, beside }: LeftOutJob,
  byId: ReadonlyMap<string, Unit>,
  durations: StepDurations,
): number | null {
  const { members, assignment, cut } = outline;
  const overhead = beside ? 0 : (durations.overhead(preparationOf(members, byId))?.ms ?? null);
  const own =
    cut.kind === 'shard'
      ? cut.took.ms / cut.count
      : cut.kind === 'together'
        ? sumOf(members.map(({ command }) => durations.of(command.step)?.ms ?? null))
        : (durations.of(stepOf(members, assignment))?.ms ?? null);
  return overhead === null || own === null ? null : Math.round(overhead + own);
}

function sumOf(times: readonly (number | null)[]): number | null {
  return times.reduce((sum: number | null, ms) => (sum === null || ms === null ? null : sum + ms), 0);
}
