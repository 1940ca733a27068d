import { done, failed, type GitResult } from '../git-error.ts';
import { oneSafeLine } from '../text-for-people.ts';

/** What `.gitmodules` says of one submodule. Nothing else that it may say is ever looked at. */
export interface DeclaredSubmodule {
  readonly name: string;
  readonly path: string;
  readonly url: string;
}

const KEY = /^submodule\.(?<name>.*)\.(?<field>path|url)$/su;

/**
 * Reads what `git config --null --list` says of a `.gitmodules`: git's own reading of it, as data. Answers the submodules
 * by their paths. `invalid_submodule` for a name that leads out of where git keeps submodules, and for two at one path: who
 * wrote that wants it to be read in more than one way.
 */
export function declaredSubmodules(listed: Buffer): GitResult<ReadonlyMap<string, DeclaredSubmodule>> {
  const said = new Map<string, { path?: string; url?: string }>();
  for (const record of listed.toString('utf8').split('\0')) {
    const [key, value] = splitOnce(record, '\n');
    const { name, field } = KEY.exec(key)?.groups ?? {};
    if (name === undefined || value === undefined) continue;
    const known = said.get(name) ?? {};
    // Of a value that is given twice git takes the last.
    said.set(name, { ...known, [field === 'path' ? 'path' : 'url']: value });
  }
  const byPath = new Map<string, DeclaredSubmodule>();
  for (const [name, { path, url }] of said) {
    if (!isPlainName(name)) return refused(`a submodule has the name "${oneSafeLine(name, 100)}"`);
    if (path === undefined || url === undefined) continue;
    if (byPath.has(path)) return refused(`two submodules are to lie at ${oneSafeLine(path, 200)}`);
    byPath.set(path, { name, path, url });
  }
  return done(byPath);
}

function splitOnce(text: string, by: string): [string, string?] {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** Git keeps a submodule in a folder of its name: one with `..` in it would lie anywhere. */
function isPlainName(name: string): boolean {
  return name !== '' && !name.split(/[/\\]/u).includes('..') && !name.startsWith('/');
}

/** Names that git, or the file system below some checkout, takes for its own folder. */
const GITS_OWN = /^\.git(?:~\d+)?[ .]*$|^git~\d+$/iu;

/**
 * Why nothing may be put at a path of a tree; null when it may. Stricter than a file system: a path is handed to a shell,
 * a line at a time.
 */
export function complaintAboutPlace(path: string): string | null {
  if (/\p{Cc}/u.test(path)) return 'has a control character in its path';
  // U+10FE00 and later stand for bytes that are not UTF-8.
  if (/[\u{10FE00}-\u{10FEFF}]/u.test(path)) return 'has a path that is not UTF-8';
  if (path.startsWith('-')) return 'has a path that begins with "-"';
  for (const part of path.split('/')) {
    if (part === '' || part === '.' || part === '..') return 'has a path with an empty, "." or ".." part';
    if (GITS_OWN.test(part)) return 'has a path that leads into a .git folder';
  }
  return null;
}

function refused(message: string): GitResult<never> {
  return failed('invalid_submodule', message);
}
