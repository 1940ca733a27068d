import { literalPattern } from '../glob.ts';
import type { DeclaredInput, Discovery, ExternalClosure, Unit, UnitCache, UnitEdge } from '../model.ts';
import { foldersWith, type RepositoryView } from '../tracing/repository-view.ts';
import { plainUnit } from '../plain-unit.ts';
import { byText, fileNameOf, foldersUpwards, inFolder, isWithin } from '../tree-paths.ts';
import { commandsOf } from './commands.ts';
import { closureOf, locationsFor } from './locks.ts';
import type { Requirement } from './requirement-lines.ts';
import { testedProse } from './tested-prose.ts';
import { readPythonTree, type PythonTree, type PythonUnit } from './projects.ts';

/** Units and edges of all Python packages. */
export function discoverPython(snapshot: RepositoryView): Discovery {
  const tree = readPythonTree(snapshot);
  const byRoot = new Map(tree.units.map((unit) => [unit.root, unit]));
  const tested = foldersWithTests(snapshot, byRoot);
  const around: Surroundings = { snapshot, tree, byRoot, tested, members: membersOf(tree) };
  const edges = withoutRepeats(tree.units.flatMap((unit) => edgesOf(around, unit)));
  const byOrigin = Map.groupBy(edges, ({ from }) => from);
  const units = tree.units.map((unit) => unitOf(around, unit, byOrigin.get(unit.root) ?? []));
  return { units, edges, problems: tree.problems };
}

interface Surroundings {
  readonly snapshot: RepositoryView;
  readonly tree: PythonTree;
  readonly byRoot: ReadonlyMap<string, PythonUnit>;
  readonly tested: ReadonlySet<string>;
  /** Members of each workspace by name. */
  readonly members: ReadonlyMap<string, ReadonlyMap<string, PythonUnit>>;
}

function membersOf({ units }: PythonTree): Map<string, Map<string, PythonUnit>> {
  const members = new Map<string, Map<string, PythonUnit>>();
  for (const unit of units) {
    const named = members.get(unit.workspace) ?? new Map<string, PythonUnit>();
    members.set(unit.workspace, named);
    const name = unit.project?.name ?? null;
    if (name !== null) named.set(name, unit);
  }
  return members;
}

const TEST_FILE = /(?:^|\/)(?:test_[^/]*|[^/]*_test)\.py$/u;

const TEST_FOLDERS = foldersWith((path, type) => TEST_FILE.test(path) && (type === 'file' || type === 'executable'));

function foldersWithTests({ ask }: RepositoryView, byRoot: ReadonlyMap<string, PythonUnit>): Set<string> {
  const tested = new Set<string>();
  for (const at of ask(TEST_FOLDERS)) {
    const root = foldersUpwards(at).find((folder) => byRoot.has(folder));
    if (root !== undefined) tested.add(root);
  }
  return tested;
}

/** The root of the workspace that a unit is a member of; null for the root itself and for what stands alone. */
function topOf({ byRoot }: Surroundings, { root, workspace }: PythonUnit): PythonUnit | null {
  return workspace === root ? null : (byRoot.get(workspace) ?? null);
}

/** One edge of each kind between two units; of several, the first one. */
function withoutRepeats(edges: readonly UnitEdge[]): UnitEdge[] {
  return [...new Map(edges.toReversed().map((edge) => [`${edge.from}\n${edge.to}\n${edge.kind}`, edge])).values()];
}

function edgesOf(around: Surroundings, unit: PythonUnit): UnitEdge[] {
  const { byRoot, members } = around;
  const edge = (to: string | null, kind: UnitEdge['kind'], evidence: string): UnitEdge[] =>
    to === null || to === unit.root || !byRoot.has(to) ? [] : [{ from: unit.root, to, kind, evidence }];
  const sources = [unit, topOf(around, unit)].flatMap((each) =>
    each?.project === null || each === null ? [] : [each.project.sources],
  );
  const target = ({ name, folder }: Requirement): string | null => {
    if (folder !== null) return folder;
    const source = name === null ? undefined : sources.map((each) => each.get(name)).find((each) => each !== undefined);
    if (source?.workspace === true) return members.get(unit.workspace)?.get(name ?? '')?.root ?? null;
    return source?.folder ?? null;
  };
  const declared = (unit.project?.requirements ?? []).flatMap((requirement) =>
    edge(
      target(requirement),
      requirement.kind,
      `${requirement.name ?? requirement.folder ?? ''} among the ${requirement.table} of ${unit.manifest}`,
    ),
  );
  const written = unit.requirementFiles.flatMap(({ path, requirements }) =>
    requirements.flatMap(({ folder }) => edge(folder, 'production', `${folder ?? ''} in ${path}`)),
  );
  return [...declared, ...written, ...lockedEdges(around, unit), ...rootEdges(around, unit)];
}

