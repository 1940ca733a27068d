import { createHash } from 'node:crypto';
import { canonicalJson, type Plan } from '@delta-ci/contracts';
import type { PlanningResult } from '@delta-ci/planning';
import type { CountedJob, Durations } from './durations.ts';

/** What is told of one plan in a history: enough for every line that is printed, at a hundredth of the plan's size. */
export type PlanOutline =
  | {
      readonly ok: true;
      readonly digest: string;
      /** Keys of jobs that run. */
      readonly run: readonly string[];
      /** How many jobs there are. */
      readonly total: number;
      readonly savedMs: number;
      readonly totalMs: number;
      /** How many files each rule decided about, and how many jobs ran because of it. */
      readonly files: Counts;
      readonly jobs: Counts;
    }
  | { readonly ok: false; readonly code: string; readonly message: string };

export type Counts = readonly (readonly [rule: string, count: number])[];

type Outcome = PlanningResult | { readonly ok: false; readonly code: 'planning_broke'; readonly message: string };

/** @param durations of jobs, to add up what was saved */
export function outlineOf(result: Outcome, durations: Durations): PlanOutline {
  if (!result.ok) return { ok: false, code: result.code, message: result.message };
  const { jobs, skipped, files } = result.plan;
  const savedMs = sumOf(skipped, durations);
  return {
    ok: true,
    digest: digestOf(result.plan),
    run: jobs.map(({ key }) => key),
    total: jobs.length + skipped.length,
    savedMs,
    totalMs: savedMs + sumOf(jobs, durations),
    files: countOf(files.map(({ rule }) => rule)),
    jobs: countOf(jobs.flatMap(({ explanation }) => ruleIn(explanation) ?? [])),
  };
}

/** What was written down as JSON; null for anything else. */
export function outlineFrom(value: unknown): PlanOutline | null {
  return isOutline(value) ? value : null;
}

function isOutline(value: unknown): value is PlanOutline {
  if (typeof value !== 'object' || value === null) return false;
  const told: Partial<Record<string, unknown>> = { ...value };
  if (told['ok'] === false) return typeof told['code'] === 'string' && typeof told['message'] === 'string';
  const numbers = ['total', 'savedMs', 'totalMs'].map((name) => told[name]);
  return (
    told['ok'] === true &&
    typeof told['digest'] === 'string' &&
    areTexts(told['run']) &&
    numbers.every((each) => Number.isFinite(each)) &&
    areCounts(told['files']) &&
    areCounts(told['jobs'])
  );
}

const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every((each) => typeof each === 'string');

const areCounts = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every(
    (each) => Array.isArray(each) && each.length === 2 && typeof each[0] === 'string' && Number.isSafeInteger(each[1]),
  );

function digestOf(plan: Plan): string {
  return `sha256:${createHash('sha256').update(canonicalJson(plan)).digest('hex')}`;
}

function sumOf(jobs: readonly CountedJob[], { msOf }: Durations): number {
  return jobs.reduce((sum, job) => sum + msOf(job), 0);
}

function countOf(names: readonly string[]): Counts {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts];
}

function ruleIn({ chain }: Plan['jobs'][number]['explanation']): string | null {
  const link = chain.find(({ kind }) => kind === 'rule');
  return link?.kind === 'rule' ? link.rule : null;
}
