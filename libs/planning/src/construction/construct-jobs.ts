import type {
  ExplanationLink,
  LearnedDurations,
  PlannedJob,
  PlannedUnit,
  PlanShadow,
  SkippedJob,
} from '@delta-ci/contracts';
import type { Cause, Impact, UnitImpact } from '../impact/impact.ts';
import { listed, nameOf } from '../impact/world.ts';
import type { Unit, UnitCommand } from '../model.ts';
import { assignmentsOf, type Assignment, type JobOutline, type Member } from './assignments.ts';
import { keyFileIds } from './caches.ts';
import {
  NO_JOB_NOTICES,
  NOTHING_TO_RUN,
  explainNoneReached,
  explainOtherKinds,
  explainRun,
  explainSkip,
  type Story,
} from './explain.ts';
import { bodyOf, type JobGround } from './job-body.ts';
import { policyOfKind } from './job-decisions.ts';
import { keysFor } from './job-keys.ts';
import { buildsBefore } from './job-steps.ts';
import type { JobTerms } from './job-terms.ts';
import { isFromRecipe, isOtherwiseByRecipe } from '../recipes/lesson.ts';
import { OTHERWISE_LINK, recipeLink } from '../recipes/recipe-words.ts';
import { headOf, keyText, subjectOf, whyCut } from './outline-words.ts';
import { outlinesOf } from './outlines.ts';
import { shadowJobs, sparedBy, type LeftOutJob } from './shadow-jobs.ts';
import { StepDurations } from './step-durations.ts';
import type { ShadowPlan } from '../shadow/shadow-plan.ts';

export interface Construction {
  readonly jobs: readonly PlannedJob[];
  readonly skipped: readonly SkippedJob[];
  readonly units: readonly PlannedUnit[];
  /** Members of all jobs that run but shadows, and whatever is built for them. */
  readonly ran: readonly Member[];
  /** Null where no ledger is kept. */
  readonly shadow: PlanShadow | null;
}

/**
 * One job for each command of each unit, and one for commands that join: those the change reaches run, the others are
 * skipped, each with its reason. What joins runs for the members that are reached, and is skipped when none is.
 * @param durations of steps: what they say is small runs together, what they say is long runs in shards; null cuts nothing
 * @param shadow what the ledger has to do with it: of a sample what is left out runs too; null without a ledger
 */
export function constructJobs(
  story: Story,
  terms: JobTerms,
  durations: LearnedDurations | null = null,
  shadow: ShadowPlan | null = null,
): Construction {
  const { discovery, impact } = story;
  const byId = new Map(discovery.units.map((unit) => [unit.id, unit]));
  const assignments = assignmentsOf(discovery.units, byId);
  const steps = new StepDurations(durations);
  const outlines = outlinesOf(assignments, (assignment) => reachedMembers(impact, assignment), byId, steps);
  const keys = keysFor(outlines.map(keyText));
  const ground: JobGround = { terms, byId, keyFiles: keyFileIds(discovery.units, terms.entries) };
  const jobs: PlannedJob[] = [];
  const skipped: SkippedJob[] = [];
  const ran: Member[] = [];
  for (const outline of outlines) {
    const { members } = outline;
    const head = { key: keys.get(keyText(outline)) ?? '', ...headOf(outline) };
    ran.push(...members, ...members.flatMap((member) => buildsBefore(member, byId)));
    if (members.length > 0) jobs.push({ ...head, ...runningJob({ story, outline, ...ground }, shadow) });
    else skipped.push({ ...head, explanation: explainSkipped(story, outline.assignment) });
  }
  const units = story.discovery.units.map((unit) => plannedUnit(story, unit));
  if (shadow === null) return { jobs, skipped, units, ran, shadow: null };
  const leftOut = leftOutJobs(story, assignments, byId, steps);
  if (shadow.sample === 'taken') jobs.push(...shadowJobs(leftOut, shadow, ground));
  const { input, sample, by, off } = shadow;
  const told: PlanShadow = {
    rules: input.rules,
    sample,
    by: leftOut.length === 0 ? [] : [...by],
    ...sparedBy(leftOut, byId, steps),
    off: off.map(({ optimisation }) => optimisation),
  };
  return { jobs, skipped, units, ran, shadow: told };
}

