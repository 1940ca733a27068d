import { readFileSync, readdirSync } from 'node:fs';

/** The files of a folder whose names end so, as pairs of the rest of the name and the text, ordered by name. */
export function textsIn(folder: URL, ending: string): (readonly [name: string, text: string])[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(ending));
  return files.sort().map((file) => [file.slice(0, -ending.length), readFileSync(new URL(file, folder), 'utf8')]);
}
