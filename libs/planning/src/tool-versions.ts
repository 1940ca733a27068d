import type { Texts } from './tracing/repository-view.ts';
import { foldersUpwards, inFolder } from './tree-paths.ts';

/** A version of a tool, and the file it is written in. */
export interface PinnedVersion {
  readonly version: string;
  readonly path: string;
}

/** Whether a path is the file in which asdf and mise note versions of all tools. */
export const TOOL_VERSIONS = '.tool-versions';

/**
 * What the nearest of a tool's own file and `.tool-versions` pins, upwards from a folder: in either the version is a word.
 * @param own the name of the tool's own file, such as `.ruby-version`; null where it has none
 */
export function pinnedVersion(contents: Texts, folder: string, tool: string, own: string | null): PinnedVersion | null {
  for (const each of foldersUpwards(folder)) {
    const named = own === null ? undefined : contents.get(inFolder(each, own));
    const ofOwn = wordOf(named?.trim().replace(new RegExp(`^${tool}-`, 'u'), ''));
    if (own !== null && ofOwn !== null) return { version: ofOwn, path: inFolder(each, own) };
    const path = inFolder(each, TOOL_VERSIONS);
    const line = contents
      .get(path)
      ?.split('\n')
      .map((text) => text.trim().split(/[ \t]+/u))
      .find(([name]) => name === tool);
    const version = wordOf(line?.[1]);
    if (version !== null) return { version, path };
  }
  return null;
}

function wordOf(text: string | undefined): string | null {
  return text !== undefined && /^\d[\w.-]{0,40}$/u.test(text) ? text : null;
}
