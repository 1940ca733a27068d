import type { DeclaredInput, RepositorySnapshot } from '../model.ts';
import { literalPattern } from '../glob.ts';
import { byText, folderOf, inFolder, isWithin, resolvePath } from '../tree-paths.ts';

/** Files that sources name by relative paths: what `include_str!`, `#[path]` and tests read out of their own folder. */

/** As much as one file may name: generated sources can hold anything. */
const REFERENCES_MAX = 200;

const INCLUDED = /\binclude(?:_str|_bytes)?!\s*[([{]\s*"([^"\\\n]{1,300})"/gu;
const UPWARDS = /"([^"\\\n]{0,100}\.\.\/[^"\\\n]{0,200})"/gu;

/** What is kept of a source: the paths it names that can lead out of its folder, one a line. */
export function condenseSource(text: string): string {
  if (!text.includes('../') && !text.includes('include')) return '';
  const found = new Set<string>();
  for (const pattern of [INCLUDED, UPWARDS]) {
    for (const [, reference = ''] of text.matchAll(pattern)) if (found.size < REFERENCES_MAX) found.add(reference);
  }
  return [...found].join('\n');
}

/** Folders that have files, and the files: what a path can lead to. */
export interface Places {
  readonly files: ReadonlySet<string>;
  readonly folders: ReadonlySet<string>;
}

export function placesOf({ entries }: RepositorySnapshot): Places {
  const folders = new Set<string>(['.']);
  for (const { path } of entries) {
    for (let at = folderOf(path); !folders.has(at); at = folderOf(at)) folders.add(at);
  }
  return { files: new Set(entries.map(({ path }) => path)), folders };
}

/**
 * What a source names out of its unit, and prose within it. A path is meant from the file itself or, by way of
 * `CARGO_MANIFEST_DIR` and in tests, from the root of the package: whatever exists counts.
 */
export function referencesOf(path: string, condensed: string, root: string, places: Places): string[] {
  const references = condensed === '' ? [] : condensed.split('\n');
  return references.flatMap((reference) => {
    const relative = reference.replace(/^\/+/u, '').replace(/[{*].*$/u, '');
    const found = [folderOf(path), root].map((folder) => resolvePath(folder, relative));
    return found.flatMap((target) => {
      // Code that works on paths is full of `../..`: a folder around the unit is meant by what is put behind another path.
      const around = target !== null && isWithin(root, target) && !reference.startsWith('/');
      return target === null || around ? [] : patternFor(target, root, places);
    });
  });
}

function patternFor(target: string, root: string, { files, folders }: Places): string[] {
  if (files.has(target)) return !isWithin(target, root) || PROSE.test(target) ? [literalPattern(target)] : [];
  if (!folders.has(target) || isWithin(target, root)) return [];
  return [inFolder(literalPattern(target), '**')];
}

const PROSE = /\.(?:md|markdown|rst|adoc|txt)$/iu;

/** One declaration for everything that sources of a unit name. */
export function sourceInputs(patterns: readonly string[]): DeclaredInput[] {
  const paths = [...new Set(patterns)].sort(byText);
  return paths.length === 0 ? [] : [{ paths, kinds: 'all', evidence: 'its sources name it by a relative path' }];
}
