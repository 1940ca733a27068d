import { load } from 'js-yaml';
import { asRecord, asText, memberOf, type ParsedRecord } from '../parsed-values.ts';
import { TASK_CHARS_MAX, tasksOf, type TaskFile, type WrittenTask } from './task.ts';

/** Tasks of a `Taskfile.yml` that can be run by people; null for what is none. */
export function readTaskfile(text: string): TaskFile | null {
  const tasks = asRecord(memberOf(parseYaml(text), 'tasks'));
  if (tasks === null) return null;
  const written = new Map<string, WrittenTask[]>();
  for (const [name, task] of Object.entries(tasks)) {
    if (memberOf(task, 'internal') === true || memberOf(task, 'requires') !== undefined) continue;
    const needs = [...namesIn(memberOf(task, 'deps')), ...namesIn(memberOf(task, 'cmds'))];
    written.set(name, [{ text: commandsOf(task).join('\n'), needs }]);
  }
  const found = tasksOf(written).map((task) => {
    const said = Object.hasOwn(tasks, task.name) ? tasks[task.name] : null;
    const folder = asText(memberOf(said, 'dir')) ?? '.';
    const listed = (member: string): string[] => textsIn(memberOf(said, member)).map((glob) => within(folder, glob));
    return { ...task, sources: listed('sources'), outputs: listed('generates') };
  });
  // As it is written: what is put together of aliases could be much more than that.
  return { tasks: found, meaning: text };
}

/** Few are needed, and each may stand for much. */
const ALIASES_MAX = 100;

function parseYaml(text: string): ParsedRecord | null {
  try {
    return text.length > TASK_CHARS_MAX ? null : asRecord(load(text, { maxAliases: ALIASES_MAX }));
  } catch {
    // The parser throws errors of several kinds: for what is not YAML, and for what nests too deeply.
    return null;
  }
}

function commandsOf(task: unknown): string[] {
  if (typeof task === 'string') return [task];
  const listed = Array.isArray(task) ? task : memberOf(task, 'cmds');
  const lines: unknown[] = Array.isArray(listed) ? listed : [memberOf(task, 'cmd')];
  const folder = asText(memberOf(task, 'dir'));
  return [
    ...(folder === null ? [] : [`cd ${folder}`]),
    ...lines.flatMap((line) => asText(line) ?? asText(memberOf(line, 'cmd')) ?? []),
  ];
}

function namesIn(listed: unknown): string[] {
  const each: unknown[] = Array.isArray(listed) ? listed : [];
  return each.flatMap((one) => asText(memberOf(one, 'task')) ?? asText(one) ?? []);
}

function textsIn(listed: unknown): string[] {
  const each: unknown[] = Array.isArray(listed) ? listed : [];
  return each.flatMap((one) => asText(one) ?? []);
}

function within(folder: string, glob: string): string {
  return folder === '.' ? glob : `${folder}/${glob}`;
}
