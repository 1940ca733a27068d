import type { FurtherWants } from '../detectors/detector.ts';
import { areSameSets, isSame, type Paths, type Question } from '../tracing/repository-view.ts';
import { isNxProject, isNxSettings } from '../nx/nx-files.ts';
import { folderOf, inFolder, isWithin } from '../tree-paths.ts';
import { SOURCES_MAX, importsOf, isSource } from './source-imports.ts';
import { isJavaScriptFile } from './wanted-files.ts';

/**
 * Where Nx joins projects that are no packages, what these need of each other stands in their sources alone: folders of
 * such workspaces.
 */
function foldersReadForImports(settings: readonly string[], projects: readonly string[], files: Paths): string[] {
  const folders = settings
    .map(folderOf)
    .filter((root) => ['tsconfig.base.json', 'tsconfig.json'].some((name) => files.has(inFolder(root, name))));
  return folders.filter((root) => projects.some((path) => isWithin(path, root) && folderOf(path) !== root));
}

/** Sources that are wanted for what they import; none where a repository has more than are looked at. */
export function sourcesAmong(paths: readonly string[]): FurtherWants | null {
  const settings = paths.filter(isNxSettings);
  if (settings.length === 0) return null;
  const folders = foldersReadForImports(settings, paths.filter(isNxProject), new Set(paths));
  if (folders.length === 0 || paths.filter(isSource).length > SOURCES_MAX) return null;
  return {
    key: JSON.stringify(folders),
    wants: (path) => isSource(path) && folders.some((root) => isWithin(path, root)),
  };
}

/** As far as they are read: the folders whose sources are looked at. */
export const FOLDERS_READ_FOR_IMPORTS: Question<ReadonlySet<string>> = {
  answer: ({ listed, files }) => {
    const [settings, projects] = [isNxSettings, isNxProject].map((kind) => listed(kind).map(({ path }) => path));
    return new Set(foldersReadForImports(settings ?? [], projects ?? [], files));
  },
  same: areSameSets,
};

/** Whether a repository has more sources than are looked at. */
export const HAS_TOO_MANY_SOURCES: Question<boolean> = {
  answer: ({ listed }) => listed(isSource).length > SOURCES_MAX,
  same: isSame,
};

/** Settings are kept whole; of sources, what they import. */
export function condenseJavaScript(path: string, text: string): string | null {
  return isSource(path) && !isJavaScriptFile(path) ? importsOf(text) : null;
}
