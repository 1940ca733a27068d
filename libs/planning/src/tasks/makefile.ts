import { tasksOf, type TaskFile, type WrittenTask } from './task.ts';

/** Targets with names that are written out. Variables are not followed: a target that has one in its name is none of ours. */
export function readMakefile(text: string): TaskFile {
  const rules = new Map<string, WrittenTask[]>();
  // One for all targets of a rule, so that a line of a recipe costs the same for however many it is written.
  let open: WrittenTask | null = null;
  for (const line of joinedLines(text)) {
    if (line.startsWith('\t')) {
      if (open !== null) open.text += `\n${line.trim()}`;
      continue;
    }
    const code = line.replace(/(?:^|[^\\])#.*$/su, '').trimEnd();
    const rule = /^(?<targets>[^:=\t$]{1,2000}):(?![:=])(?<needs>[^=]{0,20000})$/u.exec(code)?.groups;
    if (rule === undefined) continue;
    const [needs = '', recipe = ''] = (rule['needs'] ?? '').split(';', 2);
    open = { text: recipe.trim(), needs: needs.split(/\s+/u) };
    for (const name of new Set((rule['targets'] ?? '').trim().split(/\s+/u))) {
      if (/^[\w-]{1,60}$/u.test(name)) rules.set(name, withPiece(rules.get(name), open));
    }
  }
  return { tasks: tasksOf(rules), meaning: text };
}

function withPiece(known: WrittenTask[] | undefined, piece: WrittenTask): WrittenTask[] {
  known?.push(piece);
  return known ?? [piece];
}

function joinedLines(text: string): string[] {
  return text.replaceAll('\r', '').replaceAll('\\\n', ' ').split('\n');
}

/** Paths of files that it takes in, as they are written; those with variables are left out. */
export function includedByMakefile(text: string): string[] {
  const lines = joinedLines(text)
    .join('\n')
    .matchAll(/^ *-?s?include[ \t]+(?<paths>[^\n#]{1,2000})/gmu);
  return [...lines]
    .flatMap(({ groups }) => (groups?.['paths'] ?? '').trim().split(/\s+/u))
    .filter((path) => !path.includes('$'));
}
