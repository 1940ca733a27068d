import { fileNameOf } from '../tree-paths.ts';

/** Repositories with more source files than this are planned without looking at what these import. */
export const SOURCES_MAX = 30_000;

const SOURCE = /\.[cm]?[jt]sx?$/u;
const NOT_SOURCE = /(?:^|\/)(?:node_modules|dist|\.next|\.nx|coverage|vendor)\//u;

export function isSource(path: string): boolean {
  return SOURCE.test(path) && !NOT_SOURCE.test(path) && !fileNameOf(path).endsWith('.d.ts');
}

/** A module's name in quotes after a word that can ask for one. In comments too: rather one too many. */
const SPECIFIER =
  /\b(?:from|import|require|resolve|mock|importActual|requireActual)\s{0,20}\(?\s{0,20}(?:\/\*[^*]{0,100}\*\/\s{0,20})?(["'`])([^"'`\n$]{1,300})\1/gu;

/**
 * What a source file asks for, one name a line, in order: packages and aliases, and paths that lead out of its folder.
 * Paths within stay in the unit, or lead to a file that is found by the same rule from elsewhere.
 */
export function importsOf(text: string): string {
  const names = new Set<string>();
  for (const [, , name = ''] of text.matchAll(SPECIFIER)) if (!name.startsWith('./')) names.add(name);
  return [...names].sort().join('\n');
}
