import type { RepositoryView } from '../tracing/repository-view.ts';
import { folderOf, resolvePath } from '../tree-paths.ts';
import { isToolSettings } from './wanted-files.ts';
import type { JavaScriptPackage } from './workspaces.ts';

/** A package writes a handful of reports; a text that names hundreds of files is about something else. */
const REPORTS_MAX = 10;

/** Reporters that have a place for their report when nobody names one. */
const DEFAULT_PLACES: readonly (readonly [reporter: string, place: string])[] = [
  ['jest-junit', 'junit.xml'],
  ['mocha-junit-reporter', 'test-results.xml'],
];

/** Settings of tools, by the folder they lie in. */
export type SettingsByFolder = ReadonlyMap<string, readonly string[]>;

export function settingsByFolder({ texts }: RepositoryView): SettingsByFolder {
  const grouped = Map.groupBy(texts(isToolSettings), ([path]) => folderOf(path));
  return new Map([...grouped].map(([folder, entries]) => [folder, entries.map(([, text]) => text)]));
}

/**
 * Reports that a package's tests leave, from the repository's root: where its command line or its own settings speak of
 * JUnit, the XML files they name.
 */
export function reportsOf(
  { root, manifest }: JavaScriptPackage,
  command: string,
  settings: SettingsByFolder,
): string[] {
  const texts = [command, manifest.settings(), ...(settings.get(root) ?? [])];
  const named = placesIn(texts.filter((text) => /junit/iu.test(text)).join('\n'));
  const paths = [...new Set(named)].map((place) => resolvePath(root, place)).filter((path) => path !== null);
  return paths.slice(0, REPORTS_MAX).sort();
}

function placesIn(text: string): string[] {
  const files = [...text.matchAll(/[\w./-]{1,200}\.xml\b/gu)].map(([place]) => place);
  const folder = /\boutputDirectory["']?\s{0,5}[:=,]\s{0,5}["']([\w./-]{1,200})["']/u.exec(text)?.[1];
  const reporter = DEFAULT_PLACES.find(([name]) => text.includes(name));
  const places = files.length > 0 ? files : reporter === undefined ? [] : [reporter[1]];
  return folder === undefined ? places : places.map((place) => (place.includes('/') ? place : `${folder}/${place}`));
}
