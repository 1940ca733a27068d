import { linearPattern } from './linear-pattern.ts';
import { locationOf, repositoryPath, type Location } from './locations.ts';
import type { LogLine } from './log-lines.ts';

const PACKAGE = linearPattern('^ +(?:Compiling|Checking) [^ ]+ v[^ ]+ \\((?P<path>/[^)]*)\\)$');
/** Folders of a package that cargo looks for code in, unless its manifest says otherwise. */
const FOLDERS = ['src/', 'tests/', 'examples/', 'benches/'];
/** Packages of a repository that are looked at: each is tried for every place. */
const PACKAGES_MAX = 200;

/** Directories, relative to the repository, of its packages that cargo compiled; `''` is its root. */
export function cargoPackages(lines: readonly LogLine[]): readonly string[] {
  const directories = new Set<string>();
  for (const { text } of lines) {
    if (directories.size >= PACKAGES_MAX) break;
    const path = text.includes(' v') && text.endsWith(')') ? PACKAGE.find(text)?.['path'] : undefined;
    const manifest = path === undefined ? null : repositoryPath(`${path}/Cargo.toml`, '');
    if (manifest !== null) directories.add(manifest.split('/').slice(0, -1).join('/'));
  }
  return [...directories];
}

/**
 * A place as Rust names it: from the root of the workspace, wherever in the repository that is. Null when it is outside
 * of the repository, and where the packages leave open which root it is.
 */
export function cargoPlace(named: string, line: string | undefined, packages: readonly string[]): Location | null {
  const path = repositoryPath(named, '');
  if (path === null || named.startsWith('/')) return locationOf(named, line, '');
  const [root, ...others] = packages
    .flatMap((directory) => rootFor(path, directory) ?? [])
    .toSorted((one, other) => one.length - other.length);
  if (root === undefined || !others.every((other) => isWithin(other, root))) return null;
  return locationOf(path, line, root);
}

/** The directory nearest to the root of the repository from where the path leads to code of the package. */
function rootFor(path: string, directory: string): string | null {
  const parts = directory === '' ? [] : directory.split('/');
  for (let count = 0; count <= parts.length; count += 1) {
    const root = parts.slice(0, count).join('/');
    const whole = root === '' ? path : `${root}/${path}`;
    const inside = isWithin(whole, directory) ? whole.slice(directory === '' ? 0 : directory.length + 1) : '';
    if (FOLDERS.some((folder) => inside.startsWith(folder))) return root;
  }
  return null;
}

const isWithin = (path: string, directory: string): boolean =>
  directory === '' || path === directory || path.startsWith(`${directory}/`);
