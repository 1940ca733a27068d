import { isShadow, type Plan, type PlanNote, type PlannedJob } from '@delta-ci/contracts';
import { NO_JOB_NOTICES, NOTHING_TO_RUN } from '../construction/explain.ts';
import type { Comparison } from '../model.ts';
import { note } from './notes.ts';

/** Whether the plan speaks of everything that changed and of everything that is affected, and says what it does. */
export function accountNotes(plan: Plan, comparison: Comparison): PlanNote[] {
  return [
    ...unaccountedFiles(plan, comparison),
    ...affectedUnits(plan),
    ...plan.jobs.flatMap((job) => wrongDecision(job, 'run')),
    ...plan.skipped.flatMap((job) => wrongDecision(job, 'skip')),
  ];
}

function unaccountedFiles(plan: Plan, comparison: Comparison): PlanNote[] {
  if (plan.source.kind === 'rerun' || comparison.kind === 'everything') return [];
  const told = new Set(plan.files.map(({ path }) => path));
  return comparison.changes
    .filter(({ path }) => !told.has(path))
    .map(({ path }) => note('unaccounted_file', `the plan says nothing about the changed file ${path}`, path));
}

/** For a unit that is affected a job runs, or its own explanation says why none does. */
function affectedUnits(plan: Plan): PlanNote[] {
  if (plan.source.kind !== 'discovery' && plan.source.kind !== 'recipe') return [];
  const served = new Set(plan.jobs.filter(({ policy }) => !isShadow(policy)).flatMap(unitsOf));
  return plan.units
    .filter(({ id, affected }) => affected && !served.has(id))
    .flatMap((unit) => {
      const rules = unit.explanation.chain.flatMap((link) => (link.kind === 'job-rule' ? [link.rule] : []));
      if (rules.includes(NO_JOB_NOTICES)) return [];
      return rules.includes(NOTHING_TO_RUN)
        ? [note('nothing_to_run_in_unit', `${unit.id} is affected and has nothing to run`, unit.id)]
        : [note('affected_without_job', `${unit.id} is affected, and no job runs for it`, unit.id)];
    });
}

/**
 * Units that a job runs for: those named behind the rule that made one job of many (before it they are the way that a change
 * took), and otherwise its own.
 */
function unitsOf({ unit, explanation: { chain } }: PlannedJob): string[] {
  const rule = chain.findLastIndex(({ kind }) => kind === 'job-rule');
  const named = chain.slice(rule + 1).flatMap((link) => (link.kind === 'unit' ? [link.unit] : []));
  return named.length > 0 || unit === null ? named : [unit];
}

function wrongDecision(job: Pick<PlannedJob, 'key' | 'explanation'>, expected: 'run' | 'skip'): PlanNote[] {
  if (job.explanation.decision === expected) return [];
  return [note('wrong_explanation', `the explanation of ${job.key} says the opposite of what happens`, job.key)];
}
