import { compileGlobList } from '../glob.ts';
import type { DiscoveryProblem } from '../model.ts';
import type { Paths, RepositoryView, Selection } from '../tracing/repository-view.ts';
import { asText, memberOf } from '../parsed-values.ts';
import { byText, fileNameOf, folderOf, foldersUpwards, inFolder, isWithin, relativeTo } from '../tree-paths.ts';
import { LOCK_FILES, readPythonLock, type PythonLock } from './locks.ts';
import { parsePyproject, type PythonProject } from './project.ts';
import { parseRequirementsFile, type RequirementsFile } from './requirement-lines.ts';

export type Installer = 'uv' | 'poetry' | 'pdm' | 'pipenv' | 'pip';

/** A folder that is installed and tested by itself. */
export interface PythonUnit {
  readonly root: string;
  /** The file that describes it. */
  readonly manifest: string;
  /** Null where no `pyproject.toml` describes it. */
  readonly project: PythonProject | null;
  /** Folder of the workspace it is a member of; its own otherwise. */
  readonly workspace: string;
  readonly installer: Installer;
  readonly lock: PythonLock | null;
  /** Files of requirements that it is installed from, included ones among them, the first one first. */
  readonly requirementFiles: readonly RequirementsFile[];
}

export interface PythonTree {
  readonly units: readonly PythonUnit[];
  readonly problems: readonly DiscoveryProblem[];
  readonly files: Paths;
}

