import { readDotnetProject, readPackagesLock, TEST_PACKAGES, type DotnetProject } from '../dotnet/read-project.ts';
import { settingsByFolder, type SharedSettings } from '../dotnet/shared-settings.ts';
import { literalPattern } from '../glob.ts';
import type { DeclaredInput, Discovery, DiscoveryProblem, Unit, UnitCommand, UnitEdge } from '../model.ts';
import type { Paths, RepositoryView } from '../tracing/repository-view.ts';
import { plainUnit } from '../plain-unit.ts';
import { memberOf } from '../parsed-values.ts';
import { quoteForShell } from '../shell-words.ts';
import { byText, fileNameOf, folderOf, foldersUpwards, inFolder, resolvePath } from '../tree-paths.ts';
import type { Detector } from './detector.ts';

/** Projects of .NET, in C#, F# or Visual Basic. */
export const dotnetDetector: Detector = {
  ecosystem: 'dotnet',
  lookedFor: '.csproj, .fsproj or .vbproj (.NET projects)',
  wants: (path) =>
    PROJECT.test(path) || isSettings(path) || ['global.json', 'packages.lock.json'].includes(fileNameOf(path)),
  condense: null,
  detect,
};

const PROJECT = /\.(?:cs|fs|vb)proj$/u;

function isProject(path: string): boolean {
  return PROJECT.test(path);
}

function isSettings(path: string): boolean {
  return /\.(?:props|targets)$/u.test(path);
}

interface Found {
  readonly id: string;
  readonly file: string;
  readonly root: string;
  readonly project: DotnetProject;
}

function detect(snapshot: RepositoryView): Discovery {
  const problems: DiscoveryProblem[] = [];
  const found = readProjects(snapshot, problems);
  const facts = factsOf(snapshot, found);
  return {
    units: found.map((each) => unitOf(each, facts)),
    edges: found.flatMap((each) => edgesOf(each, facts)),
    problems,
  };
}

function readProjects({ listed, parsed }: RepositoryView, problems: DiscoveryProblem[]): Found[] {
  const taken = new Set<string>();
  return listed(isProject).flatMap(({ path: file }): Found[] => {
    const project = parsed(file, readDotnetProject) ?? null;
    const root = folderOf(file);
    if (project === null) {
      const message = `${file} is no .NET project that can be read: what it describes is not planned for`;
      problems.push({ code: 'manifest_unreadable', message, path: file, scope: root });
      return [];
    }
    const id = taken.has(root) ? file : root;
    taken.add(id);
    return [{ id, file, root, project }];
  });
}

interface Facts {
  readonly snapshot: RepositoryView;
  readonly paths: Paths;
  readonly files: Paths;
  readonly byFile: ReadonlyMap<string, Found>;
  /** By what the paths of their files end with: `src/A/A.csproj`, `A/A.csproj`, `A.csproj`. */
  readonly byEnding: ReadonlyMap<string, readonly Found[]>;
  /** Settings that projects import by name, and what these take in: which project does is written in all of them. */
  readonly imported: readonly string[];
  /** Settings that become part of a project in a folder; null where they say too much to be followed. */
  readonly settingsOf: (root: string) => readonly SharedSettings[] | null;
  /** Whether some shared settings make test projects by name. */
  readonly testsByName: boolean;
}

function factsOf(snapshot: RepositoryView, found: readonly Found[]): Facts {
  const byEnding = new Map<string, Found[]>();
  for (const each of found) {
    const parts = each.file.split('/');
    parts.forEach((_, at) => {
      const ending = parts.slice(at).join('/');
      const known = byEnding.get(ending);
      if (known === undefined) byEnding.set(ending, [each]);
      else known.push(each);
    });
  }
  const { places: paths, files } = snapshot;
  const named = snapshot.texts(isSettings);
  const shared = named.flatMap(([path]): SharedSettings[] => {
    const project = snapshot.parsed(path, readDotnetProject) ?? null;
    return project === null ? [] : [{ path, project }];
  });
  const taken = shared.flatMap(({ path, project }) => placesOf(folderOf(path), project.files, paths));
  const byName = named.flatMap(([path]) => (fileNameOf(path).startsWith('Directory.') ? [] : [path]));
  return {
    snapshot,
    paths,
    files,
    settingsOf: settingsByFolder(shared),
    imported: [...new Set([...byName, ...taken])].sort(byText),
    byFile: new Map(found.map((each) => [each.file, each])),
    byEnding,
    testsByName: shared.some(({ project }) => project.packages.some((name) => TEST_PACKAGES.test(name))),
  };
}

/** What a project refers to, and what settings refer to in its place. */
function edgesOf(found: Found, facts: Facts): UnitEdge[] {
  const parts = [{ path: found.file, project: found.project }, ...(facts.settingsOf(found.root) ?? [])];
  return parts.flatMap((part) => referencesIn(part, found, facts));
}

/** Where a reference cannot be followed, the project may depend on any other. */
function referencesIn(
  { path: file, project }: SharedSettings,
  { id, root }: Found,
  { byFile, byEnding }: Facts,
): UnitEdge[] {
  return project.references.flatMap(({ path, forBuild }) => {
    const kind = forBuild ? 'build' : 'production';
    const rest = path.replace(/^(?:\$\([^)]*\))+\/?/u, '');
    const from = /^\$\(MSBuild(?<place>ThisFile|Project)Directory\)/u.exec(path)?.groups?.['place'];
    const direct = byFile.get(
      resolvePath(from === 'ThisFile' ? folderOf(file) : root, from === undefined ? path : rest) ?? '',
    );
    const open = /[$*?]/u.test(path);
    const meant = direct !== undefined ? [direct] : open ? (byEnding.get(rest) ?? [...byFile.values()]) : [];
    return meant
      .filter((other) => other.id !== id)
      .map((other): UnitEdge => ({ from: id, to: other.id, kind, evidence: `ProjectReference ${path} of ${file}` }));
  });
}

