import { generatedFrom } from '../../generate/generator.ts';
import { code, table } from '../../generate/markdown.ts';
import { number, words, type Figure } from './figure.ts';
import { judge, type Judged } from './goals.ts';
import { figuresOf, fileNameOf, type Measured, type Recorded } from './history.ts';
import { beside, machineLine } from './table.ts';

/** Runs shown side by side: more columns than that are not read. */
const COLUMNS = 5;

const INTRODUCTION = `# Benchmarks

What Delta CI does on real servers, as \`npm run bench -- --record\` found it. Every file beside this page is one run: the
commit, the machine, how loaded it was before each measure, and the figures. Each figure stands beside its raw limit, the
least that anybody would have to do for the same result, measured in the same run: the share of it says more than the
figure, which differs from machine to machine. \`npm run bench -- --list\` says what each measure is about; nothing in the
tests asserts a time.

`;

/** The page that reads the history: goals, the newest figures of each measure, and what each figure was before. */
export function historyPage(runs: readonly Recorded[]): string {
  const head = generatedFrom('the recorded runs in this folder') + INTRODUCTION;
  if (runs.length === 0) return `${head}Nothing has been recorded yet.\n`;
  const newest = newestOfEach(runs);
  const judged = judge(newest.flatMap(({ measured }) => measured.figures));
  return head + whereFrom(newest) + goals(judged) + figures(newest) + before(runs);
}

/** What a measure found, and the run that it is part of. */
interface Found {
  readonly measured: Measured;
  readonly run: Recorded;
}

/** Of each measure what the newest run that has it found: measures are taken in several goes, not all for each commit. */
function newestOfEach(runs: readonly Recorded[]): Found[] {
  const found = new Map<string, Found>();
  for (const run of runs) for (const measured of run.measured) found.set(measured.measure, { measured, run });
  return [...found.values()];
}

function whereFrom(newest: readonly Found[]): string {
  const runs = [...new Set(newest.map(({ run }) => run))].map((run) => {
    const changed = run.changed ? ', with changes that were not committed' : '';
    return `- ${linkTo(run)}, commit ${code(run.commit.slice(0, 12))}${changed}. ${machineLine(run.machine)}.\n`;
  });
  return `## The newest figures\n\nOf each measure, the newest run that has it:\n\n${runs.join('')}\n`;
}

const nameOf = (run: Recorded): string => fileNameOf(run).slice(0, -'.json'.length);
const linkTo = (run: Recorded): string => `[${nameOf(run)}](${fileNameOf(run)})`;

function goals(judged: readonly Judged[]): string {
  const rows = judged.map(({ goal, verdict, wanted, found }) => [code(goal.figure), wanted, found, verdict, goal.why]);
  return `### Goals\n\n${table(['figure', 'goal', 'found', 'verdict', 'because'], rows)}`;
}

function figures(newest: readonly Found[]): string {
  const rows = newest.flatMap(({ measured, run }) =>
    measured.figures.map((figure, at) => [
      code(figure.name),
      words(figure),
      beside(figure),
      figure.note ?? '',
      ...(at === 0 ? [number(measured.loadBefore), linkTo(run)] : ['', '']),
    ]),
  );
  return `### Figures\n\n${table(['figure', 'value', 'of its raw limit', 'how', 'load before', 'run'], rows)}`;
}

/** Figures in the order of the newest run that has them; older runs to the right. */
function before(runs: readonly Recorded[]): string {
  const shown = runs.slice(-COLUMNS).toReversed();
  if (shown.length < 2) return '';
  const byName = shown.map((run) => new Map(figuresOf(run).map((figure) => [figure.name, figure])));
  const names = [...new Set(byName.flatMap((run) => [...run.keys()]))];
  const cell = (figure: Figure | undefined): string => (figure === undefined ? '' : words(figure));
  const rows = names.map((name) => [code(name), ...byName.map((run) => cell(run.get(name)))]);
  return `## Before\n\n${table(['figure', ...shown.map(linkTo)], rows)}`;
}
