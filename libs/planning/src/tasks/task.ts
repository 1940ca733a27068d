/** A task of a task file, by its name: what people would type after `make`, `just` or `task`. */
export interface Task {
  readonly name: string;
  /** What it runs, with what it runs first, as text to look for names in. */
  readonly text: string;
  /** Files it says that it reads and leaves, as globs from the folder it runs in; empty where it says nothing. */
  readonly sources: readonly string[];
  readonly outputs: readonly string[];
}

/** A task file, read with those that it takes in. */
export interface TaskFile {
  readonly tasks: readonly Task[];
  /** All of it as it is written: what looks like a comment may be a line of a script. */
  readonly meaning: string;
}

/** What is read of one task file with all that it takes in. */
export const TASK_CHARS_MAX = 1_024 ** 2;

/** A piece of a task as it is written, perhaps of several: its own lines, and the names of tasks that run first. */
export interface WrittenTask {
  text: string;
  readonly needs: string[];
}

/** Tasks whose names are known everywhere, with the lines of all that they run first, each once. */
export function tasksOf(written: ReadonlyMap<string, readonly WrittenTask[]>): Task[] {
  const named = TASK_NAMES.filter((name) => written.has(name));
  return named.map((name) => ({ name, text: textWithNeeds(name, written), sources: [], outputs: [] }));
}

function textWithNeeds(name: string, written: ReadonlyMap<string, readonly WrittenTask[]>): string {
  const seen = new Set([name]);
  let text = '';
  // A set is iterated in order of insertion, and what is added on the way is visited too.
  for (const each of seen) {
    for (const piece of written.get(each) ?? []) {
      if (text.length > TEXT_MAX || seen.size > NEEDS_MAX) return text.slice(0, TEXT_MAX);
      text += `${piece.text}\n`;
      for (const need of piece.needs) seen.add(need);
    }
  }
  return text.slice(0, TEXT_MAX);
}

/** Of what a task runs, enough to find names in. */
const TEXT_MAX = 20_000;
const NEEDS_MAX = 200;

/** Names of tasks that stand for a kind of job everywhere. */
export const TASK_NAMES = ['build', 'check', 'lint', 'test', 'tests', 'typecheck', 'type-check'];
