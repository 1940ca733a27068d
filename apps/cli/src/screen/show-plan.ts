import { fullNameOf, type Explanation, type ExplanationLink, type Plan, type WhyAnswer } from '@delta-ci/contracts';
import type { Surroundings } from '../surroundings.ts';
import { safeLine, safeText } from './safe-text.ts';
import { table } from './table.ts';
import { plural } from './words.ts';

type Screen = Pick<Surroundings, 'paint' | 'columns'>;

/** Jobs of a plan: those that run, those that do not, and why. */
export function planText(screen: Screen, plan: Plan): string {
  const { paint } = screen;
  const rows = [
    ...plan.jobs.map(({ key, explanation }) => [key, { text: 'runs', paint: paint.green }, explanation.sentence]),
    ...plan.skipped.map(({ key, explanation }) => [key, { text: 'skipped', paint: paint.dim }, explanation.sentence]),
  ];
  const notes = notesText(plan);
  return `${safeText(plan.summary)}\n\n${table(screen, ['JOB', '', 'WHY'], rows)}${notes === '' ? '' : `\n${notes}`}`;
}

/**
 * One answer to why: the sentence, and the chain it stands for.
 * @param namesakes what else goes by that name
 */
export function whyText(
  { paint }: Screen,
  { subject, explanation }: WhyAnswer,
  namesakes: readonly WhyAnswer['subject'][] = [],
): string {
  const runs = explanation.decision === 'run';
  const decision = runs ? paint.green(subject.kind === 'job' ? 'runs' : 'affected') : paint.dim(notText(subject.kind));
  const head = `${paint.bold(safeLine(subject.id))} (${subject.kind}): ${decision}`;
  const others = namesakes.map((each) => safeLine(fullNameOf(each))).join(' and ');
  const further = others === '' ? '' : `\nThere is also ${others}: ask for it by that name.\n`;
  return `${head}\n${safeText(explanation.sentence)}\n\n${chainText(explanation)}${further}`;
}

const notText = (kind: WhyAnswer['subject']['kind']): string => (kind === 'job' ? 'skipped' : 'not affected');

/** Longer chains are for `--json`. */
const LINKS_SHOWN = 30;

function chainText({ chain }: Explanation): string {
  const lines = chain
    .slice(0, LINKS_SHOWN)
    .map((link) => `  ${LINK_NAMES[link.kind].padEnd(11)} ${safeLine(linkText(link))}\n`);
  const rest = chain.length - lines.length;
  return lines.join('') + (rest > 0 ? `  and ${plural(rest, 'more link')}: see --json\n` : '');
}

const LINK_NAMES: Record<ExplanationLink['kind'], string> = {
  change: 'change',
  file: 'file',
  rule: 'rule',
  unit: 'unit',
  dependency: 'depends on',
  'job-rule': 'job',
  policy: 'policy',
};

function linkText(link: ExplanationLink): string {
  switch (link.kind) {
    case 'change':
      return link.detail;
    case 'file':
      return `${link.path} (${link.status})`;
    case 'rule':
    case 'job-rule':
      return `${link.rule}: ${link.detail}`;
    case 'unit':
      return link.unit;
    case 'dependency':
      return `${link.from} -> ${link.to} (${link.dependencyKind})`;
    case 'policy':
      return `${link.policy}: ${link.detail}`;
  }
}

/** What the planner has to say besides its jobs, a line each: which versions are asked for, what could not be read. */
export function notesText({ notes }: Plan): string {
  return notes.map(({ severity, message }) => `${severity}: ${safeLine(message)}\n`).join('');
}
