import type { DeclaredInput } from '../model.ts';
import { inFolder, isWithin, resolvePath } from '../tree-paths.ts';
import type { GoPackage } from './packages.ts';
import type { GoFile } from './source-file.ts';

/** What lies in a package's folder and is compiled with it: Go, and what is compiled for it or assembled. */
const SOURCES = ['*.go', '*.[chsSm]', '*.cc', '*.cpp', '*.cxx', '*.hh', '*.hpp', '*.syso'];

/**
 * Files a package reads, as far as that narrows or widens what its folder already says: tests are no part of what others
 * import, embedded files may lie in folders of other packages, and tests name files elsewhere.
 * @param exists whether a path is a file or folder of the repository
 */
export function inputsOfPackage(each: GoPackage, exists: (path: string) => boolean): DeclaredInput[] {
  const { folder, production, tests } = each;
  const inputs: DeclaredInput[] = [];
  if (tests.length > 0) {
    const evidence = 'only its tests are made of _test.go files';
    inputs.push({ paths: [inFolder(folder, '*_test.go')], kinds: ['test', 'lint'], evidence });
  }
  const embedded = (files: readonly GoFile[], kinds: DeclaredInput['kinds']): void => {
    const paths = [...new Set(files.flatMap(({ embeds }) => embeds))].map((pattern) => inFolder(folder, pattern));
    if (paths.length === 0) return;
    inputs.push({ paths: paths.flatMap((path) => [path, `${path}/**`]), kinds, evidence: '//go:embed names it' });
  };
  embedded(production, 'all');
  embedded(tests, ['test', 'lint']);
  const outside = (files: readonly GoFile[], kinds: DeclaredInput['kinds']): void => {
    const paths = outsidePaths(folder, files, exists);
    if (paths.length > 0) inputs.push({ paths, kinds, evidence: 'a path in its code leads there' });
  };
  // Whoever imports what reads them is tested with them too.
  outside(production, 'all');
  outside(tests, ['test']);
  return inputs;
}

/**
 * For the folder of a module, whose other files every package may read: what is compiled there concerns the package there
 * alone, and so does what its tests have beside them.
 */
export function inputsOfRootPackage({ folder, tests }: GoPackage): DeclaredInput[] {
  const sources = SOURCES.map((name) => inFolder(folder, name));
  const data = tests.length === 0 ? [] : [inFolder(folder, 'testdata/**')];
  return [
    { paths: [...sources, `!${inFolder(folder, '*_test.go')}`], kinds: 'all', evidence: 'it is compiled there' },
    ...(data.length === 0 ? [] : [{ paths: data, kinds: 'all' as const, evidence: 'its tests keep it beside them' }]),
  ];
}

/** Paths that are not there name nothing, and those that contain the package itself are told as edges. */
function outsidePaths(folder: string, files: readonly GoFile[], exists: (path: string) => boolean): string[] {
  const paths = files.flatMap(({ outside }) =>
    outside.flatMap(({ path }) => {
      const at = resolvePath(folder, path);
      return at === null || isWithin(folder, at) || !exists(at) ? [] : [at, `${at}/**`];
    }),
  );
  return [...new Set(paths)];
}
