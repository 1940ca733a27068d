import type { DiscoveryProblem } from '../model.ts';
import type { RepositoryView } from '../tracing/repository-view.ts';
import { byText, fileNameOf, folderOf, inFolder, resolvePath } from '../tree-paths.ts';
import { readPom, type Pom, type PomDependency } from './read-pom.ts';

/** A project of Maven, as its place among the others makes it. */
export interface MavenProject {
  readonly root: string;
  readonly pom: Pom;
  /** The project of the repository it inherits from. */
  readonly parent: MavenProject | null;
  readonly groupId: string;
  readonly artifactId: string;
  /** Filled in; empty where neither it nor its parent says one. */
  readonly version: string;
  /** The project that is started to build it: the one that lists it, and is listed by none itself. */
  readonly top: string;
  /** The project that lists it. */
  readonly listedBy: string | null;
  /** Whether it is part of the build only where some profile is on. */
  readonly optional: boolean;
  /** Puts in place of `${name}` what the poms from here upwards say; what they do not say stays. */
  readonly fill: (text: string) => string;
  /** What its own pom names, filled in, with scopes and versions that are settled upwards; versions are as written. */
  readonly dependencies: readonly PomDependency[];
  /** What its own pom settles, by `groupId:artifactId`. */
  readonly managed: ReadonlyMap<string, PomDependency>;
}

/** Poms below these are material of tests and archetypes. */
const MATERIAL = /(?:^|\/)(?:src|target|node_modules)\//u;

export function isPom(path: string): boolean {
  return fileNameOf(path) === 'pom.xml' && !MATERIAL.test(path);
}

/** Every project by its folder. A pom that cannot be read is a problem. */
export function readProjects(snapshot: RepositoryView, problems: DiscoveryProblem[]): Map<string, MavenProject> {
  const poms = readPoms(snapshot, problems);
  const listings = listingsIn(poms);
  const byArtifact = Map.groupBy(poms.keys(), (root) => poms.get(root)?.artifactId ?? '');
  const reading: Reading = { poms, listings, byArtifact, projects: new Map() };
  for (const root of [...poms.keys()].sort(byText)) projectAt(root, reading, new Set());
  return reading.projects;
}

function readPoms(snapshot: RepositoryView, problems: DiscoveryProblem[]): Map<string, Pom> {
  const poms = new Map<string, Pom>();
  for (const { path } of snapshot.listed(isPom)) {
    const pom = snapshot.parsed(path, readPom) ?? null;
    if (pom !== null) poms.set(folderOf(path), pom);
    else {
      const message = `${path} is no Maven project that can be read: what it describes is not planned for`;
      problems.push({ code: 'manifest_unreadable', message, path, scope: folderOf(path) });
    }
  }
  return poms;
}

interface Listing {
  readonly by: string;
  readonly optional: boolean;
}

/** Who lists whom. Of several the first that always does. */
function listingsIn(poms: ReadonlyMap<string, Pom>): Map<string, Listing> {
  const listings = new Map<string, Listing>();
  for (const [by, { modules, optionalModules }] of [...poms].sort(([one], [other]) => byText(one, other))) {
    for (const [names, optional] of [[modules, false] as const, [optionalModules, true] as const]) {
      for (const name of names) {
        const root = folderOfPom(by, name);
        const known = root === null ? undefined : listings.get(root);
        if (root === null || root === by || !poms.has(root)) continue;
        if (known === undefined || (known.optional && !optional)) listings.set(root, { by, optional });
      }
    }
  }
  return listings;
}

/** A module or parent is named by its folder or by its file. */
function folderOfPom(from: string, name: string): string | null {
  const at = resolvePath(from, name.replaceAll('\\', '/'));
  return at?.endsWith('.xml') === true ? folderOf(at) : at;
}

/** Real ones inherit over three or four poms. Beyond this, and in circles, there is no parent. */
const PARENTS_MAX = 32;

interface Reading {
  readonly poms: ReadonlyMap<string, Pom>;
  readonly listings: ReadonlyMap<string, Listing>;
  /** Folders by what their poms are called. */
  readonly byArtifact: ReadonlyMap<string, readonly string[]>;
  readonly projects: Map<string, MavenProject>;
}

