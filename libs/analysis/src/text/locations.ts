import { linearPattern } from './linear-pattern.ts';
import type { LogLine } from './log-lines.ts';

/** A place in the repository. `line` is 1-based. */
export interface Location {
  readonly path: string;
  readonly line: number | null;
}

/** Where steps see the repository: this directory itself, or below the runner's own when there is no sandbox. */
const WORKSPACE = '/workspace/';
/** Folders of dependencies, and of git itself. */
const NOT_OF_THE_REPOSITORY = ['node_modules', 'site-packages', '.git'];
const PATH_CHARS_MAX = 4_096;
const LINE_MAX = 10_000_000;

const STACK_PLACE = linearPattern(
  '(?:file://)?(?P<path>/[^\\s():\'"]+|[A-Za-z0-9_.@-]+(?:/[^\\s():\'"]+)*\\.[A-Za-z0-9]+)[:(](?P<line>[0-9]{1,8})(?:[:,][0-9]{1,8})?',
);

/** The first place named in a line that is inside the repository and no dependency; null when there is none. */
export function locationIn(text: string, within: string): Location | null {
  const found = STACK_PLACE.find(text);
  if (found?.['path'] === undefined) return null;
  return locationOf(found['path'], found['line'], within);
}

/**
 * A place as a tool names it, relative to the root of the repository.
 * @param within the repository-relative directory the step worked in (`''` for the root): relative paths start there.
 */
export function locationOf(named: string, line: string | undefined, within: string): Location | null {
  const path = repositoryPath(named, within);
  if (path === null) return null;
  const number = line === undefined ? 0 : Number(line);
  return { path, line: Number.isSafeInteger(number) && number >= 1 && number <= LINE_MAX ? number : null };
}

/** A repository-relative path, or null for one outside the repository or inside a dependency. */
export function repositoryPath(named: string, within: string): string | null {
  const plain = named.startsWith('file://') ? named.slice('file://'.length) : named;
  if (plain.length === 0 || plain.length > PATH_CHARS_MAX) return null;
  const root = plain.startsWith('/') ? plain.indexOf(WORKSPACE) : -1;
  const relative = root === -1 ? joined(within, plain) : plain.slice(root + WORKSPACE.length);
  if (relative === null) return null;
  const parts: string[] = [];
  for (const part of relative.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  if (parts.length === 0 || NOT_OF_THE_REPOSITORY.some((name) => parts.includes(name))) return null;
  return parts.join('/');
}

function joined(within: string, path: string): string | null {
  if (path.startsWith('/') || path.includes('://') || path.startsWith('node:')) return null;
  return within === '' ? path : `${within}/${path}`;
}

const PACKAGE_DIRECTORY = linearPattern('^npm (?:error|ERR!) (?:path|location) (?P<path>/.+)$');
const PACKAGE_BY_LOCATION = linearPattern('at location: (?P<path>/.+)$');

/** The directory, relative to the repository, that the failing script of a workspace ran in; `''` when unknown. */
export function packageDirectory(lines: readonly LogLine[]): string {
  for (const { text } of lines) {
    if (!text.includes(WORKSPACE)) continue;
    const path = PACKAGE_DIRECTORY.find(text)?.['path'] ?? PACKAGE_BY_LOCATION.find(text)?.['path'];
    const directory = path === undefined ? null : repositoryPath(path, '');
    if (directory !== null) return directory;
  }
  return '';
}