function reachedMembers(impact: Impact, { members }: Assignment): Member[] {
  return members.filter((member) => isReached(impact, member));
}

function isReached({ units }: Impact, { unit, command }: Member): boolean {
  return causeFor(command, units.get(unit.id)) !== null;
}

/** Members that nothing reaches, cut into jobs as if they ran. */
function leftOutJobs(
  story: Story,
  assignments: readonly Assignment[],
  byId: ReadonlyMap<string, Unit>,
  steps: StepDurations,
): LeftOutJob[] {
  const { impact } = story;
  const unreached = ({ members }: Assignment): Member[] => members.filter((member) => !isReached(impact, member));
  return outlinesOf(assignments, unreached, byId, steps)
    .filter(({ members }) => members.length > 0)
    .map((outline): LeftOutJob => {
      const { assignment, members } = outline;
      const beside = outline.cut.kind !== 'together' && reachedMembers(impact, assignment).length > 0;
      const explanation = beside
        ? explainNoneReached(story, `${subjectOf(outline)} is skipped`, `none of ${members.length} units`, [
            joinedRule(assignment),
          ])
        : explainSkipped(story, assignment);
      return { outline, explanation, beside };
    });
}

function causeFor({ kind, fromRecipe }: UnitCommand, impact: UnitImpact | undefined): Cause | null {
  const cause = impact?.whole ?? impact?.kinds.get(kind) ?? null;
  if (cause !== null || fromRecipe !== 'not-found') return cause;
  // Impact knows the kinds that discovery finds: what only a recipe has notices whatever any of these does.
  const [any] = impact?.kinds.values() ?? [];
  return any ?? null;
}

interface RunningJob extends JobGround {
  readonly story: Story;
  /** With the members that run. */
  readonly outline: JobOutline;
}

function runningJob(
  running: RunningJob,
  shadow: ShadowPlan | null,
): Omit<PlannedJob, keyof Omit<SkippedJob, 'explanation'>> {
  const { outline } = running;
  return { ...bodyOf(outline, running), policy: policyOf(outline, shadow), explanation: explainRunning(running) };
}

/** What runs only because an optimisation is switched off goes on being looked at. */
function policyOf({ assignment, members }: JobOutline, shadow: ShadowPlan | null): PlannedJob['policy'] {
  const policy = policyOfKind(assignment.kind);
  if (shadow === null || members.some((member) => isReached(shadow.narrow, member))) return policy;
  return { ...policy, leftOut: { by: [...shadow.by], as: 'counted' } };
}

/** Of several members the first tells why; every one is named in the chain. */
function explainRunning({ story, outline, byId }: RunningJob): PlannedJob['explanation'] {
  const { assignment, members } = outline;
  const [first] = members;
  const cause = first === undefined ? null : causeFor(first.command, story.impact.units.get(first.unit.id));
  if (first === undefined || cause === null) throw new Error('what runs has a member that is reached');
  const cut = whyCut(outline);
  const cutLinks = cut === null ? [] : [cut.link];
  const cutText = cut === null ? '' : ` ${cut.sentence}`;
  const subject = `${subjectOf(outline)} runs`;
  // What is built for them may be what fails.
  const run = members.flatMap((member) => [member, ...buildsBefore(member, byId)]);
  const recipe = story.recipe !== null && run.some(isFromRecipe) ? [recipeLink(story.recipe)] : [];
  const otherwise = recipe.length > 0 && run.some(isOtherwiseByRecipe) ? [OTHERWISE_LINK] : [];
  if (first.command.joins === null && members.length === 1) {
    const ends = [...recipe, ...otherwise, jobRule(first.unit, first.command), ...cutLinks, ...story.policies];
    return withFurther(explainRun(story, subject, cause, ends), cutText + recipeText([...recipe, ...otherwise]));
  }
  const names = members.map(({ unit }) => nameOf(unit));
  const ends: ExplanationLink[] = [
    ...recipe,
    ...otherwise,
    ...(outline.cut.kind === 'together' ? [] : [joinedRule(assignment)]),
    ...cutLinks,
    ...members.map(({ unit }): ExplanationLink => ({ kind: 'unit', unit: unit.id })),
    ...story.policies,
  ];
  const whom = names[0] === nameOf(assignment.unit) && names.length === 1 ? '' : ` for ${listed(names)}`;
  const told = explainRun(story, subject + whom, cause, ends);
  const others = names.length === 1 ? '' : ' What reaches each of the others is told under its own name.';
  return withFurther(told, others + cutText + recipeText([...recipe, ...otherwise]));
}

