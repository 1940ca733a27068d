import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { COMPUTED } from './imports-of.ts';
import { loaders, workshops, type Room } from './rooms.ts';
import {
  declarerOf,
  isShipped,
  nameOf,
  scope,
  type Annex,
  type Project,
  type SourceFile,
  type Workspace,
} from './workspace.ts';

/** A broken law, in one line that starts with the place. */
export type Breach = string;

/** The import table by room name. */
export type ImportTable = Readonly<Record<string, Room>>;

/** Where an import leads. */
type Arrow =
  | { readonly to: 'own file'; readonly path: string }
  | { readonly to: 'file of a room'; readonly room: string; readonly path: string }
  | { readonly to: 'door'; readonly room: string }
  | { readonly to: 'past a door'; readonly room: string }
  | { readonly to: 'runtime' }
  | { readonly to: 'package'; readonly name: string };

/** Checks every import of every source file against the table and the declared dependencies. */
export function checkImports(workspace: Workspace, table: ImportTable): readonly Breach[] {
  return workspace.projects.flatMap((project) =>
    project.sources.flatMap((file) =>
      file.imports.flatMap((specifier) => {
        const arrow = follow(project, file, specifier, workspace);
        const problem = problemWith({ workspace, table, project, file, arrow });
        return problem === undefined ? [] : [`${file.path}: imports '${specifier}', ${problem}`];
      }),
    ),
  );
}

interface Crossing {
  readonly workspace: Workspace;
  readonly table: ImportTable;
  readonly project: Project;
  readonly file: SourceFile;
  readonly arrow: Arrow;
}

function follow(project: Project, file: SourceFile, specifier: string, workspace: Workspace): Arrow {
  if (specifier.startsWith('.')) return followPath(project, posix.join(posix.dirname(file.path), specifier), workspace);
  if (specifier.startsWith(scope)) {
    const [room = '', ...rest] = specifier.slice(scope.length).split('/');
    return rest.length === 0 ? { to: 'door', room } : { to: 'past a door', room };
  }
  return isBuiltin(specifier) ? { to: 'runtime' } : { to: 'package', name: packageOf(specifier) };
}

function followPath(project: Project, path: string, workspace: Workspace): Arrow {
  const home = workspace.projects.find((candidate) => path.startsWith(`${candidate.folder}/`));
  if (home === project) return { to: 'own file', path };
  return { to: 'file of a room', room: home === undefined ? '' : nameOf(home.folder), path };
}

/** `@scope/name/deep` and `name/deep` without what is deep. */
const packageOf = (specifier: string): string => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

function problemWith(crossing: Crossing): string | undefined {
  const { arrow } = crossing;
  switch (arrow.to) {
    case 'own file':
      return ownFileProblem(crossing, arrow.path);
    case 'file of a room':
      return pathProblem(crossing, arrow.room);
    case 'past a door':
      return `past the door of ${arrow.room}: import '${scope}${arrow.room}'`;
    case 'door':
      return doorProblem(crossing, arrow.room);
    case 'runtime':
      return crossing.table[nameOf(crossing.project.folder)]?.pure === true && isShipped(crossing.file)
        ? 'the runtime, but the room is pure'
        : undefined;
    case 'package':
      return packageProblem(crossing, arrow.name);
  }
}

function ownFileProblem({ file }: Crossing, path: string): string | undefined {
  if (!/\.(ts|mjs|json)$/.test(path)) return 'a path that does not end in .ts';
  return isShipped(file) && !isShipped({ path }) ? 'which is there for specs alone' : undefined;
}

/** Only what is never shipped may reach `test` and `tools`, and it does so by path, because they have no door. */
function pathProblem({ project, file }: Crossing, room: string): string | undefined {
  if (!workshops.includes(room)) return room === '' ? 'a file outside every room' : `a file of another room, ${room}`;
  const shipped = isShipped(file) && !workshops.includes(nameOf(project.folder));
  return shipped ? `${room}, which is never shipped` : undefined;
}

function doorProblem({ table, project }: Crossing, room: string): string | undefined {
  const target = table[room];
  if (target === undefined) return 'which is no room of the import table';
  if (target.kind === 'app') return 'an app, which nobody imports';
  const own = nameOf(project.folder);
  if (workshops.includes(own)) return undefined;
  if (table[own]?.ours.includes(room) !== true) return `but the import table gives ${own} no arrow to ${room}`;
  return undeclared(project, scope + room);
}

