import type { Breach, ImportTable } from './import-laws.ts';
import { workshops, type RoomKind } from './rooms.ts';
import { isShipped, nameOf, scope, type Project, type Workspace } from './workspace.ts';

/** Names that say nothing about what is inside, so everything ends up there. */
const emptyNames = ['utils', 'util', 'common', 'shared', 'helpers', 'helper', 'base', 'core', 'manager', 'misc'];

const folderOfKind: Readonly<Record<RoomKind, string>> = { app: 'apps', lib: 'libs' };

/** Checks that rooms and rows match one to one, and that each room is furnished. */
export function checkRooms(workspace: Workspace, table: ImportTable): readonly Breach[] {
  return [
    ...folderlessRows(workspace, table),
    ...rowBreaches(table),
    ...workspace.roomFolders
      .filter(isNoProject(workspace))
      .map((folder) => `${folder}: is not a project of the workspace`),
    ...workspace.projects.flatMap((project) => tagBreaches(project, table)),
    ...workspace.projects.flatMap((project) => furnishingBreaches(project, workspace)),
    ...buildBreaches(workspace),
  ];
}

const isNoProject =
  ({ projects }: Workspace) =>
  (folder: string): boolean =>
    !projects.some((project) => project.folder === folder);

function folderlessRows({ projects }: Workspace, table: ImportTable): readonly Breach[] {
  const folders = projects.map((project) => project.folder);
  return Object.entries(table)
    .filter(([name, room]) => !folders.includes(`${folderOfKind[room.kind]}/${name}`))
    .map(([name]) => `import table: ${name} has a row but no room`);
}

/** Arrows lead to libs that exist, and a pure room may only lean on pure rooms. */
function rowBreaches(table: ImportTable): readonly Breach[] {
  return Object.entries(table).flatMap(([name, room]) =>
    room.ours.flatMap((target) => {
      if (table[target]?.kind !== 'lib') return [`import table: ${name} has an arrow to ${target}, which is no lib`];
      return room.pure === true && table[target].pure !== true
        ? [`import table: ${name} is pure but leans on ${target}, which is not`]
        : [];
    }),
  );
}

function tagBreaches(project: Project, table: ImportTable): readonly Breach[] {
  const name = nameOf(project.folder);
  const room = table[name];
  const kind = workshops.includes(name) ? name : room?.kind;
  if (kind === undefined) return [`${project.folder}: has no row in the import table`];
  const wanted = [`room:${name}`, `kind:${kind}`];
  return wanted
    .filter((tag) => !project.tags.includes(tag))
    .map((tag) => `${project.folder}/package.json: lacks the tag ${tag}`);
}

function furnishingBreaches(project: Project, { files }: Workspace): readonly Breach[] {
  const { folder, packageName, sources } = project;
  const [kind, name = kind] = folder.split('/');
  const isLib = kind === 'libs';
  const breaches: readonly (readonly [boolean, string])[] = [
    [!sources.some(isShipped), 'is an empty room'],
    [!files.includes(`${folder}/README.md`), 'has no README.md that opens it'],
    [packageName !== scope + name, `is named ${packageName}, not ${scope}${name}`],
    [!workshops.includes(folder) && !project.scripts.includes('build'), 'has no build script'],
    [isLib && !files.includes(`${folder}/src/index.ts`), 'has no door, src/index.ts'],
    [isLib && project.doors.join() !== '.', 'exports other paths than its door'],
    ...sources.map((file) => [file.silences, `silences the linter in ${file.path}`] as const),
  ];
  return breaches.filter(([broken]) => broken).map(([, words]) => `${folder}: ${words}`);
}

/** The root `tsconfig.json` builds every room and nothing else. */
function buildBreaches({ projects, builtFolders }: Workspace): readonly Breach[] {
  const roomFolders = projects.map((project) => project.folder).filter((folder) => !workshops.includes(folder));
  return [
    ...roomFolders.filter((folder) => !builtFolders.includes(folder)).map((folder) => `does not build ${folder}`),
    ...builtFolders
      .filter((folder) => !roomFolders.includes(folder))
      .map((folder) => `builds ${folder}, which is no room`),
  ].map((words) => `tsconfig.json: ${words}`);
}

/** Finds folders and files whose name says nothing. */
export function checkNames({ files }: Workspace): readonly Breach[] {
  const places = new Set(
    files.flatMap((file) => file.split('/').map((_, depth, parts) => parts.slice(0, depth + 1).join('/'))),
  );
  return [...places]
    .filter((place) => emptyNames.includes(nameOf(place).replace(/\..*$/, '')))
    .map((place) => `${place}: is a name that says nothing about what is inside`);
}
