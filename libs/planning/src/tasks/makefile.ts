import { TASK_CHARS_MAX, tasksOf, type TaskFile, type WrittenTask } from './task.ts';

/** Targets with names that are written out. Variables are not followed: a target that has one in its name is none of ours. */
export function readMakefile(text: string): TaskFile {
  const rules = new Map<string, WrittenTask>();
  const kept: string[] = [];
  let open: string[] = [];
  for (const line of joinedLines(text)) {
    if (line.startsWith('\t')) {
      for (const name of open) appendTo(rules, name, line.trim());
      kept.push(line);
      continue;
    }
    const code = line.replace(/(?:^|[^\\])#.*$/u, '').trimEnd();
    if (code.trim() === '') continue;
    kept.push(code);
    const rule = /^(?<targets>[^:=\t$]{1,2000}):(?![:=])(?<needs>[^=]{0,20000})$/u.exec(code)?.groups;
    if (rule === undefined) continue;
    open = (rule['targets'] ?? '')
      .trim()
      .split(/\s+/u)
      .filter((name) => /^[\w-]{1,60}$/u.test(name));
    const [needs = '', recipe = ''] = (rule['needs'] ?? '').split(';', 2);
    for (const name of open) {
      appendTo(rules, name, recipe.trim());
      rules.get(name)?.needs.push(...needs.split(/\s+/u));
    }
  }
  return { tasks: tasksOf(rules), meaning: kept.join('\n') };
}

function joinedLines(text: string): string[] {
  return text.slice(0, TASK_CHARS_MAX).replaceAll('\r', '').replaceAll('\\\n', ' ').split('\n');
}

function appendTo(rules: Map<string, WrittenTask>, name: string, line: string): void {
  const known = rules.get(name);
  if (known === undefined) rules.set(name, { text: line, needs: [] });
  else known.text += `\n${line}`;
}

/** Paths of files that it takes in, as they are written; those with variables are left out. */
export function includedByMakefile(text: string): string[] {
  const lines = text.slice(0, TASK_CHARS_MAX).matchAll(/^-?s?include[ \t]+(?<paths>[^\n#]{1,2000})/gmu);
  return [...lines]
    .flatMap(({ groups }) => (groups?.['paths'] ?? '').trim().split(/\s+/u))
    .filter((path) => !path.includes('$'));
}