function packageProblem({ workspace, table, project, file }: Crossing, name: string): string | undefined {
  if (name === COMPUTED && loaders.includes(file.path)) return undefined;
  const own = nameOf(project.folder);
  const unshipped = workshops.includes(own) || !isShipped(file);
  if (unshipped && workspace.developmentPackages.includes(name)) return undefined;
  if (workshops.includes(own)) return undeclared(declarerOf(project, file.path), name);
  const allowed = table[own]?.packages.some((pattern) => matches(pattern, name)) === true;
  return allowed ? undeclared(project, name) : `but the import table does not allow ${own} that package`;
}

const matches = (pattern: string, name: string): boolean =>
  pattern.endsWith('/*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;

const undeclared = (declarer: Project | Annex, name: string): string | undefined =>
  Object.hasOwn(declarer.dependencies, name) ? undefined : 'which its package.json does not declare';

/** Holds what each room declares (dependencies, references) against what its files really import. */
export function checkDeclarations(workspace: Workspace, table: ImportTable): readonly Breach[] {
  return workspace.projects.flatMap((project) => [
    ...[project, ...project.annexes].flatMap((declarer) => [
      ...unusedDependencies(workspace, project, declarer),
      ...loosePins(declarer),
    ]),
    ...(table[nameOf(project.folder)] === undefined ? [] : strayReferences(project)),
  ]);
}

function unusedDependencies({ peersOf }: Workspace, project: Project, declarer: Project | Annex): readonly Breach[] {
  const declared = Object.keys(declarer.dependencies);
  const files = project.sources.filter(({ path }) => declarerOf(project, path) === declarer);
  const imported = new Set(files.flatMap((file) => file.imports.map(packageOf)));
  const asked = new Set(declared.filter((name) => imported.has(name)).flatMap((name) => peersOf[name] ?? []));
  return declared
    .filter((name) => !imported.has(name) && !asked.has(name))
    .map((name) => `${declarer.folder}/package.json: declares ${name}, which nothing there imports`);
}

const loosePins = ({ folder, dependencies }: Project | Annex): readonly Breach[] =>
  Object.entries(dependencies)
    .filter(([, version]) => !/^\d+\.\d+\.\d+/.test(version))
    .map(([name, version]) => `${folder}/package.json: ${name} is '${version}', not one exact version`);

function strayReferences(project: Project): readonly Breach[] {
  const place = `${project.folder}/tsconfig.json`;
  const used = roomsUsedBy(project).map((room) => `libs/${room}`);
  const missing = used.filter((folder) => !project.references.includes(folder));
  const stray = project.references.filter((folder) => !used.includes(folder));
  return [
    ...missing.map((folder) => `${place}: does not refer to ${folder}, which the room imports`),
    ...stray.map((folder) => `${place}: refers to ${folder}, which the room does not import`),
  ];
}

/** Rooms whose door the shipped files of a project enter. */
function roomsUsedBy(project: Project): readonly string[] {
  const imports = project.sources.filter(isShipped).flatMap((file) => file.imports);
  const doors = imports.filter((specifier) => specifier.startsWith(scope));
  return [...new Set(doors.map((specifier) => packageOf(specifier).slice(scope.length)))];
}

/** Finds rooms that import each other in a circle, in the table as well as in the files. */
export function checkCycles(workspace: Workspace, table: ImportTable): readonly Breach[] {
  const used = workspace.projects.map((project) => [nameOf(project.folder), roomsUsedBy(project)] as const);
  const allowed = Object.entries(table).map(([name, room]) => [name, room.ours] as const);
  return [...circlesIn(new Map(used)), ...circlesIn(new Map(allowed))].map((path) => `rooms in a circle: ${path}`);
}

function circlesIn(arrows: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const visit = (room: string, path: readonly string[]): readonly string[] => {
    if (path.includes(room)) return [[...path.slice(path.indexOf(room)), room].join(' -> ')];
    if (done.has(room)) return [];
    const found = (arrows.get(room) ?? []).flatMap((next) => visit(next, [...path, room]));
    done.add(room);
    return found;
  };
  return [...arrows.keys()].flatMap((room) => visit(room, []));
}
