import type { Plan, PlannedFile, PlanNote, RunPolicy } from '@delta-ci/contracts';
import type { FileImpact } from './impact/impact.ts';
import type { PlanningInputs } from './model.ts';
import { listed } from './impact/world.ts';

/**
 * The next number whenever a commit lets the same inputs lead to a different plan: a detector more, a rule or a command that
 * changes. Plans name it, what they were made of is recorded with it, and whoever plans such a record again under another
 * one knows that a difference is one of the rules.
 */
export const PLANNING_RULES_VERSION = '20';

/** Reached units written out over all files of one plan: beyond that each file names its first only. */
const REACHES_WRITTEN_MAX = 20_000;

/** What every plan of these inputs says, however its jobs were found. */
export function planHeader(
  inputs: PlanningInputs,
  policy: RunPolicy,
): Pick<
  Plan,
  'version' | 'repository' | 'change' | 'commit' | 'tree' | 'comparedWith' | 'trust' | 'rerun' | 'policy' | 'inputs'
> {
  const { repository, change, commit, tree, comparison, rerun } = inputs;
  const comparedWith = comparison.kind === 'changes' ? comparison.commit : null;
  return {
    version: 1,
    repository,
    change,
    commit,
    tree,
    comparedWith,
    trust: change.trust,
    rerun: rerun?.source ?? null,
    policy,
    inputs: {
      rules: PLANNING_RULES_VERSION,
      tree,
      ...(comparedWith === null ? {} : { comparedWith }),
      ...(rerun === null ? {} : { earlierPlan: rerun.source.planDigest }),
    },
  };
}

export function plannedFiles(files: readonly FileImpact[]): PlannedFile[] {
  let written = 0;
  return files.map(({ path, status, owner, rule, reaches, sentence }) => {
    const shown = written + reaches.length > REACHES_WRITTEN_MAX ? reaches.slice(0, 1) : reaches;
    written += shown.length;
    return { path, status, owner, rule, reaches: shown.map(({ unit }) => unit), sentence: sentence.slice(0, 5_000) };
  });
}

/** One paragraph for people: what changed, what runs, what does not. */
export function summaryOf(
  changed: string,
  jobs: readonly { readonly title: string }[],
  skipped: readonly { readonly title: string }[],
): string {
  const total = jobs.length + skipped.length;
  const run = jobs.length === 0 ? noneRuns(total) : `${jobs.length} of ${total} jobs run: ${titles(jobs)}`;
  const skip = skipped.length === 0 ? '' : ` Skipped: ${titles(skipped)}.`;
  return `${changed} ${run}.${skip}`.slice(0, 5_000);
}

function noneRuns(total: number): string {
  return total === 1 ? 'The only job does not run' : `None of ${total} jobs runs`;
}

function titles(jobs: readonly { readonly title: string }[]): string {
  return listed(
    jobs.map(({ title }) => title),
    6,
  );
}

/** `3 files changed since 1a2b3c4d.`, or why there is nothing to compare with. */
export function changedText(inputs: PlanningInputs): string {
  const { comparison } = inputs;
  if (comparison.kind === 'everything') return `Everything counts as changed: ${comparison.reason}.`;
  const count = comparison.changes.length;
  const files = count === 0 ? 'No file' : count === 1 ? (comparison.changes[0]?.path ?? '') : `${count} files`;
  return `${files} changed since ${comparison.commit.slice(0, 8)}.`;
}

export function isError({ severity }: PlanNote): boolean {
  return severity === 'error';
}
