import type { FurtherWants } from '../detectors/detector.ts';
import { areSameSets, isSame, type Question, type RepositoryView } from '../tracing/repository-view.ts';
import { isNxProject, isNxSettings } from '../nx/nx-files.ts';
import { fileNameOf, folderOf, isWithin } from '../tree-paths.ts';
import { SOURCES_MAX, importsOf, isSource } from './source-imports.ts';
import { isJavaScriptFile } from './wanted-files.ts';

/**
 * Where Nx joins projects that are no packages, what these need of each other stands in their sources alone: folders of
 * such workspaces.
 */
function foldersReadForImports(listed: RepositoryView['listed']): string[] {
  const settings = listed(isNxSettings);
  if (settings.length === 0) return [];
  const joining = new Set(listed(isBaseSettings).map(({ path }) => folderOf(path)));
  const projects = listed(isNxProject);
  return settings
    .map(({ path }) => folderOf(path))
    .filter((root) => joining.has(root))
    .filter((root) => projects.some(({ path }) => isWithin(path, root) && folderOf(path) !== root));
}

function isBaseSettings(path: string): boolean {
  return ['tsconfig.base.json', 'tsconfig.json'].includes(fileNameOf(path));
}

/** Sources that are wanted for what they import; none where a repository has more than are looked at. */
export function sourcesAmong(listed: RepositoryView['listed']): FurtherWants | null {
  const folders = foldersReadForImports(listed);
  if (folders.length === 0 || listed(isSource).length > SOURCES_MAX) return null;
  return {
    key: JSON.stringify(folders),
    wants: (path) => isSource(path) && folders.some((root) => isWithin(path, root)),
  };
}

/** As far as they are read: the folders whose sources are looked at. */
export const FOLDERS_READ_FOR_IMPORTS: Question<ReadonlySet<string>> = {
  answer: ({ listed }) => new Set(foldersReadForImports(listed)),
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
