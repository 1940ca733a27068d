import type { RepositoryView } from '../tracing/repository-view.ts';
import { fileNameOf, folderOf, foldersUpwards, isWithin, relativeTo, resolvePath } from '../tree-paths.ts';
import { inclusionOf, type Inclusion } from './build-constraints.ts';
import { isVisibleToGo, type GoModule } from './modules.ts';
import { readGoFile, type GoFile } from './source-file.ts';

/** A folder with `.go` files. */
export interface GoPackage {
  readonly folder: string;
  /** Files that take part in some build of ours, without tests; then those of its tests. */
  readonly production: readonly GoFile[];
  readonly tests: readonly GoFile[];
  /** Whether there is anything to build, or to test, on the machines that jobs run on. */
  readonly builds: Inclusion;
  readonly testable: Inclusion;
}

/** The packages of a module by folder, or why it is planned as a whole. */
export type ModulePackages =
  | { readonly kind: 'packages'; readonly packages: ReadonlyMap<string, GoPackage> }
  | { readonly kind: 'whole'; readonly reason: string; readonly tested: boolean };

/** Kubernetes has about 4,000 in all its modules. Beyond this a module is one unit. */
const PACKAGES_MAX = 5_000;

export function readPackages(
  snapshot: RepositoryView,
  modules: ReadonlyMap<string, GoModule>,
): Map<string, ModulePackages> {
  const collected = new Map([...modules].map(([root, { mod }]) => [root, new Collected(mod.go)]));
  for (const { path, type } of snapshot.listed(isGoSource)) {
    if (type === 'submodule') continue;
    const folder = folderOf(path);
    const root = foldersUpwards(folder).find((each) => modules.has(each));
    const module = root === undefined ? undefined : modules.get(root);
    if (module === undefined || isIgnored(folder, module)) continue;
    const at = type === 'symlink' ? resolvePath(folder, snapshot.contents.get(path) ?? '') : path;
    collected.get(module.root)?.add(path, snapshot.parsed(at ?? path, readGoFile) ?? readGoFile(''));
  }
  return new Map([...collected].map(([root, each]) => [root, each.packages()]));
}

/** Files the go command passes over begin with `_` or `.`. */
export function isGoSource(path: string): boolean {
  return path.endsWith('.go') && !/^[_.]/u.test(fileNameOf(path)) && isVisibleToGo(path);
}

/** `./gen` is a folder of the module, `gen` one of that name anywhere. */
function isIgnored(folder: string, { root, mod }: GoModule): boolean {
  return mod.ignored.some((ignored) => {
    const at = ignored.startsWith('./') ? resolvePath(root, ignored) : null;
    if (at !== null) return isWithin(folder, at);
    return `/${relativeTo(root, folder)}/`.includes(`/${ignored}/`);
  });
}

interface Growing {
  readonly production: GoFile[];
  readonly tests: GoFile[];
  builds: Inclusion;
  testable: Inclusion;
}

const ORDER: readonly Inclusion[] = ['never', 'sometimes', 'always'];

function wider(one: Inclusion, other: Inclusion): Inclusion {
  return ORDER.indexOf(one) > ORDER.indexOf(other) ? one : other;
}

class Collected {
  readonly #packages = new Map<string, Growing>();
  readonly #language: string | null;
  #unread: string | null = null;
  #tested = false;

  constructor(language: string | null) {
    this.#language = language;
  }

  add(path: string, file: GoFile | null): void {
    const isTest = path.endsWith('_test.go');
    this.#tested ||= isTest;
    if (file === null) this.#unread ??= path;
    if (file === null) return;
    const folder = folderOf(path);
    const known = this.#packages.get(folder) ?? { production: [], tests: [], builds: 'never', testable: 'never' };
    this.#packages.set(folder, known);
    // Without a C compiler whatever talks to C is left out.
    const constraint = file.imports.includes('C')
      ? [file.constraint, 'cgo'].filter((each) => each !== null)
      : [file.constraint];
    const inclusion = inclusionOf(
      fileNameOf(path),
      constraint.length > 1 ? `(${constraint.join(') && (')})` : (constraint[0] ?? null),
      this.#language,
    );
    if (inclusion === 'never') return;
    if (isTest) known.testable = wider(known.testable, inclusion);
    else known.builds = wider(known.builds, inclusion);
    (isTest ? known.tests : known.production).push(file);
  }

  packages(): ModulePackages {
    const whole = (reason: string): ModulePackages => ({ kind: 'whole', reason, tested: this.#tested });
    if (this.#unread !== null) return whole(`${this.#unread} is too large or no Go`);
    if (this.#packages.size > PACKAGES_MAX) return whole(`it has more than ${PACKAGES_MAX} packages`);
    return {
      kind: 'packages',
      packages: new Map([...this.#packages].map(([folder, each]) => [folder, { folder, ...each }])),
    };
  }
}
