import { compileGlob } from '../glob.ts';
import type { UnitEdge } from '../model.ts';
import { asText, asTexts, memberOf } from '../parsed-values.ts';
import type { NxProject, NxWorkspace } from './projects.ts';
import { settingOf, type NxTarget } from './targets.ts';

/** Edges that settings of Nx declare: `implicitDependencies`, and targets that need targets of other projects. */
export function declaredProjectEdges(
  nx: NxWorkspace,
  targetsOf: (project: NxProject) => readonly NxTarget[],
): (project: NxProject) => UnitEdge[] {
  const all = [...nx.projects.values()];
  const byName = new Map(all.map((project) => [project.name, project]));
  return (project) => {
    const implicit = project.implicitDependencies
      .filter((name) => !name.startsWith('!'))
      .flatMap((name) =>
        matching(all, byName, name).map((to) => ({ to, evidence: `implicitDependencies of ${project.path}` })),
      );
    const needed = targetsOf(project).flatMap((target) =>
      neededProjects(nx, target).flatMap((name) =>
        matching(all, byName, name).map((to) => ({
          to,
          evidence: `dependsOn of the target ${target.name} of ${project.path}`,
        })),
      ),
    );
    return [...implicit, ...needed]
      .filter(({ to }) => to.root !== project.root)
      .map(({ to, evidence }): UnitEdge => ({ from: project.root, to: to.root, kind: 'build', evidence }));
  };
}

/** Projects that a project says not to depend on, whatever it imports. */
export function excludedProjects({ projects }: NxWorkspace, { implicitDependencies }: NxProject): Set<string> {
  const names = new Set(implicitDependencies.flatMap((name) => (name.startsWith('!') ? [name.slice(1)] : [])));
  return new Set([...projects.values()].filter(({ name }) => names.has(name)).map(({ root }) => root));
}

function matching(
  all: readonly NxProject[],
  byName: ReadonlyMap<string, NxProject>,
  pattern: string,
): readonly NxProject[] {
  const exact = byName.get(pattern);
  if (exact !== undefined) return [exact];
  const tag = /^tag:(.+)$/u.exec(pattern)?.[1];
  if (tag !== undefined) return all.filter(({ tags }) => tags.includes(tag));
  if (!/[*?[{]/u.test(pattern)) return [];
  const matches = compileGlob(pattern.replaceAll('/', ':'));
  return all.filter(({ name }) => matches?.(name.replaceAll('/', ':')) === true);
}

/** `project:target`, or `{ projects: [names], target }`. */
function neededProjects(nx: NxWorkspace, target: NxTarget): string[] {
  const needs = settingOf(nx, target, 'dependsOn');
  return (Array.isArray(needs) ? needs : []).flatMap((need: unknown): string[] => {
    const text = asText(need);
    if (text !== null) {
      const colon = text.indexOf(':');
      return colon > 0 && !text.startsWith('^') ? [text.slice(0, colon)] : [];
    }
    const projects = memberOf(need, 'projects');
    return asTexts(projects) ?? (asText(projects) === null ? [] : [asText(projects) ?? '']);
  });
}
