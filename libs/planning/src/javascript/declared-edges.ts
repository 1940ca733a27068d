import type { UnitCommand, UnitEdge } from '../model.ts';
import { resolvePath } from '../tree-paths.ts';
import type { DeclaredDependency } from './package-manifest.ts';
import type { TaskRunner } from './task-runner.ts';
import type { JavaScriptPackage, JavaScriptWorkspace } from './workspaces.ts';

/** A workspace, as far as it decides which packages of the repository a dependency is served by. */
export interface LinkedPackages {
  readonly workspace: JavaScriptWorkspace;
  /** Roots of all packages of the repository. */
  readonly roots: ReadonlySet<string>;
  /** Roots of the workspace's packages by their names: several with one name may differ in their versions. */
  readonly byName: ReadonlyMap<string | null, readonly string[]>;
  readonly runner: TaskRunner | null;
}

/** What manifests ask for that the repository has itself. */
export function declaredEdges(around: LinkedPackages, each: JavaScriptPackage): UnitEdge[] {
  return each.manifest.dependencies.flatMap((dependency): UnitEdge[] => {
    const targets = internalTargets(around, each, dependency).filter((to) => to !== each.root);
    if (targets.length === 0) return [];
    const evidence = `${dependency.name} among the ${dependency.kind} dependencies of ${each.manifestPath}`;
    const kind = edgeKind(each, dependency, around.runner?.builds === true);
    return targets.map((to) => ({ from: each.root, to, kind, evidence }));
  });
}

/** An installation runs these in every package of the workspace, with whatever that is worked on with. */
const RUN_BY_INSTALLATIONS = ['preinstall', 'install', 'postinstall', 'prepare'];

/** What a package may be made with, while it is installed or by a task runner, is part of what others get of it. */
function edgeKind({ manifest }: JavaScriptPackage, { kind }: DeclaredDependency, builds: boolean): UnitEdge['kind'] {
  const made = builds || RUN_BY_INSTALLATIONS.some((name) => manifest.scripts.has(name));
  return kind === 'development' && made ? 'build' : kind;
}

/** The packages of the repository that a dependency may be served by; none when it comes from outside. */
function internalTargets(
  around: LinkedPackages,
  each: JavaScriptPackage,
  dependency: DeclaredDependency,
): readonly string[] {
  const linked = linkedRoot(around, each.root, dependency);
  if (linked !== undefined) return [linked];
  // `npm:other@1` asks a registry, unless the package manager prefers a member of that name whose version fits.
  if (dependency.range.startsWith('npm:')) return around.byName.get(publishedName(dependency.range)) ?? [];
  // `workspace:other@*` asks for a member under another name than its own.
  const alias = /^workspace:((?:@[^/@]+\/)?[^/@]+)@/u.exec(dependency.range)?.[1];
  return around.byName.get(alias ?? dependency.name) ?? [];
}

/** The package behind `npm:other@1`; null where only a range follows. */
function publishedName(range: string): string | null {
  return /^npm:((?:@[^/@]+\/)?[^/@]+)(?:@|$)/u.exec(range)?.[1] ?? null;
}

/** A dependency written as a path to another package of the repository: from where it is written, or from the root. */
function linkedRoot(around: LinkedPackages, from: string, { range }: DeclaredDependency): string | undefined {
  const [, protocol, reference] = /^(file|link|portal|workspace):(.+)$/u.exec(range) ?? [];
  if (reference === undefined) return undefined;
  const folders = protocol === 'workspace' ? [from, around.workspace.root] : [from];
  return folders
    .map((folder) => resolvePath(folder, reference))
    .find((target): target is string => target !== null && target !== from && around.roots.has(target));
}

/** A workspace root's own scripts may read every member: `jest` at the root tests them all. */
export function rootEdges(
  workspace: JavaScriptWorkspace,
  commands: ReadonlyMap<string, readonly UnitCommand[]>,
): UnitEdge[] {
  if (!workspace.defined || (commands.get(workspace.root) ?? []).length === 0) return [];
  const members = workspace.packages.filter(({ root }) => root !== workspace.root);
  const evidence = 'scripts of a workspace root can read all of its members';
  return members.map(({ root }) => ({ from: workspace.root, to: root, kind: 'workspace', evidence }));
}

/** Whether anything has to be downloaded for a workspace. */
export function hasExternalPackages(around: LinkedPackages): boolean {
  return around.workspace.packages.some((each) =>
    each.manifest.dependencies.some(
      (dependency) =>
        dependency.kind !== 'peer' &&
        (dependency.range.startsWith('npm:') || internalTargets(around, each, dependency).length === 0),
    ),
  );
}
