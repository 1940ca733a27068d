import { explainSubject, fullNameOf, type Explanation, type Plan, type WhyAnswer } from '@delta-ci/contracts';

/** What can be asked about a plan, by what the plan says of it. */
export const ASKED = ['jobs that run', 'jobs that do not', 'units', 'changed files'] as const;
export type Asked = (typeof ASKED)[number];

/** One question that `delta why` or `delta why-not` would be asked about a plan. */
export interface Question {
  readonly about: Asked;
  readonly subject: WhyAnswer['subject'];
  readonly decision: Explanation['decision'];
}

/** Every question that a plan has to have an answer to: about each job, unit and changed file of it. */
export function questionsOf({ jobs, skipped, units, files }: Plan): Question[] {
  return [
    ...jobs.map(({ key }) => questionAbout('jobs that run', 'job', key, true)),
    ...skipped.map(({ key }) => questionAbout('jobs that do not', 'job', key, false)),
    ...units.map(({ id, affected }) => questionAbout('units', 'unit', id, affected)),
    ...files.map(({ path, reaches }) => questionAbout('changed files', 'file', path, reaches.length > 0)),
  ];
}

function questionAbout(about: Asked, kind: WhyAnswer['subject']['kind'], id: string, runs: boolean): Question {
  return { about, subject: { kind, id }, decision: runs ? 'run' : 'skip' };
}

/** `byFullName`: something else of the plan goes by that name, and is what its answer is about. */
export type Reply =
  | { readonly ok: true; readonly sentence: string; readonly byFullName: boolean }
  | { readonly ok: false; readonly reason: string };

/**
 * What the answer to a question says, asked as people ask. It is none when it is about something else, says the opposite of
 * what the plan does, has no words, or does not lead from what changed over a rule to the decision.
 */
export function replyTo(plan: Plan, question: Question): Reply {
  const { subject } = question;
  const plain = explainSubject(plan, subject.id);
  const byFullName = plain !== null && !isAbout(plain, subject);
  const answer = byFullName ? explainSubject(plan, fullNameOf(subject)) : plain;
  const reason = problemWith(answer, question);
  if (answer === null || reason !== null) return { ok: false, reason: reason ?? NO_ANSWER };
  return { ok: true, sentence: answer.explanation.sentence, byFullName };
}

const NO_ANSWER = 'the plan knows nothing of it';

const isAbout = ({ subject: { kind, id } }: WhyAnswer, subject: WhyAnswer['subject']): boolean =>
  kind === subject.kind && id === subject.id;

function problemWith(answer: WhyAnswer | null, { subject, decision }: Question): string | null {
  if (answer === null) return NO_ANSWER;
  const { explanation } = answer;
  if (!isAbout(answer, subject)) return `the answer is about ${fullNameOf(answer.subject)}`;
  if (explanation.decision !== decision) return `it is "${decision}" in the plan, and the answer says the opposite`;
  if (explanation.sentence.trim() === '') return 'the answer has no words';
  const kinds = explanation.chain.map(({ kind }) => kind);
  if (!kinds.includes('change') && !kinds.includes('file')) return 'the chain says nothing of what changed';
  return kinds.includes('rule') || kinds.includes('job-rule') ? null : 'the chain names no rule';
}