function withFurther(told: PlannedJob['explanation'], further: string): PlannedJob['explanation'] {
  return { ...told, sentence: (told.sentence + further).slice(0, SENTENCE_LENGTH_MAX) };
}

const recipeText = (links: readonly ExplanationLink[]): string =>
  links
    .map((link) => (link.kind === 'job-rule' ? ` ${link.detail.charAt(0).toUpperCase()}${link.detail.slice(1)}.` : ''))
    .join('');

const SENTENCE_LENGTH_MAX = 5_000;

function jobRule(unit: Unit, { kind, evidence }: UnitCommand): ExplanationLink {
  return { kind: 'job-rule', rule: `one ${kind} job per affected unit`, detail: `${evidence} in ${nameOf(unit)}` };
}

function joinedRule({ kind, unit, members }: Assignment): ExplanationLink {
  const rule = `one ${kind} job for the affected units of a group`;
  return { kind: 'job-rule', rule, detail: `${members.length} units of ${nameOf(unit)} can run together` };
}

function explainSkipped(story: Story, assignment: Assignment): SkippedJob['explanation'] {
  const { kind, unit, members } = assignment;
  const subject = `${kind} ${nameOf(unit)} is skipped`;
  const [only] = members;
  if (only !== undefined && (only.command.joins === null || members.length === 1))
    return explainSkippedJob(story, subject, only);
  return explainNoneReached(story, subject, `none of its ${members.length} units`, [joinedRule(assignment)]);
}

function explainSkippedJob(story: Story, subject: string, { unit, command }: Member): SkippedJob['explanation'] {
  const impact = story.impact.units.get(unit.id);
  const ends = [jobRule(unit, command)];
  const [first] = impact?.kinds.values() ?? [];
  if (first === undefined) return explainSkip(story, subject, unit, ends);
  const reached = [...(impact?.kinds.keys() ?? [])].map((kind) => `${kind} jobs`);
  return explainOtherKinds(story, subject, unit, first, reached, ends);
}

function plannedUnit(story: Story, unit: Unit): PlannedUnit {
  const impact = story.impact.units.get(unit.id);
  const [partial] = impact?.kinds.values() ?? [];
  const cause = impact?.whole ?? partial ?? null;
  const { id, root, ecosystem } = unit;
  const name = nameOf(unit);
  const without = whyWithoutJob(unit, impact);
  const ends: ExplanationLink[] = without === null ? [] : [{ kind: 'job-rule', ...without }];
  const explanation =
    cause === null
      ? explainSkip(story, `${name} is not affected`, unit, ends)
      : explainRun(story, `${name} is affected`, cause, ends);
  const sentence = without === null ? explanation.sentence : `${explanation.sentence} ${SENTENCES[without.rule]}`;
  return { id, root, ecosystem, affected: cause !== null, explanation: { ...explanation, sentence } };
}

/** Why a unit has no job that runs whatever reaches it, or although something does. */
interface WithoutJob {
  readonly rule: typeof NOTHING_TO_RUN | typeof NO_JOB_NOTICES;
  readonly detail: string;
}

const SENTENCES: Readonly<Record<WithoutJob['rule'], string>> = {
  [NOTHING_TO_RUN]: 'It has nothing to run.',
  [NO_JOB_NOTICES]: 'None of its jobs can notice.',
};

function whyWithoutJob({ manifest, commands }: Unit, impact: UnitImpact | undefined): WithoutJob | null {
  if (commands.length === 0) {
    return { rule: NOTHING_TO_RUN, detail: `${manifest} names no build, test, lint or typecheck command` };
  }
  const kinds = [...(impact?.kinds.keys() ?? [])];
  const noticed = kinds.length === 0 || commands.some((command) => causeFor(command, impact) !== null);
  if (noticed) return null;
  return {
    rule: NO_JOB_NOTICES,
    detail: `only ${listed(kinds.map((kind) => `${kind} jobs`))} can notice, and it has none`,
  };
}
