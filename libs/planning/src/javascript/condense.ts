import { fileNameOf, folderOf, inFolder, isWithin } from '../tree-paths.ts';
import { SOURCES_MAX, importsOf, isSource } from './source-imports.ts';
import { isJavaScriptFile } from './wanted-files.ts';

/**
 * Where Nx joins projects that are no packages, what these need of each other stands in their sources alone. Folders of
 * such workspaces, or null where there is none.
 */
export function foldersReadForImports(paths: readonly string[]): readonly string[] | null {
  const known = new Set(paths);
  const settings = paths.filter((path) => fileNameOf(path) === 'nx.json').map(folderOf);
  const folders = settings.filter((root) =>
    ['tsconfig.base.json', 'tsconfig.json'].some((name) => known.has(inFolder(root, name))),
  );
  const projects = paths.filter((path) => fileNameOf(path) === 'project.json');
  const joined = folders.filter((root) => projects.some((path) => isWithin(path, root) && folderOf(path) !== root));
  return joined.length === 0 ? null : joined;
}

/** Whether a repository has more sources than are looked at. */
export function hasTooManySources(paths: readonly string[]): boolean {
  return paths.filter(isSource).length > SOURCES_MAX;
}

/** Sources that are wanted for what they import. */
export function sourcesAmong(paths: readonly string[]): ((path: string) => boolean) | null {
  const folders = foldersReadForImports(paths);
  if (folders === null || hasTooManySources(paths)) return null;
  return (path) => isSource(path) && folders.some((root) => isWithin(path, root));
}

/** Settings are kept whole; of sources, what they import. */
export function condenseJavaScript(path: string, text: string): string | null {
  return isSource(path) && !isJavaScriptFile(path) ? importsOf(text) : null;
}
