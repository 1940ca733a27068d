import { literalPattern } from '../glob.ts';
import type { DeclaredInput } from '../model.ts';
import type { RepositoryView } from '../tracing/repository-view.ts';
import { memberOf } from '../parsed-values.ts';
import { foldersUpwards, inFolder, isWithin, resolvePath } from '../tree-paths.ts';
import type { PythonUnit } from './projects.ts';

/** Pages that settings of pytest name, by their names or by `--doctest-glob=*.md`: their examples are tests. */

const INI_FILES = ['pytest.ini', '.pytest.ini', 'tox.ini', 'setup.cfg'];
const PAGE = /(?<![\w.*?/-])[\w.*?/-]{1,200}?\.(?:md|markdown|rst|adoc|txt)(?![\w.-])/gu;
const DOCTEST_GLOB = /--doctest-glob(?:=|["',\s]{1,10})["']?(?<glob>[\w.*?/-]{1,200})/gu;

/** As many as settings of one unit may name. */
const PAGES_MAX = 100;

/** @param top the root of its workspace, whose settings hold for members without any of their own */
export function testedProse(unit: PythonUnit, top: PythonUnit | null, { contents }: RepositoryView): DeclaredInput[] {
  const folders = foldersUpwards(unit.root).filter((folder) => isWithin(folder, unit.workspace));
  const texts = [
    ...[unit, top].map((each) => JSON.stringify(memberOf(memberOf(each?.project?.text, 'tool'), 'pytest') ?? '')),
    ...folders.flatMap((folder) => INI_FILES.map((name) => pytestSections(contents.get(inFolder(folder, name)) ?? ''))),
  ];
  const globs = texts.flatMap((text) => [...text.matchAll(DOCTEST_GLOB)].map(({ groups }) => groups?.['glob'] ?? ''));
  const pages = texts.flatMap((text) => [...text.matchAll(PAGE)].map(([page]) => page));
  const named = new Set([...globs, ...pages].slice(0, PAGES_MAX));
  const paths = [...named].flatMap((page) => patternsFor(unit.root, page));
  if (paths.length === 0) return [];
  return [{ paths: [...new Set(paths)], kinds: ['test'], evidence: 'settings of pytest name it' }];
}

/** Of a file that others have sections in too, those of pytest. */
function pytestSections(text: string): string {
  const sections = text.split(/^(?=\[)/mu);
  return sections.filter((section) => /^\[(?:tool:)?pytest\]/u.test(section)).join('\n');
}

/** Names are looked for anywhere below the unit; paths begin there. */
function patternsFor(root: string, page: string): string[] {
  const at = resolvePath(root, page);
  if (at === null) return [];
  const anywhere = inFolder(literalPattern(root), `**/${page}`);
  return page.includes('/') ? [at, anywhere] : [anywhere];
}
