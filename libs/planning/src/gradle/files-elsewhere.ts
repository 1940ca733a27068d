import { literalPattern } from '../glob.ts';
import type { Paths } from '../tracing/repository-view.ts';
import { foldersUpwards, isWithin, resolvePath } from '../tree-paths.ts';
import type { GradleProject } from './builds.ts';
import type { ScriptToken } from './scan-script.ts';

/** What there is in the repository, and which folders of it are those of projects. */
export interface GradlePlaces {
  readonly files: Paths;
  /** Files, and the folders that they lie in. */
  readonly paths: Paths;
  readonly roots: ReadonlySet<string>;
}

/**
 * Files and folders of others that texts of a script lead to, as globs from the repository's root: scripts that it
 * applies, sources and data that it takes in. Any text may be a path; that something lies there makes it one.
 */
export function filesElsewhere({ root, script }: GradleProject, buildRoot: string, places: GradlePlaces): string[] {
  const tokens = script?.tokens ?? [];
  const upwards = new Set(foldersUpwards(root));
  const found = tokens.flatMap((token, at) =>
    token.kind === 'text' && token.value.includes('/') && token.value.length <= PATH_CHARS_MAX
      ? leadsTo(token.value, isFromTop(tokens, at) ? [root, buildRoot] : [root], root, buildRoot)
      : [],
  );
  const others = [...new Set(found)].filter((path) => {
    const owner = foldersUpwards(path).find((folder) => places.roots.has(folder));
    return places.paths.has(path) && !upwards.has(path) && !(isWithin(path, root) && owner === root);
  });
  return others.map((path) => (places.files.has(path) ? literalPattern(path) : `${literalPattern(path)}/**`));
}

const PATH_CHARS_MAX = 1_000;

const TOP =
  /^\$(?:\{(?:rootDir|settingsDir|(?:project\.)?rootProject\.(?:rootDir|projectDir)|project\.rootDir)\}|rootDir|settingsDir)\//u;
const OWN = /^\$(?:\{(?:project\.)?projectDir\}|projectDir)\//u;

/** Of a path with wildcards the folder before them. */
function leadsTo(text: string, bases: readonly string[], root: string, buildRoot: string): string[] {
  const literal = text.replace(/\/?[^/]*[*?].*$/su, '');
  if (TOP.test(literal)) return [resolvePath(buildRoot, literal.replace(TOP, '')) ?? []].flat();
  return bases.flatMap((base) => resolvePath(base, literal.replace(OWN, '')) ?? []).filter((path) => path !== root);
}

/** As many tokens as stand between `rootProject` and its path: `.layout.projectDirectory.file(`. */
const BEFORE = 8;
const OF_TOP = new Set(['rootProject', 'rootDir', 'rootDirectory', 'settingsDirectory', 'settingsDir']);

function isFromTop(tokens: readonly ScriptToken[], at: number): boolean {
  return tokens.slice(Math.max(0, at - BEFORE), at).some(({ value }) => OF_TOP.has(value));
}