/** Copies, environments, templates and material of tests: described only where a workspace names it. */
const NOT_OURS =
  /(?:^|\/)(?:tests?|testing|testdata|test_data|fixtures|vendor|_vendor|third_party|node_modules|\.?venv|site-packages|templates?|\{\{[^/]*)\//u;

const REQUIREMENTS =
  /(?:^|\/)(?:requirements[\w.-]*\.(?:txt|in)|requirements\/[\w.-]+\.(?:txt|in)|constraints[\w.-]*\.txt)$/u;
const SETTINGS = new Set([
  'pyproject.toml',
  'setup.cfg',
  'setup.py',
  'tox.ini',
  'pytest.ini',
  '.pytest.ini',
  '.python-version',
  'Pipfile',
  ...Object.values(LOCK_FILES),
]);
const DESCRIBES = ['pyproject.toml', 'setup.py', 'setup.cfg', 'Pipfile', 'requirements.txt'];

/** Files whose contents say how Python packages hang together. */
export function isPythonFile(path: string): boolean {
  return (
    (SETTINGS.has(fileNameOf(path)) || REQUIREMENTS.test(path)) &&
    !/(?:^|\/)(?:node_modules|\.?venv|site-packages)\//u.test(path)
  );
}

const isFile: Selection = (_, type) => type === 'file' || type === 'executable';
const isProjectFile: Selection = (path, type) =>
  fileNameOf(path) === 'pyproject.toml' && isPythonFile(path) && isFile(path, type);
const isDescription: Selection = (path, type) =>
  ((DESCRIBES.includes(fileNameOf(path)) && isPythonFile(path)) || fileNameOf(path) === 'setup.py') &&
  isFile(path, type);
const isRequirements: Selection = (path, type) => REQUIREMENTS.test(path) && isFile(path, type);

export function readPythonTree(view: RepositoryView): PythonTree {
  const { listed, parsed } = view;
  const files: Paths = { has: (path) => isFile(path, view.typeOf(path) ?? 'submodule') };
  const projects = new Map<string, PythonProject>();
  const problems: DiscoveryProblem[] = [];
  for (const { path } of listed(isProjectFile)) {
    const project = parsed(path, projectAt) ?? null;
    if (project !== null) projects.set(project.root, project);
    else if (!NOT_OURS.test(path)) {
      const message = `${path} is too large or no TOML: what it describes is not planned for`;
      problems.push({ code: 'manifest_unreadable', message, path, scope: folderOf(path) });
    }
  }
  const workspaces = workspacesOf(projects);
  const roots = new Set(listed(isDescription).map(({ path }) => folderOf(path)));
  const broken = new Set(problems.map(({ scope }) => scope));
  const ours = [...roots].filter((root) => !broken.has(root) && (workspaces.has(root) || !NOT_OURS.test(`${root}/`)));
  const units = ours.sort(byText).map((root) => unitAt(root, { files, view, projects, workspaces }));
  return { units: units.filter((unit) => unit !== null), problems, files };
}

/** The workspace of each member, the root among them. */
function workspacesOf(projects: ReadonlyMap<string, PythonProject>): Map<string, string> {
  const workspaces = new Map<string, string>();
  for (const { root, workspace } of projects.values()) {
    if (workspace === null) continue;
    const isMember = compileGlobList([...workspace.members, ...workspace.exclude.map((each) => `!${each}`)], 'matches');
    for (const folder of projects.keys()) {
      if (folder === root || (isWithin(folder, root) && isMember(relativeTo(root, folder))))
        workspaces.set(folder, root);
    }
  }
  return workspaces;
}

function projectAt(text: string, path: string): PythonProject | null {
  return parsePyproject(path, text);
}

interface Around {
  readonly files: Paths;
  readonly view: RepositoryView;
  readonly projects: ReadonlyMap<string, PythonProject>;
  readonly workspaces: ReadonlyMap<string, string>;
}

function unitAt(root: string, { files, view, projects, workspaces }: Around): PythonUnit | null {
  const project = projects.get(root) ?? null;
  const manifest = DESCRIBES.map((name) => inFolder(root, name)).find((path) => files.has(path));
  if (manifest === undefined) return null;
  const workspace = workspaces.get(root) ?? root;
  const lockAt = (installer: Exclude<Installer, 'pip'>): string => inFolder(workspace, LOCK_FILES[installer]);
  const locked = (['uv', 'poetry', 'pdm', 'pipenv'] as const).find((each) => files.has(lockAt(each)));
  const lock = locked === undefined ? null : lockedAt(lockAt(locked), view);
  const requirementFiles = locked === undefined ? requirementFilesOf(root, files, view) : [];
  return { root, manifest, project, workspace, installer: locked ?? toolOf(project), lock, requirementFiles };
}

function lockedAt(path: string, { contents, parsed }: RepositoryView): PythonLock {
  return parsed(path, lockOf) ?? readPythonLock(path, contents.get(path));
}

function lockOf(text: string, path: string): PythonLock {
  return readPythonLock(path, text);
}

/** Without a lockfile, who looks after a project by its own words; a workspace is uv's. */
function toolOf(project: PythonProject | null): Installer {
  if ((project?.workspace ?? null) !== null) return 'uv';
  const poetry = memberOf(memberOf(project?.text, 'tool'), 'poetry');
  return asText(memberOf(poetry, 'name')) !== null ? 'poetry' : 'pip';
}

/** What is installed for work on a folder: its requirements, those of development and tests, and what these include. */
const INSTALLED = /^requirements(?:[/_.-](?:main|base|dev|develop|development|test|tests|testing|ci|lint))?\.txt$/u;

function requirementFilesOf(root: string, files: Paths, { listed, contents }: RepositoryView): RequirementsFile[] {
  const paths = listed(isRequirements).map(({ path }) => path);
  const own = paths.filter((path) => isWithin(path, root) && INSTALLED.test(relativeTo(root, path)));
  const pending = new Set(own);
  const read: RequirementsFile[] = [];
  // What is added on the way is visited too.
  for (const path of pending) {
    const text = contents.get(path);
    if (text === undefined) continue;
    const file = parseRequirementsFile(path, text);
    read.push(file);
    for (const included of file.includes) if (files.has(included)) pending.add(included);
  }
  return read;
}

/** The file of one of these names that lies nearest, upwards to the workspace. */
export function nearestFile(files: Paths, { root, workspace }: PythonUnit, names: readonly string[]): string | null {
  const folders = foldersUpwards(root).filter((folder) => isWithin(folder, workspace));
  return (
    folders.flatMap((folder) => names.map((name) => inFolder(folder, name))).find((path) => files.has(path)) ?? null
  );
}
