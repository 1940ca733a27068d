import { asRecord, memberOf } from '../parsed-values.ts';
import type { ExternalClosure } from '../model.ts';
import { readXml, textsOf, xmlText, type XmlElement } from '../xml/read-xml.ts';

/** What planning reads of a project file of .NET; paths with `/`, and may still contain `$(...)`. */
export interface DotnetProject {
  readonly references: readonly { readonly path: string; readonly forBuild: boolean }[];
  /** Files it takes in that lie elsewhere: sources, imports, data. */
  readonly files: readonly string[];
  readonly packages: readonly string[];
  /** The lowest version of .NET it is built for, as in `net8.0`; null for older ones. */
  readonly framework: string | null;
  /** Whether only Windows can build it. */
  readonly needsWindows: boolean;
  readonly isTest: boolean;
  readonly meaning: string;
}

/** Null for what is no project. */
export function readDotnetProject(text: string): DotnetProject | null {
  const element = readXml(text);
  if (element?.name !== 'Project') return null;
  const all = elementsIn(element);
  const valuesOf = (name: string): string[] => all.filter((each) => each.name === name).map((each) => each.text);
  const packages = all.filter(({ name }) => name === 'PackageReference').flatMap((each) => pathsIn(each, 'Include'));
  const frameworks = [...valuesOf('TargetFramework'), ...valuesOf('TargetFrameworks')].flatMap((value) =>
    value.split(';'),
  );
  return {
    references: all.filter(({ name }) => name === 'ProjectReference').flatMap(referencesOf),
    files: [...new Set(all.flatMap(filesOf))],
    packages,
    framework: lowest(frameworks),
    needsWindows:
      frameworks.some((each) => each.includes('-windows')) ||
      [...valuesOf('UseWPF'), ...valuesOf('UseWindowsForms')].includes('true'),
    isTest: packages.some((name) => TEST_PACKAGES.test(name)) || valuesOf('IsTestProject').includes('true'),
    meaning: meaningOf(element),
  };
}

/** What makes `dotnet test` find something. */
export const TEST_PACKAGES = /^(?:Microsoft\.NET\.Test\.Sdk|MSTest)$/iu;

/** What describes a package to people, and its own version. */
const TOLD =
  /^(?:Description|Authors|Company|Copyright|Product|Title|Version|VersionPrefix|VersionSuffix|RepositoryUrl|RepositoryType|Package(?:Tags|ReleaseNotes|ProjectUrl|Icon|IconUrl|LicenseExpression|LicenseUrl|ReadmeFile))$/u;

/** An item may have a member of such a name, and what a property says may be taken by others. */
function meaningOf(project: XmlElement): string {
  const texts = textsOf(project).flatMap((text) => [...text.matchAll(/\$\((?<name>[\w.]+)/gu)]);
  const taken = new Set(texts.map(({ groups }) => groups?.['name']));
  return xmlText(project, ({ name }, parent) => parent.name === 'PropertyGroup' && TOLD.test(name) && !taken.has(name));
}

function elementsIn(element: XmlElement): XmlElement[] {
  return [element, ...element.children.flatMap(elementsIn)];
}

function pathsIn({ attributes }: XmlElement, name: string): string[] {
  return pathsOf(attributes.get(name) ?? '');
}

function pathsOf(value: string): string[] {
  const paths = value.split(';').map((each) => each.trim().replaceAll('\\', '/'));
  return paths.filter((each) => each !== '');
}

function referencesOf(element: XmlElement): DotnetProject['references'] {
  const said = new Map([...element.attributes, ...element.children.map(({ name, text }) => [name, text] as const)]);
  const forBuild = said.get('ReferenceOutputAssembly') === 'false' || said.get('OutputItemType') === 'Analyzer';
  return pathsIn(element, 'Include').map((path) => ({ path, forBuild }));
}

/** Whatever begins like a path that leads out of the folder, wherever it stands. */
function filesOf(element: XmlElement): string[] {
  if (element.name === 'ProjectReference' || element.name === 'PackageReference') return [];
  const named = [
    ...pathsIn(element, 'Include'),
    ...(element.name === 'Import' ? pathsIn(element, 'Project') : []),
    ...(element.name === 'HintPath' ? pathsOf(element.text) : []),
  ];
  const all = [...element.attributes.values(), element.text].flatMap(pathsOf);
  return [...named.filter((path) => path.startsWith('$(')), ...all.filter((path) => path.startsWith('../'))];
}

function lowest(frameworks: readonly string[]): string | null {
  const versions = frameworks.flatMap(
    (each) => /^net(?<version>\d{1,2}\.\d)(?:-|$)/u.exec(each.trim())?.groups?.['version'] ?? [],
  );
  return versions.sort((one, other) => Number(one) - Number(other)).at(-1) ?? null;
}

/** Packages of `packages.lock.json` by framework and name. */
export function readPackagesLock(lockfile: string, text: string | undefined): ExternalClosure {
  const unreadable = (reason: string): ExternalClosure => ({ kind: 'unreadable', lockfile, reason });
  if (text === undefined) return unreadable('it is too large or not text');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return unreadable('it is no JSON');
  }
  const packages = new Map<string, string>();
  for (const [framework, members] of Object.entries(asRecord(memberOf(value, 'dependencies')) ?? {})) {
    for (const [name, each] of Object.entries(asRecord(members) ?? {})) {
      const identity = ['resolved', 'contentHash']
        .map((key) => memberOf(each, key))
        .filter((part) => typeof part === 'string');
      packages.set(`${framework} ${name}`, identity.join(' '));
    }
  }
  return { kind: 'resolved', lockfile, packages };
}
