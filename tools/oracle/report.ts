import { REASONS } from './comparison/differences.ts';
import { countsOf, sumOf, type Tally } from './comparison/tally.ts';

/** What came of asking one oracle about one repository. */
export interface Asked {
  readonly oracle: string;
  /** Null when it could not be asked at all. */
  readonly tally: Tally | null;
  /** Why it could not be asked; null when it was. */
  readonly skipped: string | null;
}

/** Everything one call found out. */
export interface OracleReport {
  readonly repository: string;
  readonly head: string;
  readonly asked: readonly Asked[];
}

/** 0: whatever the tools say is explained; 1: something is not; 3: nothing could be compared, so nothing is known. */
export function exitCodeOf({ asked }: OracleReport): 0 | 1 | 3 {
  const tallies = asked.flatMap(({ tally }) => tally ?? []);
  if (tallies.some(({ unexplained }) => unexplained > 0)) return 1;
  return tallies.some(({ compared }) => compared > 0) ? 0 : 3;
}

/** The report for people, each oracle a paragraph. */
export function reportText({ repository, head, asked }: OracleReport): string {
  const parts = asked.map((each) => paragraphOf(each).join('\n'));
  return `${[`${repository} up to ${head.slice(0, 12)}`, ...parts].join('\n\n')}\n`;
}

function paragraphOf({ oracle, tally, skipped }: Asked): string[] {
  if (tally === null) return [`${oracle}: not asked: ${skipped ?? 'for no reason'}`];
  const { compared, commits, left, listed, unknown, both, oursOnly, unexplained } = tally;
  const theirsOnly = countsOf(tally.theirsOnly);
  const [ours, theirs] = [both + sumOf(oursOnly), both + sumOf(theirsOnly) + unexplained];
  return [
    `${oracle}: ${compared} of ${commits} commits compared`,
    ...linesOf(left, '  left out, '),
    `  units, over all commits: ${listed} listed by both, ${theirs} affected by ${oracle}'s word, ${ours} in our plans${shareOf(ours, theirs)}`,
    ...(unknown === 0 ? [] : [`  further units that ${oracle} names and can say nothing about: ${unknown}`]),
    `  affected by both: ${both}`,
    `  ours only: ${sumOf(oursOnly)}`,
    ...linesOf(oursOnly, '    by '),
    `  theirs only, explained: ${sumOf(theirsOnly)}`,
    ...mostFirst(theirsOnly).map(([name, count]) => `    ${name}: ${count}${exampleOf(tally, name)}`),
    `  theirs only, unexplained: ${unexplained}`,
    ...firstOf(tally),
  ];
}

function exampleOf({ theirsOnly }: Tally, reason: string): string {
  const first = theirsOnly[reason]?.first;
  return first === undefined ? '' : ` (first ${first.unit} in ${first.commit.slice(0, 12)})`;
}

function firstOf({ firstUnexplained: first }: Tally): string[] {
  if (first === null) return [];
  return [`    first: ${first.unit} in ${first.commit.slice(0, 12)} (${first.subject}): ${first.words}`];
}

function linesOf(counts: Readonly<Record<string, number>>, indent: string): string[] {
  return mostFirst(counts).map(([name, count]) => `${indent}${name}: ${count}`);
}

const mostFirst = (counts: Readonly<Record<string, number>>): [string, number][] =>
  Object.entries(counts).sort(([one, first], [other, second]) => second - first || (one < other ? -1 : 1));

const shareOf = (ours: number, theirs: number): string =>
  theirs === 0 ? '' : ` (${(ours / theirs).toFixed(2)} of it)`;

/** The report as a page in Markdown: one table, and what the reasons in it mean. */
export function reportPage(report: OracleReport): string {
  const rows = report.asked.flatMap(({ oracle, tally }) => (tally === null ? [] : [rowOf(oracle, tally)]));
  const skipped = report.asked.flatMap(({ oracle, skipped: why }) => (why === null ? [] : [`- ${oracle}: ${why}`]));
  const names = report.asked.flatMap(({ tally }) => Object.keys(tally?.theirsOnly ?? {}));
  const used = Object.entries(REASONS).filter(([name]) => names.some((joined) => joined.split(' and ').includes(name)));
  return [
    `# ${report.repository} up to ${report.head.slice(0, 12)}`,
    '',
    '| oracle | commits | listed | theirs | ours | both | ours only, by rule | theirs only, by reason | unexplained |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    ...(skipped.length === 0 ? [] : ['', 'Not asked:', '', ...skipped]),
    ...(used.length === 0 ? [] : ['', ...used.map(([name, words]) => `- **${name}**: ${words}`)]),
    '',
  ].join('\n');
}

function rowOf(oracle: string, tally: Tally): string {
  const { compared, commits, listed, both, oursOnly, unexplained } = tally;
  const theirsOnly = countsOf(tally.theirsOnly);
  const cells = [
    oracle,
    `${compared} of ${commits}`,
    listed,
    both + sumOf(theirsOnly) + unexplained,
    both + sumOf(oursOnly),
    both,
    cellOf(oursOnly),
    cellOf(theirsOnly),
    unexplained,
  ];
  return `| ${cells.join(' | ')} |`;
}

const cellOf = (counts: Readonly<Record<string, number>>): string =>
  mostFirst(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ') || '0';
