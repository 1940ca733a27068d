import { literalPattern } from '../glob.ts';
import type { DeclaredInput, Discovery, DiscoveryProblem, Unit, UnitCommand } from '../model.ts';
import type { RepositoryView, Selection } from '../tracing/repository-view.ts';
import { plainUnit } from '../plain-unit.ts';
import { includedByJustfile, readJustfile } from '../tasks/justfile.ts';
import { includedByMakefile, readMakefile } from '../tasks/makefile.ts';
import { TASK_CHARS_MAX, type Task, type TaskFile } from '../tasks/task.ts';
import { readTaskfile } from '../tasks/taskfile.ts';
import { fileNameOf, folderOf, foldersUpwards, inFolder, isWithin, resolvePath } from '../tree-paths.ts';
import type { Detector } from './detector.ts';

/** Task files, where nothing else says how a folder is tested. */
export const tasksDetector: Detector = {
  ecosystem: 'tasks',
  lookedFor: 'Makefile, justfile or Taskfile.yml with a task named test, check, lint or build',
  wants: (path) => KINDS.some(({ names }) => names.has(fileNameOf(path))) || /\.(?:mk|just)$/u.test(path),
  condense: null,
  givesWay: 'any',
  detect,
};

interface TaskTool {
  readonly tool: string;
  readonly names: ReadonlySet<string>;
  readonly isFile: Selection;
  readonly read: (text: string) => TaskFile | null;
  readonly included: (text: string) => string[];
}

/** What others wrote, or what is only material. */
const NOT_OURS =
  /(?:^|\/)(?:node_modules|vendor|third[_-]?party|deps|external|extern|contrib|submodules|examples?|fixtures?|testdata|templates?|tests?)\//iu;

function taskTool(
  tool: string,
  files: readonly string[],
  read: TaskTool['read'],
  included: TaskTool['included'],
): TaskTool {
  const names = new Set(files);
  const isFile: Selection = (path, type) => names.has(fileNameOf(path)) && !NOT_OURS.test(path) && type !== 'symlink';
  return { tool, names, isFile, read, included };
}

const TASKFILES = ['Taskfile.yml', 'Taskfile.yaml', 'taskfile.yml', 'Taskfile.dist.yml', 'Taskfile.dist.yaml'];

/** In the order in which they are asked. Tasks that a Taskfile takes in have other names. */
const KINDS: readonly TaskTool[] = [
  taskTool('make', ['GNUmakefile', 'makefile', 'Makefile'], readMakefile, includedByMakefile),
  taskTool('just', ['justfile', 'Justfile', '.justfile'], readJustfile, includedByJustfile),
  taskTool('task', TASKFILES, readTaskfile, () => []),
];

interface Found {
  readonly root: string;
  readonly path: string;
  readonly tool: string;
  readonly file: TaskFile;
  /** Files that it takes in from outside of its folder. */
  readonly outside: readonly string[];
}

function detect(snapshot: RepositoryView): Discovery {
  const problems: DiscoveryProblem[] = [];
  const found = new Map<string, Found>();
  for (const kind of KINDS) {
    for (const { path } of snapshot.listed(kind.isFile)) {
      if ((snapshot.contents.get(path)?.length ?? Infinity) > TASK_CHARS_MAX) {
        const message = `${path} is too large or not text: what its tasks run is not known`;
        problems.push({ code: 'manifest_unreadable', message, path, scope: folderOf(path) });
        continue;
      }
      const each = readAt(path, kind, snapshot);
      if (each !== null && each.file.tasks.length > 0 && !found.has(each.root)) found.set(each.root, each);
    }
  }
  // A task file in a folder below is for the one above it to start.
  const tops = [...found.values()].filter(
    ({ root }) => !foldersUpwards(folderOf(root)).some((folder) => folder !== root && found.has(folder)),
  );
  const units = tops.map((each) => unitOf(each, problems));
  return { units, edges: [], problems };
}

