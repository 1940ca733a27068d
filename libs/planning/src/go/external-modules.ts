import type { ExternalClosure } from '../model.ts';
import type { RepositoryView } from '../tracing/repository-view.ts';
import { inFolder } from '../tree-paths.ts';
import type { GoModule } from './modules.ts';

/**
 * The modules that packages of a module are built with, as `go.mod` and `go.sum` choose them. Which of them depend on
 * each other is written in files of theirs that are not in the repository, so every package that imports any of them is
 * taken to be built with all.
 */
export function externalClosure(
  module: GoModule,
  modules: ReadonlyMap<string, GoModule>,
  snapshot: RepositoryView,
): ExternalClosure {
  const lockfile = inFolder(module.root, 'go.sum');
  const text = snapshot.contents.get(lockfile);
  if (text === undefined) {
    const here = snapshot.files.has(lockfile);
    return here ? { kind: 'unreadable', lockfile, reason: 'it is too large or not text' } : { kind: 'none' };
  }
  const sums = sumsOf(text);
  if (!listsEveryModule(module.mod.go)) return { kind: 'resolved', lockfile, packages: sums };
  const members = new Set([module, ...module.joined.flatMap((root) => modules.get(root) ?? [])]);
  const packages = new Map<string, string>();
  for (const { path, version } of [...members].flatMap(({ mod }) => mod.requires)) {
    const replacement = module.replaces.find((each) => each.path === path && (each.version ?? version) === version);
    const [at, of] = replacement === undefined ? [path, version] : [replacement.by, replacement.byVersion];
    // Several members of a workspace may ask for several versions: the highest is taken, and any change may be of that.
    const chosen = `${at} ${of ?? ''} ${sums.get(`${at} ${of ?? ''}`) ?? ''}`.trim();
    const known = packages.get(path);
    if (known?.split(', ').includes(chosen) !== true)
      packages.set(path, known === undefined ? chosen : `${known}, ${chosen}`);
  }
  return { kind: 'resolved', lockfile, packages };
}

/** From Go 1.17 on `go.mod` names all modules that packages are built with; before, only the sums tell of the others. */
function listsEveryModule(version: string | null): boolean {
  const [, major = '1', minor = '0'] = /^(\d+)\.(\d+)/u.exec(version ?? '') ?? [];
  return Number(major) > 1 || Number(minor) >= 17;
}

/** Checksums by module and version. */
function sumsOf(text: string): Map<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [path = '', version = '', sum = ''] = line.trim().split(/\s+/u);
    if (path !== '') sums.set(`${path} ${version}`, sum);
  }
  return sums;
}