function unitOf(found: Found, facts: Facts): Unit {
  const { id, file, root, project } = found;
  const lock = inFolder(root, 'packages.lock.json');
  const shared = sharedFiles(root, facts);
  return {
    ...plainUnit({ root, ecosystem: 'dotnet', manifest: file }),
    id,
    name: fileNameOf(file).replace(PROJECT, ''),
    meaning: project.meaning,
    closure: facts.paths.has(lock) ? readPackagesLock(lock, facts.snapshot.contents.get(lock)) : { kind: 'none' },
    commands: commandsOf(found, facts),
    inputs: inputsOf(found, shared, facts),
    caches: [
      {
        type: 'deps',
        name: 'nuget',
        paths: ['~/.nuget/packages'],
        keyFiles: [
          file,
          ...shared.filter((path) => path.endsWith('Directory.Packages.props')),
          ...(facts.paths.has(lock) ? [lock] : []),
        ],
      },
    ],
    hosts: ['api.nuget.org'],
    env: { CI: 'true', DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1' },
    toolchain: sdkOf(found, facts),
  };
}

/** Settings that the tools look for in every folder upwards. */
const SHARED = [
  'Directory.Build.props',
  'Directory.Build.targets',
  'Directory.Packages.props',
  'Directory.Build.rsp',
  'global.json',
  'nuget.config',
  'NuGet.config',
  'NuGet.Config',
  '.globalconfig',
];

function sharedFiles(root: string, { paths }: Facts): string[] {
  const all = foldersUpwards(root).flatMap((folder) => SHARED.map((name) => inFolder(folder, name)));
  return all.filter((path) => paths.has(path));
}

function inputsOf(
  { file, root, project }: Found,
  shared: readonly string[],
  { paths, files, imported, settingsOf }: Facts,
): DeclaredInput[] {
  const settings = settingsOf(root);
  // Paths in settings are seen from where the project lies.
  const written = [project, ...(settings ?? []).map((each) => each.project)].flatMap((each) => each.files);
  const places = [...new Set(placesOf(root, written, paths))];
  const upwards = new Set(foldersUpwards(root));
  const isFolder = (path: string): boolean => paths.has(path) && !files.has(path);
  const named = places.filter((path) => !isFolder(path));
  const folders = places.filter((path) => isFolder(path) && !upwards.has(path));
  const input = (globs: readonly string[], evidence: string): DeclaredInput[] =>
    globs.length === 0 ? [] : [{ paths: globs, kinds: 'all', evidence }];
  const also = (globs: readonly string[], evidence: string): DeclaredInput[] =>
    input(globs, evidence).map((each) => ({ ...each, also: true }));
  return [
    ...input(shared, 'it sets up projects below it'),
    ...input(imported, 'projects may import it'),
    ...input(named, `${file} names it`),
    ...also(
      folders.map((path) => `${literalPattern(path)}/**`),
      `${file} or its settings name the folder`,
    ),
    ...also(settings === null ? ['**'] : [], 'its settings name more than is followed'),
  ];
}

/** Where paths of a project lead that lie outside of it: a property at their beginning stands for the repository's root. */
function placesOf(root: string, files: readonly string[], paths: Paths): string[] {
  return files.flatMap((path) => {
    const inRepository = /^\$\((?!MSBuild(?:ThisFile|Project)Directory\))/u.test(path);
    const rest = path.replace(/^(?:\$\([^)]*\))+\/?/u, '');
    const at = resolvePath(inRepository ? '.' : root, rest);
    const literal = at?.replace(/\/?[^/]*[*?].*$/u, '') ?? '';
    return at === null || at.includes('$(') || at === '.' || (literal !== '' && !paths.has(literal)) ? [] : [at];
  });
}

/** `global.json` says which SDK; otherwise that of the framework is enough. */
function sdkOf({ file, root, project }: Found, { snapshot }: Facts): Unit['toolchain'] {
  for (const folder of foldersUpwards(root)) {
    const path = inFolder(folder, 'global.json');
    const version = sdkVersion(snapshot.contents.get(path));
    if (version !== null) return { name: 'dotnet', version: `>=${version}`, evidence: path };
  }
  return project.framework === null ? null : { name: 'dotnet', version: `>=${project.framework}`, evidence: file };
}

function sdkVersion(text: string | undefined): string | null {
  try {
    const version = memberOf(memberOf(JSON.parse(text ?? 'null'), 'sdk'), 'version');
    return typeof version === 'string' && /^\d[\w.-]{0,50}$/u.test(version) ? version : null;
  } catch {
    return null;
  }
}

function commandsOf({ id, file, project }: Found, { testsByName }: Facts): UnitCommand[] {
  if (project.needsWindows) return [];
  const argument = quoteForShell(file);
  const command = (kind: UnitCommand['kind'], run: string, evidence: string): UnitCommand => ({
    kind,
    step: { name: `${kind} ${id}`.slice(0, 200), run: `${run} ${argument}`, workdir: '.' },
    evidence,
    // The compiler takes the severity of what it finds from `.editorconfig`.
    text: `${run} by editorconfig`,
    reports: [],
    outputs: [],
    joins: null,
  });
  const named = testsByName && /Tests?$/u.test(fileNameOf(file).replace(PROJECT, ''));
  const tested = project.isTest || named;
  return [
    command('build', 'dotnet build', file),
    ...(tested ? [command('test', 'dotnet test', `packages of tests in ${file}`)] : []),
  ];
}
