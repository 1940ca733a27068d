import { linkTo, type Files } from '../../planned-repository.fixture.ts';

/** `-- path --`, or `-- path -> target --` for a symbolic link. */
const HEADING = /^-- (?<path>.+?)(?: -> (?<target>.+))? --$/u;

/** The files of a tree that is written as one text. What stands above the first heading is a remark for people. */
export function filesOfTree(text: string): Files {
  const files: Record<string, string> = {};
  let path: string | undefined;
  for (const line of text.replace(/\n$/u, '').split('\n')) {
    const heading = HEADING.exec(line)?.groups;
    if (heading !== undefined) {
      path = heading['path'] ?? '';
      files[path] = heading['target'] === undefined ? '' : linkTo(heading['target']);
    } else if (path !== undefined) files[path] += `${line}\n`;
  }
  return files;
}
