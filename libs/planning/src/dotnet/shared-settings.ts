import { fileNameOf, folderOf, foldersUpwards } from '../tree-paths.ts';
import type { DotnetProject } from './read-project.ts';

/** A `.props` or `.targets` file, read as the part of a project that it becomes. */
export interface SharedSettings {
  readonly path: string;
  readonly project: DotnetProject;
}

/** What settings say of other projects and of files is said once more by each project, so that it is not followed beyond this. */
const SAID_MAX = 500;

/**
 * Settings that become part of a project in the given folder: those that the tools look for in each folder upwards, and
 * those that projects import by name, of which any may. Null where these name more than is followed.
 */
export function settingsByFolder(all: readonly SharedSettings[]): (root: string) => readonly SharedSettings[] | null {
  const telling = all.filter(({ project }) => saidBy(project) > 0);
  const byFolder = Map.groupBy(telling, ({ path }) =>
    fileNameOf(path).startsWith('Directory.') ? folderOf(path) : ANYBODY,
  );
  return (root) => {
    const found: SharedSettings[] = [];
    let said = 0;
    for (const folder of [ANYBODY, ...foldersUpwards(root)]) {
      for (const each of byFolder.get(folder) ?? []) {
        said += saidBy(each.project);
        if (said > SAID_MAX) return null;
        found.push(each);
      }
    }
    return found;
  };
}

/** No folder is called so. */
const ANYBODY = '';

function saidBy({ references, files }: DotnetProject): number {
  return references.length + files.length;
}