/** Files that are taken in are read as if they stood there, each once. */
function readAt(path: string, { tool, read, included }: TaskTool, { contents }: RepositoryView): Found | null {
  const root = folderOf(path);
  const seen = new Set([path]);
  let text = '';
  for (const each of seen) {
    const own = contents.get(each);
    if (own === undefined || text.length + own.length > TASK_CHARS_MAX || seen.size > INCLUDED_MAX) continue;
    text += `${own}\n`;
    for (const reference of included(own)) {
      // Make looks from where it was started, just from where the file lies.
      const at = resolvePath(tool === 'make' ? root : folderOf(each), reference);
      if (at !== null) seen.add(at);
    }
  }
  const file = read(text);
  const outside = [...seen].filter((each) => contents.has(each) && !isWithin(each, root));
  return file === null ? null : { root, path, tool, file, outside };
}

const INCLUDED_MAX = 100;

function unitOf(found: Found, problems: DiscoveryProblem[]): Unit {
  const { root, path, file } = found;
  const commands = commandsOf(found, problems);
  const text = commands.map((command) => command.text).join('\n');
  return {
    ...plainUnit({ root, ecosystem: 'tasks', manifest: path }),
    meaning: file.meaning,
    // What a task reads is not written down, and what others read beside it is not either.
    workspaceMeaning: '',
    commands,
    inputs: inputsOf(found),
    hosts: [...new Set(TOOL_HOSTS.flatMap(([tools, hosts]) => (tools.test(text) ? hosts : [])))].sort(),
    env: { CI: 'true' },
  };
}

/** Where tools that a task names fetch packages from. */
const TOOL_HOSTS: readonly (readonly [tools: RegExp, hosts: readonly string[]])[] = [
  [/\b(?:npm|npx|pnpm|yarn|bun)\b/u, ['registry.npmjs.org']],
  [/\b(?:pip3?|pipx|uvx?|poetry|tox|nox)\b/u, ['files.pythonhosted.org', 'pypi.org']],
  [/\bgo (?:build|test|vet|run|install|mod)\b/u, ['proxy.golang.org', 'sum.golang.org']],
  [/\bcargo\b/u, ['index.crates.io', 'static.crates.io']],
];

function inputsOf({ root, file, outside, path }: Found): DeclaredInput[] {
  const below = inFolder(root, '**');
  const sources = file.tasks.flatMap((task) =>
    task.sources.flatMap((glob) => {
      const at = resolvePath(root, glob.replace(/^!/u, ''));
      return at === null || isWithin(at, root) || glob.startsWith('!') ? [] : [at];
    }),
  );
  const input = (paths: readonly string[], evidence: string): DeclaredInput[] =>
    paths.length === 0 ? [] : [{ paths, kinds: 'all', also: true, evidence }];
  return [
    ...input([below, `!${literalPattern(path)}`], 'what its tasks read is not written down'),
    ...input([...new Set([...outside, ...sources])], `${path} names it`),
  ];
}

/** What needs more than a checkout and the tools of a runner. */
const NEEDS_ENGINE = /\b(?:docker|docker-compose|podman|nerdctl|kubectl|minikube|vagrant|systemctl)\b/u;

function commandsOf({ root, path, tool, file }: Found, problems: DiscoveryProblem[]): UnitCommand[] {
  const named = new Map(file.tasks.map((task) => [task.name, task]));
  const pick = (names: readonly string[]): Task | null => names.flatMap((name) => named.get(name) ?? [])[0] ?? null;
  const test = pick(['test', 'tests', 'check']);
  const lint = pick(['lint']);
  const check = pick(['check']);
  // As a rule it runs those that there are.
  const checks = lint === null && check !== test && check?.text.trim() !== test?.text.trim();
  const picked: [kind: UnitCommand['kind'], task: Task | null][] = [
    ['build', pick(['build'])],
    ['typecheck', pick(['typecheck', 'type-check'])],
    ['lint', lint],
    ['check', checks ? check : null],
    ['test', test],
  ];
  return picked.flatMap(([kind, task]): UnitCommand[] => {
    if (task === null) return [];
    if (NEEDS_ENGINE.test(task.text)) {
      const message = `${task.name} of ${path} is not run: it starts what no job can, such as containers`;
      problems.push({ code: 'not_run', message, path: null, scope: root });
      return [];
    }
    const step = { name: `${kind} ${root}`.slice(0, 200), run: `${tool} ${task.name}`, workdir: root };
    const outputs = task.outputs.flatMap((glob) => resolvePath(root, glob) ?? []);
    return [{ kind, step, evidence: `${task.name} of ${path}`, text: task.text, reports: [], outputs, joins: null }];
  });
}
