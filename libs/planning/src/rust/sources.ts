import type { DeclaredInput } from '../model.ts';
import type { RepositoryView } from '../tracing/repository-view.ts';
import { literalPattern } from '../glob.ts';
import { isProse } from '../impact/configuration-rules.ts';
import { byText, folderOf, inFolder, isWithin, resolvePath } from '../tree-paths.ts';

/** Files that sources name by relative paths: what `include_str!`, `#[path]` and tests read out of their own folder. */

/** As much as one file may name: generated sources can hold anything. */
const REFERENCES_MAX = 200;

const INCLUDED = /\binclude(?:_str|_bytes)?!\s*[([{]\s*"([^"\\\n]{1,300})"/gu;
/** `concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")`: literals behind the folder of the package are one path. */
const CONCATENATED = /"CARGO_MANIFEST_DIR"\s{0,40}\)((?:\s{0,40},\s{0,40}"[^"\\\n]{0,300}"){1,8})/gu;
/** `Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join("docs")`. */
const JOINED = /((?:\.(?:join|push)\(\s{0,40}"[^"\\\n]{0,200}"\s{0,40}\)\s{0,80}){1,12})/gu;
const UPWARDS = /"([^"\\\n]{0,100}\.\.\/[^"\\\n]{0,200})"/gu;

/** What is kept of a source: the paths it names that can lead out of its folder, one a line. */
export function condenseSource(text: string): string {
  if (!['../', 'include', 'CARGO_MANIFEST_DIR', '".."'].some((sign) => text.includes(sign))) return '';
  const found = new Set<string>();
  const add = (reference: string): void => {
    if (found.size < REFERENCES_MAX) found.add(reference);
  };
  for (const pattern of [INCLUDED, UPWARDS]) for (const [, reference = ''] of text.matchAll(pattern)) add(reference);
  for (const [, parts = ''] of text.matchAll(CONCATENATED)) add(literalsIn(parts).join(''));
  for (const [, parts = ''] of text.matchAll(JOINED)) {
    const path = literalsIn(parts).join('/');
    // Names within the folder are its own, unless they are pages.
    if (/(?:^|\/)\.\.(?:\/|$)/u.test(path) || isPage(path)) add(`/${path}`);
  }
  return [...found].join('\n');
}

function literalsIn(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"/gu)].map(([, literal = '']) => literal);
}

/** What a path can lead to. */
export type Places = Pick<RepositoryView, 'files' | 'places'>;

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

function patternFor(target: string, root: string, { files, places }: Places): string[] {
  if (files.has(target)) return !isWithin(target, root) || isPage(target) ? [literalPattern(target)] : [];
  if (!places.has(target) || isWithin(target, root)) return [];
  return [inFolder(literalPattern(target), '**')];
}

/** What a rule would take for something that no job reads. */
function isPage(path: string): boolean {
  return /\.(?:md|markdown|rst|adoc|txt)$/iu.test(path) || isProse(path);
}

/** Everything that sources of a unit name. Who looks at all around itself says nothing about who else does. */
export function sourceInputs(patterns: readonly string[], root: string): DeclaredInput[] {
  const isAround = (pattern: string): boolean =>
    pattern === '**' || (pattern.endsWith('/**') && isWithin(literalPattern(root), pattern.slice(0, -3)));
  const sorted = [...new Set(patterns)].sort(byText);
  const evidence = 'its sources name it by a relative path';
  const named = sorted.filter((pattern) => !isAround(pattern));
  const around = sorted.filter(isAround);
  return [
    ...(named.length === 0 ? [] : [{ paths: named, kinds: 'all' as const, evidence }]),
    ...(around.length === 0 ? [] : [{ paths: around, kinds: 'all' as const, also: true as const, evidence }]),
  ];
}
