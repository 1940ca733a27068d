import { readFileSync, readdirSync } from 'node:fs';

/** A process of this machine, as its system tells. */
export interface FoundProcess {
  pid: number;
  commandLine: string;
}

/** Processes whose command line or environment mentions `text`. Linux only, like the sandbox. */
export function processesThatMention(text: string): FoundProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      const commandLine = textOf(`/proc/${name}/cmdline`);
      const mentions = commandLine.includes(text) || textOf(`/proc/${name}/environ`).includes(text);
      return mentions ? [{ pid: Number(name), commandLine }] : [];
    });
}

/** Words apart by spaces; empty for a process that ended meanwhile. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
