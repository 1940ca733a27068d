/** Paths of a tree: `/` between parts, `.` for the root folder. */

/** The folder a path lies in. */
export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : path.slice(0, slash);
}

export function fileNameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function inFolder(folder: string, name: string): string {
  return folder === '.' ? name : `${folder}/${name}`;
}

/** Whether `path` is `folder` or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return folder === '.' || path === folder || path.startsWith(`${folder}/`);
}

/** `path` as seen from `folder`, which contains it; `.` for the folder itself. */
export function relativeTo(folder: string, path: string): string {
  if (folder === '.') return path;
  return path === folder ? '.' : path.slice(folder.length + 1);
}

/** Where `reference`, written in `folder`, leads; null when it leaves the repository. */
export function resolvePath(folder: string, reference: string): string | null {
  if (reference.startsWith('/')) return null;
  const parts = folder === '.' ? [] : folder.split('/');
  for (const part of reference.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return parts.length === 0 ? '.' : parts.join('/');
}

/** Folders from the one given up to the root. */
export function foldersUpwards(folder: string): string[] {
  const folders: string[] = [];
  for (let at = folder; at !== '.'; at = folderOf(at)) folders.push(at);
  return [...folders, '.'];
}

/** Order by UTF-16 code units: the same on every machine, whatever its language. */
export function byText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/**
 * The first of so many places in order that is not before what is looked for; their number when all are.
 * @param isBefore by place; true up to some place and false from there on
 */
export function firstPlace(count: number, isBefore: (place: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
