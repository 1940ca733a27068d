import type { DeclaredInput, UnitEdge } from '../model.ts';
import type { RepositoryView } from '../tracing/repository-view.ts';
import { asRecord, asText, asTexts, memberOf } from '../parsed-values.ts';
import { fileNameOf, folderOf, foldersUpwards, inFolder, isWithin, resolvePath } from '../tree-paths.ts';
import { remembered } from './locked-packages.ts';
import { parseJsonWithComments } from './json-with-comments.ts';

/** What settings of TypeScript say of one unit: files of others that they extend, and units that they compile against. */
export interface TypeScriptProject {
  readonly inputs: readonly DeclaredInput[];
  readonly edges: readonly UnitEdge[];
}

/** Settings that extend each other further than this are no settings of anybody. */
const CHAIN_MAX = 20;

/** By the root of the unit that the settings lie in. */
export function typescriptProjects(
  snapshot: RepositoryView,
  roots: ReadonlySet<string>,
  byName: ReadonlyMap<string | null, string>,
): ReadonlyMap<string, TypeScriptProject> {
  // Many extend the same few.
  const settingsOf = remembered((path) => settingsAt(snapshot, path));
  const ownerOf = (path: string): string | undefined => foldersUpwards(path).find((folder) => roots.has(folder));
  const paths = snapshot.texts(isTypeScriptSettings).map(([path]) => path);
  const projects = new Map<string, TypeScriptProject>();
  for (const path of paths) {
    const root = ownerOf(path);
    if (root === undefined) continue;
    const settings = settingsOf(path);
    const extended = extendedBy(settingsOf, path, byName).filter((each) => !isWithin(each, root) || root === '.');
    const outside = extended.filter((each) => ownerOf(each) !== root);
    const inputs = outside.map((each): DeclaredInput => ({
      paths: [each],
      kinds: 'all',
      evidence: `${path} extends it`,
    }));
    const edges = edgesOf(path, root, settings, ownerOf);
    const known = projects.get(root);
    projects.set(root, { inputs: [...(known?.inputs ?? []), ...inputs], edges: [...(known?.edges ?? []), ...edges] });
  }
  return projects;
}

function isTypeScriptSettings(path: string): boolean {
  return /^tsconfig(?:[.-].*)?\.json$/u.test(fileNameOf(path));
}

function settingsAt({ parsed }: RepositoryView, path: string): unknown {
  return asRecord(parsed(path, parseJsonWithComments)) ?? undefined;
}

/** Every file whose settings are taken over, near or far, as far as it lies in the repository. */
function extendedBy(
  settingsOf: (path: string) => unknown,
  path: string,
  byName: ReadonlyMap<string | null, string>,
): string[] {
  const found = new Set<string>();
  let from = [path];
  for (let depth = 0; depth < CHAIN_MAX && from.length > 0; depth += 1) {
    const next = from.flatMap((each) => parentsOf(settingsOf(each), folderOf(each), byName));
    from = next.filter((each) => !found.has(each));
    for (const each of from) found.add(each);
  }
  return [...found];
}

function parentsOf(settings: unknown, folder: string, byName: ReadonlyMap<string | null, string>): string[] {
  const member = memberOf(settings, 'extends');
  const names = asTexts(member) ?? [asText(member) ?? ''];
  return names.flatMap((name) => {
    const place = name.startsWith('.') ? resolvePath(folder, name) : inPackage(name, byName);
    if (place === null) return [];
    return [place.endsWith('.json') ? place : `${place}.json`];
  });
}

/** `@scope/name/base.json` of a package of the repository. */
function inPackage(name: string, byName: ReadonlyMap<string | null, string>): string | null {
  const parts = name.split('/');
  const length = name.startsWith('@') ? 2 : 1;
  const root = byName.get(parts.slice(0, length).join('/'));
  if (root === undefined) return null;
  return inFolder(root, parts.length > length ? parts.slice(length).join('/') : 'tsconfig.json');
}

function edgesOf(
  path: string,
  root: string,
  settings: unknown,
  ownerOf: (path: string) => string | undefined,
): UnitEdge[] {
  const options = memberOf(settings, 'compilerOptions');
  const folder = folderOf(path);
  const references = memberOf(settings, 'references');
  const referenced = (Array.isArray(references) ? references : []).map((each: unknown) =>
    asText(memberOf(each, 'path')),
  );
  const aliased = Object.values(asRecord(memberOf(options, 'paths')) ?? {}).flatMap((each) => asTexts(each) ?? []);
  const aliasFolder = resolvePath(folder, asText(memberOf(options, 'baseUrl')) ?? '.') ?? folder;
  return [
    ...referenced.map((each) => ({ target: resolvePath(folder, each ?? '.'), evidence: `references of ${path}` })),
    ...aliased.map((each) => ({
      target: resolvePath(aliasFolder, each.replace(/\*.*$/u, '')),
      evidence: `paths of ${path}`,
    })),
  ].flatMap(({ target, evidence }): UnitEdge[] => {
    const to = target === null ? undefined : ownerOf(target);
    return to === undefined || to === root || isWithin(root, to) ? [] : [{ from: root, to, kind: 'build', evidence }];
  });
}
