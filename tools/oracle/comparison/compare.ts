import type { Plan } from '@delta-ci/contracts';
import { explainerOf, type Difference, type Sides } from './differences.ts';

/** One commit, as the plan and the tool see it. Units are roots; only what both list is counted, except `theirsOnly`. */
export interface Comparison {
  /** Units that both list. */
  readonly listed: number;
  readonly both: readonly string[];
  readonly oursOnly: readonly Extra[];
  readonly theirsOnly: readonly Difference[];
  /** Units that the tool can say nothing about. */
  readonly unknown: number;
}

/** A unit that only the plan calls affected, and the rule by which. */
export interface Extra {
  readonly unit: string;
  readonly rule: string;
}

/** Holds a plan against what a tool says of the same change. */
export function compare(sides: Sides): Comparison {
  const { plan, answer } = sides;
  const ours = Map.groupBy(plan.units, ({ root }) => root);
  const listed = new Set(answer.units.filter((root) => ours.has(root)));
  const affected = new Map(
    [...ours].flatMap(([root, units]) => units.filter((unit) => unit.affected).map((unit) => [root, unit] as const)),
  );
  const theirs = [...new Set(answer.affected)].sort();
  const explain = explainerOf(sides);
  return {
    listed: listed.size,
    both: theirs.filter((root) => affected.has(root)),
    oursOnly: [...affected]
      .filter(([root]) => listed.has(root) && !theirs.includes(root))
      .map(([unit, planned]) => ({ unit, rule: ruleIn(planned) })),
    theirsOnly: theirs.filter((root) => !affected.has(root)).map(explain),
    unknown: answer.unknown,
  };
}

function ruleIn({ explanation }: Plan['units'][number]): string {
  const link = explanation.chain.find(({ kind }) => kind === 'rule');
  return link?.kind === 'rule' ? link.rule : 'none';
}
