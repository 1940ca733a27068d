import { childrenOf, elementsAt, readXml, textAt, textsOf, xmlText, type XmlElement } from '../xml/read-xml.ts';

export interface PomDependency {
  readonly groupId: string;
  readonly artifactId: string;
  readonly version: string | null;
  readonly scope: string | null;
  /** Whether it asks for the tests of the other module. */
  readonly ofTests: boolean;
}

export interface PomParent {
  readonly groupId: string;
  readonly artifactId: string;
  readonly version: string | null;
  /** As written; null where the pom says that there is none in the repository. */
  readonly relativePath: string | null;
}

/** What planning reads of a `pom.xml`; texts may still contain `${...}`. */
export interface Pom {
  readonly groupId: string | null;
  readonly artifactId: string;
  readonly version: string | null;
  readonly packaging: string;
  readonly parent: PomParent | null;
  /** Folders or files of modules that are always part of the build, then those that profiles bring in. */
  readonly modules: readonly string[];
  readonly optionalModules: readonly string[];
  readonly properties: ReadonlyMap<string, string>;
  readonly dependencies: readonly PomDependency[];
  /** Scopes and imports that `dependencyManagement` settles. */
  readonly managed: readonly PomDependency[];
  /** Plugins, extensions, and what they are given to work with. */
  readonly plugins: readonly PomDependency[];
  /** Addresses of the repositories it names. */
  readonly repositories: readonly string[];
  /** Paths that lead out of the folder, beginning with `${...}` or `..`. */
  readonly paths: readonly string[];
  readonly element: XmlElement;
}

/** Null for what is no project that could be built. */
export function readPom(text: string): Pom | null {
  const element = readXml(text);
  const artifactId = textAt(element, 'artifactId');
  if (element?.name !== 'project' || artifactId === null) return null;
  const profiles = elementsAt(element, 'profiles/profile');
  const all = [element, ...profiles];
  const active = [element, ...profiles.filter((each) => textAt(each, 'activation/activeByDefault') === 'true')];
  const at = (path: string): XmlElement[] => all.flatMap((each) => elementsAt(each, path));
  const modules = active.flatMap(modulesOf);
  const plugins = [...at('build/plugins/plugin'), ...at('build/pluginManagement/plugins/plugin')];
  return {
    groupId: textAt(element, 'groupId'),
    artifactId,
    version: textAt(element, 'version'),
    packaging: textAt(element, 'packaging') ?? 'jar',
    parent: parentOf(element),
    modules,
    optionalModules: profiles.flatMap(modulesOf).filter((each) => !modules.includes(each)),
    properties: propertiesOf(element),
    dependencies: at('dependencies/dependency').flatMap(dependencyOf),
    managed: at('dependencyManagement/dependencies/dependency').flatMap(dependencyOf),
    plugins: [
      ...[...plugins, ...at('build/extensions/extension')].flatMap(dependencyOf),
      ...plugins.flatMap((plugin) => elementsAt(plugin, 'dependencies/dependency')).flatMap(dependencyOf),
    ],
    repositories: ['repositories/repository/url', 'pluginRepositories/pluginRepository/url'].flatMap((path) =>
      at(path).map((url) => url.text),
    ),
    paths: pathsOf(element),
    element,
  };
}

function modulesOf(element: XmlElement): string[] {
  const found = [...elementsAt(element, 'modules/module'), ...elementsAt(element, 'subprojects/subproject')];
  return found.map(({ text }) => text).filter((text) => text !== '');
}

function parentOf(element: XmlElement): PomParent | null {
  const parent = childrenOf(element, 'parent')[0];
  const artifactId = textAt(parent, 'artifactId');
  if (artifactId === null) return null;
  const relative = childrenOf(parent, 'relativePath')[0];
  const relativePath = relative === undefined ? '..' : relative.text === '' ? null : relative.text;
  return { groupId: textAt(parent, 'groupId') ?? '', artifactId, version: textAt(parent, 'version'), relativePath };
}

function propertiesOf(element: XmlElement): Map<string, string> {
  return new Map(
    childrenOf(element, 'properties').flatMap(({ children }) => children.map(({ name, text }) => [name, text])),
  );
}

function dependencyOf(element: XmlElement): PomDependency[] {
  const artifactId = textAt(element, 'artifactId');
  if (artifactId === null) return [];
  const tests = textAt(element, 'type') === 'test-jar' || /^tests?$/u.test(textAt(element, 'classifier') ?? '');
  const [version, scope] = [textAt(element, 'version'), textAt(element, 'scope')];
  return [{ groupId: textAt(element, 'groupId') ?? '', artifactId, version, scope, ofTests: tests }];
}

const PATH = /(?:\$\{[\w.]*(?:basedir|Directory)[\w.]*\}|\.\.)\/[^\s,;:"'<>*]+/giu;

function pathsOf(element: XmlElement): string[] {
  return [...new Set(textsOf(element).flatMap((text) => text.match(PATH) ?? []))];
}

/** What describes a project to people and to those who publish it. */
const TOLD = new Set([
  'name',
  'description',
  'url',
  'inceptionYear',
  'organization',
  'licenses',
  'developers',
  'contributors',
  'mailingLists',
  'scm',
  'issueManagement',
  'ciManagement',
  'distributionManagement',
  'prerequisites',
]);

/**
 * What a pom says to a build. Releases change versions everywhere at once, so its own and its parent's are left out where
 * they are no more than names for what lies in the repository.
 */
export function meaningOf({ element }: Pom, leftOut: { readonly own: boolean; readonly parents: boolean }): string {
  return xmlText(element, (child, { name }) => {
    if (name === 'project') return TOLD.has(child.name) || (leftOut.own && child.name === 'version');
    return name === 'parent' && leftOut.parents && child.name === 'version';
  });
}