/** What a lockfile says of members counts too: a manifest may leave its dependencies to a program. */
function lockedEdges({ members }: Surroundings, { root, workspace, lock, project }: PythonUnit): UnitEdge[] {
  const own = project?.name ?? null;
  if (lock?.kind !== 'read' || own === null) return [];
  return [...lock.packages].flatMap(([location, { next }]): UnitEdge[] => {
    if (location !== own && !location.startsWith(`${own}[`)) return [];
    const kind = location.startsWith(`${own}[group `) ? 'development' : 'production';
    return next.flatMap((name): UnitEdge[] => {
      const to = members.get(workspace)?.get(name)?.root ?? root;
      return to === root ? [] : [{ from: root, to, kind, evidence: `${location} needs ${name} in ${lock.path}` }];
    });
  });
}

/** Tests at the root of a workspace run where all of its members are installed. */
function rootEdges({ members }: Surroundings, { root, project }: PythonUnit): UnitEdge[] {
  if ((project?.workspace ?? null) === null) return [];
  const others = [...(members.get(root)?.values() ?? [])].filter((member) => member.root !== root);
  const evidence = 'what runs at the root of a workspace can import all of its members';
  return others.map((member) => ({ from: root, to: member.root, kind: 'workspace', evidence }));
}

function closureFor(around: Surroundings, unit: PythonUnit): ExternalClosure {
  const { lock, project, requirementFiles } = unit;
  if (lock?.kind === 'unreadable') return { kind: 'unreadable', lockfile: lock.path, reason: lock.reason };
  const [first] = requirementFiles;
  if (lock === null && first !== undefined) {
    const lines = requirementFiles.flatMap((file) =>
      file.lines.map((line): [string, string] => [nameOfLine(line), line]),
    );
    const byName = Map.groupBy(lines, ([name]) => name);
    const packages = [...byName].map(([name, all]) => [name, all.map(([, line]) => line).join(' | ')] as const);
    return { kind: 'resolved', lockfile: first.path, packages: new Map(packages) };
  }
  if (lock === null) return { kind: 'none' };
  if (fileNameOf(lock.path) === 'Pipfile.lock') {
    return {
      kind: 'resolved',
      lockfile: lock.path,
      packages: new Map([...lock.packages].map(([name, { identity }]) => [name, identity])),
    };
  }
  // Only members share the lockfile: what else comes by path has its packages resolved here too.
  const units = new Set(around.members.get(unit.workspace)?.keys());
  // Tools that the root of a workspace asks for are there for all of its members.
  const shared = topOf(around, unit)?.project?.requirements.filter(({ kind }) => kind === 'development') ?? [];
  // What builds a package is no part of a lockfile.
  const named = [...(project?.requirements ?? []), ...shared].filter(({ kind }) => kind !== 'build');
  const packages = closureOf(lock, project?.name ?? null, named.flatMap(locationsFor), units);
  return { kind: 'resolved', lockfile: lock.path, packages };
}

/** What the manifest says to an installation: of what is no project's file, all of its text or its requirements. */
function writtenMeaning({ snapshot }: Surroundings, { manifest, project, requirementFiles }: PythonUnit): unknown {
  const listed = requirementFiles.find(({ path }) => path === manifest);
  return project?.meaning ?? listed?.lines ?? snapshot.contents.get(manifest) ?? null;
}

