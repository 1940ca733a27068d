import { tasksOf, type TaskFile, type WrittenTask } from './task.ts';

/** Recipes that can be run without arguments. */
export function readJustfile(text: string): TaskFile {
  const recipes = new Map<string, WrittenTask[]>();
  let open: WrittenTask | null = null;
  for (const line of text.replaceAll('\r', '').split('\n')) {
    if (/^\s*(?:#(?!!)|$)/u.test(line)) continue;
    if (/^[ \t]/u.test(line)) {
      if (open !== null) open.text += `\n${line.trim()}`;
      continue;
    }
    const head = /^@?(?<name>[A-Za-z_][\w-]{0,59})(?<parameters>[^:]{0,500}):(?!=)(?<needs>.{0,5000})$/u.exec(
      line,
    )?.groups;
    open = head === undefined ? null : { text: '', needs: (head['needs'] ?? '').match(/[A-Za-z_][\w-]*/gu) ?? [] };
    const required = (head?.['parameters'] ?? '')
      .trim()
      .split(/\s+/u)
      .some((each) => each !== '' && !/[=*]/u.test(each));
    if (head !== undefined && open !== null && !required) recipes.set(head['name'] ?? '', [open]);
  }
  return { tasks: tasksOf(recipes), meaning: text };
}

/** Paths of files that it takes in, as they are written. */
export function includedByJustfile(text: string): string[] {
  const lines = text.matchAll(/^import\??[ \t]+["'](?<path>[^"'\n]{1,300})["']/gmu);
  return [...lines].flatMap(({ groups }) => groups?.['path'] ?? []);
}
