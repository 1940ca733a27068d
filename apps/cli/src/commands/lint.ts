import { resolve } from 'node:path';
import { CONFIG_FILE_NAMES } from '@delta-ci/contracts';
import { lintConfigFile, warningsOfConfigFile, type ConfigProblem } from '@delta-ci/planning';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { safeText } from '../screen/safe-text.ts';
import { plural } from '../screen/words.ts';
import { textOfFile } from '../text-file.ts';
import { printJson, type Surroundings } from '../surroundings.ts';

export interface LintOptions {
  readonly json?: boolean;
}

/** `delta lint`: whether a configuration file can be followed, every place where it cannot, and what will not do what is meant. */
export async function lint(
  surroundings: Surroundings,
  file: string | undefined,
  options: LintOptions,
): Promise<ExitCode> {
  const { name, text } = file === undefined ? await found(surroundings) : await named(surroundings, file);
  const problems = lintConfigFile(text, name);
  const warnings = warningsOfConfigFile(text, name);
  if (options.json === true) printJson(surroundings, { file: name, valid: problems.length === 0, problems, warnings });
  else if (problems.length > 0) surroundings.out(problemsText(surroundings, name, text, problems, 'problem'));
  else {
    const warned = warnings.length === 0 ? '' : `${problemsText(surroundings, name, text, warnings, 'warning')}\n`;
    surroundings.out(`${warned}${name}: no problems\n`);
  }
  return problems.length === 0 ? EXIT.succeeded : EXIT.usage;
}

interface Lintable {
  readonly name: string;
  readonly text: string;
}

async function named({ directory }: Surroundings, file: string): Promise<Lintable> {
  const text = await textOfFile(resolve(directory, file));
  if (text !== null) return { name: file, text };
  throw new Problem('file_not_found', `there is no file ${file}`);
}

async function found({ directory }: Surroundings): Promise<Lintable> {
  for (const name of CONFIG_FILE_NAMES) {
    const text = await textOfFile(resolve(directory, name));
    if (text !== null) return { name, text };
  }
  throw new Problem('file_not_found', `there is no ${CONFIG_FILE_NAMES.join(' or ')} here`, {
    next: 'none is needed: `delta plan` shows what is found without; or name a file: delta lint path/to/delta.yaml',
  });
}

function problemsText(
  { paint }: Surroundings,
  name: string,
  text: string,
  problems: readonly ConfigProblem[],
  kind: 'problem' | 'warning',
): string {
  const [word, colour] = kind === 'problem' ? (['error', paint.red] as const) : (['warning', paint.yellow] as const);
  const lines = text.split(/\r?\n/u);
  const shown = problems.map(({ line, column, message }) => {
    const head = `${paint.bold(`${safeText(name)}:${line}:${column}`)} ${colour(word)} ${safeText(message)}\n`;
    return head + caretText(lines[line - 1] ?? '', line, column, colour('^'));
  });
  return `${shown.join('\n')}\n${plural(problems.length, kind)}\n`;
}

/** Wider excerpts wrap, and the caret points nowhere. */
const EXCERPT_COLUMNS = 100;

function caretText(line: string, number: number, column: number, caret: string): string {
  const from = Math.max(0, column - EXCERPT_COLUMNS);
  const excerpt = safeText(line.slice(from, from + EXCERPT_COLUMNS * 2).replaceAll('\t', ' '));
  const before = safeText(line.slice(from, column - 1).replaceAll('\t', ' '));
  const gutter = `  ${number} | `;
  return `${gutter}${excerpt}\n${' '.repeat(gutter.length + before.length)}${caret}\n`;
}
