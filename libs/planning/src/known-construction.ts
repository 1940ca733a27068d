import type { Plan } from '@delta-ci/contracts';
import { PLANNING_RULES_VERSION } from './assemble-plan.ts';
import type { PlanningInputs } from './model.ts';
import { sortedText } from './parsed-values.ts';
import { isSampled } from './shadow/sample.ts';

/** What decides a plan besides the names it goes by; a rerun is decided by an earlier plan as well, and has none. */
export type ConstructionInputs = Pick<
  PlanningInputs,
  'repository' | 'change' | 'commit' | 'tree' | 'policy' | 'rules' | 'recipe' | 'durations' | 'shadow'
> & {
  readonly comparison: { readonly kind: 'changes'; readonly commit: string } | { kind: 'everything'; reason: string };
};

/**
 * A text that two changes have in common exactly when their plans differ in nothing but change and commit: the tested
 * tree and the commit it is compared with stand for all that was read of them, the level of trust for all that planning
 * asks of a change. Whoever reads with other bounds or another git must not take one text for the other.
 */
export function constructionKey({
  repository,
  change,
  commit,
  tree,
  comparison,
  policy,
  rules,
  recipe,
  durations,
  shadow,
}: ConstructionInputs): string {
  const against = comparison.kind === 'changes' ? { commit: comparison.commit } : { everything: comparison.reason };
  const { trust } = change;
  const known = recipe === null ? null : { ...recipe, latest: namedIn(recipe) };
  return sortedText({
    version: PLANNING_RULES_VERSION,
    repository,
    trust,
    tree,
    against,
    policy,
    rules,
    recipe: known,
    durations,
    shadow: shadow === null ? null : { ...shadow, sampled: isSampled(commit, shadow.rules) },
  });
}

/** A recipe's digest stands for what it holds; whether it could be read counts by itself. */
function namedIn({ latest }: NonNullable<ConstructionInputs['recipe']>): object | null {
  return latest === null ? null : { ...latest, recipe: latest.recipe !== null };
}

/** The plan for a change whose construction (`constructionKey`) is that of `known`: equal to what `planChange` gives. */
export function withHeading(known: Plan, { change, commit }: Pick<Plan, 'change' | 'commit'>): Plan {
  return { ...known, change: withoutHalves(change), commit };
}

/** As every text of a plan is; the rest of a change cannot hold any. */
function withoutHalves(change: Plan['change']): Plan['change'] {
  const { ref, targetRef, title, author } = change;
  return {
    ...change,
    ref: ref.toWellFormed(),
    targetRef: targetRef?.toWellFormed() ?? null,
    title: title.toWellFormed(),
    author: author.toWellFormed(),
  };
}
