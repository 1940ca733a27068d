import type { Outcome, Requirements, Verdict } from './requirement.ts';

const MARKS: Readonly<Record<Outcome, string>> = { passed: 'pass', failed: 'FAIL', skipped: 'skip' };

/** The requirements as a list for people, by section. */
export function requirementsText(requirements: Requirements): string {
  return bySection(
    Object.entries(requirements).map(([id, requirement]) => ({ id, ...requirement })),
    ({ id, text }) => [`  ${id}\n      ${text}`],
  );
}

/** Verdicts as a list for people, by section, with the exchange that shows a failure; the count stands at the end. */
export function verdictsText(verdicts: readonly Verdict[]): string {
  const count = (outcome: Outcome): number => verdicts.filter((verdict) => verdict.outcome === outcome).length;
  const sum = `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped\n`;
  return `${bySection(verdicts, linesOf)}\n${sum}`;
}

function linesOf({ id, text, outcome, expected, seen, scene, exchange }: Verdict): readonly string[] {
  const head = `  ${MARKS[outcome]}  ${id.padEnd(22)} ${text}`;
  if (outcome === 'passed') return [head];
  if (outcome === 'skipped') return [head, `        because   ${indented(seen)}`];
  return [
    head,
    `        in        ${scene}`,
    `        expected  ${indented(expected)}`,
    `        seen      ${indented(seen)}`,
    ...(exchange.length === 0 ? [] : ['        exchange']),
    ...exchange.map((line) => `          ${line.replaceAll('\n', '\n          ')}`),
  ];
}

const indented = (text: string): string => text.replaceAll('\n', '\n                  ');

function bySection<Entry extends { readonly section: string }>(
  entries: readonly Entry[],
  lines: (entry: Entry) => readonly string[],
): string {
  const sections = [...new Set(entries.map(({ section }) => section))];
  return sections
    .map((section) => [section, ...entries.filter((entry) => entry.section === section).flatMap(lines)].join('\n'))
    .map((text) => `${text}\n`)
    .join('\n');
}
