import type { WhyAnswer } from './api.ts';
import type { Explanation, ExplanationLink, Plan, PlannedFile } from './plan.ts';

/** Why a job of the plan runs, or does not: by its key. Null when the plan has no such job. */
export function whyJob(plan: Plan, key: string): WhyAnswer | null {
  const job = plan.jobs.find((each) => each.key === key) ?? plan.skipped.find((each) => each.key === key);
  return job === undefined ? null : { subject: { kind: 'job', id: job.key }, explanation: job.explanation };
}

type Subject = WhyAnswer['subject'];

/**
 * Why something is in or out of a plan. `subject` is a job's key, a unit's id or root folder, or the path of a changed
 * file, looked for in that order; with `job:`, `unit:` or `file:` before it, it is looked for among these first. Null when the
 * plan knows none of that name (a file that did not change is not in a plan).
 */
export function explainSubject(plan: Plan, subject: string): WhyAnswer | null {
  for (const kind of KINDS) {
    const answer = subject.startsWith(`${kind}:`) ? LOOK_UP[kind](plan, subject.slice(kind.length + 1)) : null;
    if (answer !== null) return answer;
  }
  return whyJob(plan, subject) ?? whyUnit(plan, subject) ?? whyFile(plan, subject);
}

/** What else in the plan goes by the name that was asked for, and has to be asked for as `file:build`. */
export function namesakesOf(plan: Plan, { subject: { kind, id } }: WhyAnswer): Subject[] {
  return KINDS.flatMap((each) => {
    const other = each === kind ? null : LOOK_UP[each](plan, id);
    return other?.subject.id === id ? [other.subject] : [];
  });
}

/** The name by which exactly this is meant. */
export const fullNameOf = ({ kind, id }: Subject): string => `${kind}:${id}`;

const LOOK_UP: Readonly<Record<Subject['kind'], (plan: Plan, name: string) => WhyAnswer | null>> = {
  job: whyJob,
  unit: whyUnit,
  file: whyFile,
};

const KINDS = ['job', 'unit', 'file'] as const;

function whyUnit(plan: Plan, subject: string): WhyAnswer | null {
  const root = withoutDecoration(subject);
  const unit = plan.units.find((each) => each.id === subject) ?? plan.units.find((each) => each.root === root);
  return unit === undefined ? null : { subject: { kind: 'unit', id: unit.id }, explanation: unit.explanation };
}

function whyFile(plan: Plan, subject: string): WhyAnswer | null {
  const path = withoutDecoration(subject);
  const file = plan.files.find((each) => each.path === subject) ?? plan.files.find((each) => each.path === path);
  return file === undefined ? null : { subject: { kind: 'file', id: file.path }, explanation: explainFile(plan, file) };
}

/** `./packages/cart/` and `packages/cart` are the same folder to whoever asks. */
function withoutDecoration(subject: string): string {
  return subject.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '') || '.';
}

/** The most links an explanation may have, less the file and the rule. */
const REACHED_UNITS_MAX = 998;

function explainFile(plan: Plan, file: PlannedFile): Explanation {
  const reached = file.reaches.slice(0, REACHED_UNITS_MAX);
  const chain: ExplanationLink[] = [
    { kind: 'file', path: file.path, status: file.status },
    { kind: 'rule', rule: file.rule, detail: file.sentence },
    ...reached.map((id) => linkTo(plan, id)),
  ];
  const sentence = file.sentence || `${file.path} was ${file.status}.`;
  return { decision: file.reaches.length > 0 ? 'run' : 'skip', chain, sentence };
}

/** A unit, or a job of a config file that stands in for one. */
function linkTo(plan: Plan, id: string): ExplanationLink {
  const isUnit = plan.units.some((unit) => unit.id === id);
  return isUnit || plan.source.kind !== 'config'
    ? { kind: 'unit', unit: id }
    : { kind: 'job-rule', rule: 'configured job', detail: id };
}
