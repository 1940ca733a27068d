import { filledIn, keyOf, type MavenProject } from './reactors.ts';
import type { PomDependency } from './read-pom.ts';

/** Projects by `groupId:artifactId`. */
export type ProjectsByName = ReadonlyMap<string, MavenProject>;

/** What each project says itself that it is made of, as far as that is made here, by its root; the same thing once. */
export function localDependencies(
  projects: readonly MavenProject[],
  byName: ProjectsByName,
): ReadonlyMap<string, readonly PomDependency[]> {
  return new Map(
    projects.map(({ root, dependencies }) => {
      const told = new Map<string, PomDependency>();
      for (const each of dependencies) {
        const key = keyOf(each);
        if (byName.has(key)) told.set(JSON.stringify([key, each.scope, each.ofTests, each.version]), each);
      }
      return [root, [...told.values()]];
    }),
  );
}

/** The project, and those it inherits from. */
export function withParents(project: MavenProject): MavenProject[] {
  const all: MavenProject[] = [];
  for (let at: MavenProject | null = project; at !== null; at = at.parent) all.push(at);
  return all;
}

/**
 * Names of projects for which somebody in the repository asks in a version that is not the one they have, or in one that
 * is not known. Those come from elsewhere as long as that is so: whether they do hangs on their version.
 */
export function askedOtherwise(
  projects: readonly MavenProject[],
  byName: ProjectsByName,
  local: ReadonlyMap<string, readonly PomDependency[]>,
): ReadonlySet<string> {
  const otherwise = new Set<string>();
  const managed = differentlyManaged(projects, byName);
  for (const project of projects) {
    const inherited = withParents(project).flatMap(({ root }) => local.get(root) ?? []);
    const imported = project.pom.managed.filter(({ scope }) => scope === 'import');
    const others = [...imported, ...project.pom.plugins].map((each) => filledIn(each, project.fill));
    for (const each of [...inherited, ...others]) {
      const key = keyOf(each);
      const version = byName.get(key)?.version;
      if (version === undefined) continue;
      const asked = each.version === null ? managed(key) : project.fill(each.version) !== version;
      if (asked) otherwise.add(key);
    }
  }
  return otherwise;
}

/** Whether one that is named without a version may be another than that of the repository: by any list of versions. */
function differentlyManaged(projects: readonly MavenProject[], byName: ProjectsByName): (key: string) => boolean {
  const found = new Map<string, boolean>();
  for (const { managed, fill } of projects) {
    for (const [key, { version }] of managed) {
      const has = byName.get(key)?.version;
      if (has === undefined || version === null) continue;
      found.set(key, found.get(key) === true || fill(version) !== has);
    }
  }
  return (key) => found.get(key) ?? true;
}