function projectAt(root: string, reading: Reading, below: ReadonlySet<string>): MavenProject | null {
  const { poms, listings, projects } = reading;
  const known = projects.get(root);
  const pom = poms.get(root);
  if (known !== undefined || pom === undefined) return known ?? null;
  if (below.has(root) || below.size > PARENTS_MAX) return null;
  const place = parentFolder(root, pom, reading);
  const parent = place === null ? null : projectAt(place, reading, new Set([...below, root]));
  const fill = fillerOf(pom, parent);
  const managed = new Map(pom.managed.map((each) => filledIn(each, fill)).map((each) => [keyOf(each), each]));
  const own = pom.dependencies.map((each): PomDependency => {
    const filled = filledIn(each, fill);
    const settled = managed.get(keyOf(filled)) ?? settledBy(parent, keyOf(filled));
    return {
      ...filled,
      scope: filled.scope ?? settled?.scope ?? null,
      version: filled.version ?? settled?.version ?? null,
    };
  });
  const project: MavenProject = {
    root,
    pom,
    parent,
    groupId: fill(pom.groupId ?? pom.parent?.groupId ?? ''),
    artifactId: fill(pom.artifactId),
    ...placeAmong(root, listings),
    fill,
    version: fill(pom.version ?? pom.parent?.version ?? ''),
    dependencies: own,
    managed,
  };
  projects.set(root, project);
  return project;
}

function settledBy(project: MavenProject | null, key: string): PomDependency | null {
  for (let at = project; at !== null; at = at.parent) {
    const settled = at.managed.get(key);
    if (settled !== undefined) return settled;
  }
  return null;
}

export function keyOf({ groupId, artifactId }: { readonly groupId: string; readonly artifactId: string }): string {
  return `${groupId}:${artifactId}`;
}

export function filledIn(dependency: PomDependency, fill: MavenProject['fill']): PomDependency {
  return { ...dependency, groupId: fill(dependency.groupId), artifactId: fill(dependency.artifactId) };
}

/** The pom that `relativePath` leads to, if it is the one that is meant. */
function parentFolder(root: string, pom: Pom, { poms, byArtifact }: Reading): string | null {
  if (pom.parent === null) return null;
  const { relativePath, artifactId } = pom.parent;
  const at = relativePath === null ? null : folderOfPom(root, relativePath);
  if (at !== null && poms.get(at)?.artifactId === artifactId) return at;
  // Maven 4 looks for it in the whole build.
  const named = byArtifact.get(artifactId) ?? [];
  return named.length === 1 ? (named[0] ?? null) : null;
}

function placeAmong(
  root: string,
  listings: ReadonlyMap<string, Listing>,
): Pick<MavenProject, 'top' | 'listedBy' | 'optional'> {
  let top = root;
  let optional = false;
  const seen = new Set([root]);
  for (let at = listings.get(root); at !== undefined && !seen.has(at.by); at = listings.get(at.by)) {
    top = at.by;
    optional ||= at.optional;
    seen.add(at.by);
  }
  return { top, optional, listedBy: listings.get(root)?.by ?? null };
}

/** A value may contain others; each text is filled in this often, and not beyond this length. */
const ROUNDS_MAX = 8;
const LENGTH_MAX = 4_096;

function fillerOf(pom: Pom, parent: MavenProject | null): MavenProject['fill'] {
  const valueOf = (name: string): string | null => {
    const plain = name.replace(/^(?:project|pom)\./u, '');
    if (plain === 'groupId') return pom.groupId ?? pom.parent?.groupId ?? null;
    if (plain === 'artifactId') return pom.artifactId;
    if (plain === 'version') return pom.version ?? pom.parent?.version ?? null;
    if (plain === 'parent.version') return pom.parent?.version ?? null;
    if (plain === 'parent.groupId') return pom.parent?.groupId ?? null;
    for (
      let at: { readonly pom: Pom; readonly parent: MavenProject | null } | null = { pom, parent };
      at !== null;
      at = at.parent
    ) {
      const value = at.pom.properties.get(name);
      if (value !== undefined) return value;
    }
    return null;
  };
  return (text) => {
    let filled = text;
    for (let round = 0; round < ROUNDS_MAX && filled.includes('${') && filled.length < LENGTH_MAX; round += 1) {
      let spent = 0;
      filled = filled.slice(0, LENGTH_MAX).replace(/\$\{(?<name>[\w.-]{1,200})\}/gu, (whole, name: string) => {
        const value = valueOf(name) ?? whole;
        spent += value.length;
        return spent > LENGTH_MAX ? whole : value;
      });
    }
    return filled;
  };
}

/** Where a path of a pom leads, from the repository's root. */
export function placeOf(path: string, { root, top, fill }: MavenProject): string | null {
  const base = /multiModule|executionRoot/u.test(path) ? top : root;
  const filled = fill(path).replace(/^\$\{[^}]*\}\//u, '');
  return resolvePath(base, filled);
}

export function pomOf(root: string): string {
  return inFolder(root, 'pom.xml');
}