/** What a line of requirements is about; for an option, the whole line. */
function nameOfLine(line: string): string {
  return line.startsWith('-') ? line : (line.split(/[\s=<>!~;@[]/u, 1)[0] ?? line);
}

/** Where packages and their metadata come from unless told otherwise. */
const HOSTS = ['files.pythonhosted.org', 'pypi.org'];

function unitOf(around: Surroundings, unit: PythonUnit, edges: readonly UnitEdge[]): Unit {
  const { root, manifest, project, workspace } = unit;
  const { snapshot, tree, tested } = around;
  const facts = { unit, top: topOf(around, unit), snapshot, files: tree.files, tested: tested.has(root) };
  const { commands, install } = commandsOf(facts);
  const internal = edges.map(({ to, kind }) => `${to} ${kind}`);
  const toolchain = toolchainOf(around, unit);
  const isRoot = (project?.workspace ?? null) !== null;
  const at = unit.installer === 'uv' ? workspace : root;
  return {
    ...plainUnit({ root, ecosystem: 'python', manifest }),
    name: project?.name ?? root,
    workspace,
    meaning: JSON.stringify([writtenMeaning(around, unit), internal.sort(byText), toolchain?.version ?? null]),
    workspaceMeaning: isRoot ? (project?.meaning ?? null) : null,
    closure: closureFor(around, unit),
    commands,
    inputs:
      commands.length === 0
        ? []
        : [...inputsOf(unit), ...ownSources(around, unit), ...testedProse(unit, facts.top, snapshot)],
    caches: commands.length === 0 ? [] : cachesOf(unit),
    install: install === null ? [] : [{ name: 'install', run: install, workdir: at }],
    hosts: install === null ? [] : HOSTS,
    env: { CI: 'true', PIP_DISABLE_PIP_VERSION_CHECK: '1' },
    toolchain,
  };
}

function toolchainOf({ snapshot, tree }: Surroundings, { root, project, manifest }: PythonUnit): Unit['toolchain'] {
  const path = foldersUpwards(root)
    .map((folder) => inFolder(folder, '.python-version'))
    .find((each) => tree.files.has(each));
  const version = path === undefined ? '' : (snapshot.contents.get(path) ?? '').trim();
  if (path !== undefined && /^\d+(?:\.\d+){0,2}$/u.test(version)) return { name: 'python', version, evidence: path };
  const requires = project?.requires ?? null;
  if (requires === null || requires.length > 100) return null;
  return { name: 'python', version: requires.replace(/\s+/gu, ''), evidence: `requires-python of ${manifest}` };
}

/** Whatever sets Python and its tools up for a folder, now or once there is such a file. */
function inputsOf({ root, requirementFiles }: PythonUnit): DeclaredInput[] {
  const upwards = (names: readonly string[]): string[] =>
    foldersUpwards(root).map((folder) => inFolder(literalPattern(folder), `{${names.join(',')}}`));
  const elsewhere = requirementFiles.map(({ path }) => path).filter((path) => !isWithin(path, root));
  const included: DeclaredInput = {
    paths: elsewhere.map(literalPattern),
    kinds: 'all',
    evidence: 'it is installed from it',
  };
  return [
    {
      paths: upwards(['.python-version', 'uv.toml', 'poetry.toml', 'setup.cfg']),
      kinds: 'all',
      evidence: 'it sets Python up',
    },
    { paths: upwards(['ruff.toml', '.ruff.toml', '.flake8']), kinds: ['lint'], evidence: 'it sets a linter up' },
    {
      paths: upwards(['mypy.ini', '.mypy.ini', 'pyrightconfig.json']),
      kinds: ['typecheck'],
      evidence: 'it sets type checks up',
    },
    { paths: upwards(['pytest.ini', '.pytest.ini', 'conftest.py']), kinds: ['test'], evidence: 'pytest reads it' },
    {
      paths: upwards(['tox.ini']),
      kinds: ['lint', 'test', 'typecheck'],
      evidence: 'tools find settings in it',
    },
    ...(elsewhere.length === 0 ? [] : [included]),
  ];
}

/** Of the package at the root of a workspace: what is its own, and not of everybody there. */
function ownSources({ byRoot }: Surroundings, { root, project }: PythonUnit): DeclaredInput[] {
  const name = project?.name ?? null;
  if (project === null || project.workspace === null || name === null) return [];
  const folders = ['src', 'tests', name.replaceAll('-', '_')].map((folder) => inFolder(root, folder));
  const others = [...byRoot.keys()].filter((other) => other !== root && folders.some((each) => isWithin(other, each)));
  const paths = [
    ...folders.map((each) => `${literalPattern(each)}/**`),
    ...others.map((each) => `!${literalPattern(each)}/**`),
  ];
  return [{ paths, kinds: 'all', evidence: 'its sources are there' }];
}

/** Downloads are kept by what was resolved. */
function cachesOf({ installer, lock, manifest, requirementFiles }: PythonUnit): UnitCache[] {
  const folders = {
    uv: '~/.cache/uv',
    poetry: '~/.cache/pypoetry',
    pdm: '~/.cache/pdm',
    pipenv: '~/.cache/pipenv',
    pip: '~/.cache/pip',
  };
  const resolved = requirementFiles.length > 0 ? requirementFiles.map(({ path }) => path) : [manifest];
  return [
    {
      type: 'deps',
      name: `${installer}-downloads`,
      paths: [folders[installer]],
      keyFiles: lock === null ? resolved : [lock.path],
    },
  ];
}
