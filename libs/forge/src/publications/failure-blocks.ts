import type { CitedEvidence, FailureExplanation, JobView } from '@delta-ci/contracts';
import type { Annotation } from './publication.ts';
import { code, fenced, plainLine, plainLines, prose } from './harmless-text.ts';

/** More failed tests are counted, not listed: the first ones are where reading starts. */
const TESTS_SHOWN_MAX = 20;
/** Lines of a log around a failure; the whole log is a link away. */
const EVIDENCE_CHARACTERS_MAX = 2_000;

/** The explanation of the last attempt that has one. */
export function explanationOf(job: JobView): FailureExplanation | null {
  return job.attempts.findLast(({ explanation }) => explanation !== null)?.explanation ?? null;
}

/** What failed, where, why and what to do next, as blocks; `heading` is the Markdown of the first. */
export function failureBlocks(job: JobView, heading: string): string[] {
  const explanation = explanationOf(job);
  if (explanation === null) return [heading, reasonOf(job)];
  const { headline, category, confidence, sentences, incomplete, nextStep } = explanation;
  const kind = `${prose(explanation.class)}, ${prose(category)}; confidence: ${confidence}`;
  return [
    heading,
    `**${prose(headline, 300)}** (${kind})`,
    ...placeBlock(explanation),
    ...sentences.flatMap(({ text, evidence }) => [prose(text), ...evidence.flatMap(evidenceBlocks)]),
    ...testBlocks(explanation),
    ...(nextStep === '' ? [] : [`**Next:** ${prose(nextStep)}`]),
    ...(incomplete.length === 0 ? [] : [`Incomplete: ${incomplete.map((what) => prose(what, 500)).join('; ')}`]),
  ];
}

function reasonOf(job: JobView): string {
  const reason = job.reason || job.attempts.at(-1)?.reason || 'no reason was given';
  return `Why: ${prose(reason)}. There is no further explanation (yet).`;
}

function placeBlock({ location }: FailureExplanation): string[] {
  return location === null ? [] : [`At ${code(placeOf(location.path, location.line), 500)}`];
}

const placeOf = (path: string, line: number | null): string => (line === null ? path : `${path}:${line}`);

function evidenceBlocks({ kind, lines, text }: CitedEvidence): string[] {
  if (kind !== 'log') return [`Evidence (${kind}): ${code(text, 500)}`];
  const where = lines === null ? 'Log' : `Log, lines ${lines.from}–${lines.to}`;
  return [`${where}:\n\n${fenced(text, EVIDENCE_CHARACTERS_MAX)}`];
}

function testBlocks({ failedTests }: FailureExplanation): string[] {
  if (failedTests.length === 0) return [];
  const shown = failedTests.slice(0, TESTS_SHOWN_MAX).map(({ suite, name, message, path, line }) => {
    const test = code(suite === '' ? name : `${suite} › ${name}`, 300);
    const place = path === null ? '' : ` at ${code(placeOf(path, line), 300)}`;
    return `- ${test}${place}${message === '' ? '' : `: ${code(message, 300)}`}`;
  });
  const more = failedTests.length - shown.length;
  return [`Failed tests:`, [...shown, ...(more > 0 ? [`- and ${more} more`] : [])].join('\n')];
}

/** One remark per failed test with a place, or one at the place of the failure. */
export function annotationsOf(job: JobView): Annotation[] {
  const explanation = explanationOf(job);
  if (explanation === null || job.outcome === 'succeeded') return [];
  const level = job.required ? 'failure' : 'warning';
  const tests = explanation.failedTests.flatMap(({ name, message, path, line }) =>
    annotation(path, line, level, name, message || explanation.headline),
  );
  if (tests.length > 0) return tests;
  const { location, headline, sentences } = explanation;
  const message = sentences.map(({ text }) => text).join('\n') || headline;
  return location === null ? [] : annotation(location.path, location.line, level, headline, message);
}

/** GitHub takes paths of the repository and lines from 1; what lies elsewhere stays in the summary. */
function annotation(
  path: string | null,
  line: number | null,
  level: Annotation['level'],
  title: string,
  message: string,
): Annotation[] {
  const place = path === null ? '' : plainLine(path, 4_096).replace(/^(?:\.\/)+/, '');
  const outside =
    place === '' ||
    place !== path?.replace(/^(?:\.\/)+/, '') ||
    /^(?:[/\\~]|[A-Za-z]:)|(?:^|\/)\.\.(?:\/|$)/.test(place);
  if (outside) return [];
  return [
    {
      path: place,
      line: line ?? 1,
      level,
      title: plainLine(title, 255) || 'failed',
      message: plainLines(message, 4_000).trim() || 'failed',
    },
  ];
}
