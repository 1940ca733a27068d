import { literalPattern } from '../glob.ts';
import { isProse } from '../impact/configuration-rules.ts';
import type { DeclaredInput } from '../model.ts';
import type { RepositoryView } from '../tracing/repository-view.ts';
import { byText, folderOf, foldersUpwards, inFolder, isWithin, resolvePath } from '../tree-paths.ts';

/** Pages that modules take for their own documentation, and whose examples are tested: `File.read!("README.md")`. */

/** As many as one file may name: generated sources can hold anything. */
const REFERENCES_MAX = 200;

const PAGE = /"([^"\\\n#]{1,200}\.(?:md|livemd|markdown|rst|adoc|txt))"/gu;
const LICENCE = /"((?:[^"\\\n#]{0,100}\/)?(?:LICEN[CS]E|NOTICE|COPYING))"/gu;

export function isElixirSource(path: string): boolean {
  return /\.exs?$/u.test(path) && !/(?:^|\/)mix\.exs$/u.test(path);
}

/** What is kept of a source: the pages it names, one a line. */
export function condenseElixir(text: string): string {
  const found = new Set<string>();
  for (const pattern of [PAGE, LICENCE]) {
    for (const [, page = ''] of text.matchAll(pattern)) if (found.size < REFERENCES_MAX) found.add(page);
  }
  return [...found].join('\n');
}

interface Named {
  readonly all: Set<string>;
  readonly test: Set<string>;
}

/**
 * Pages by the root of the project whose sources name them: from the project, where its commands run, from the file
 * itself, or from a folder between.
 */
export function prosePages(snapshot: RepositoryView, roots: ReadonlySet<string>): ReadonlyMap<string, DeclaredInput[]> {
  const named = new Map<string, Named>();
  for (const [path, condensed] of snapshot.texts(isElixirSource)) {
    if (condensed === '') continue;
    const root = foldersUpwards(folderOf(path)).find((folder) => roots.has(folder));
    if (root === undefined) continue;
    const known = named.get(root) ?? { all: new Set(), test: new Set() };
    named.set(root, known);
    const pages = isWithin(path, inFolder(root, 'test')) ? known.test : known.all;
    for (const page of condensed.split('\n').flatMap((each) => pagesAt(path, root, each))) {
      if (snapshot.files.has(page) && (isProse(page) || /\.(?:livemd|txt|md)$/u.test(page)))
        pages.add(literalPattern(page));
    }
  }
  return new Map([...named].map(([root, { all, test }]) => [root, [...input(all, 'all'), ...input(test, ['test'])]]));
}

/** Behind `__DIR__` a path may begin with a slash. */
function pagesAt(path: string, root: string, page: string): string[] {
  const relative = page.replace(/^\/+/u, '');
  const folders = foldersUpwards(folderOf(path)).filter((folder) => isWithin(folder, root));
  return folders.flatMap((folder) => resolvePath(folder, relative) ?? []);
}

function input(pages: ReadonlySet<string>, kinds: DeclaredInput['kinds']): DeclaredInput[] {
  const evidence = 'its sources name it';
  return pages.size === 0 ? [] : [{ paths: [...pages].sort(byText), kinds, evidence }];
}
