import type { JobKind } from '@delta-ci/contracts';
import type { DeclaredInput, UnitEdge } from '../model.ts';
import type { RepositoryView } from '../tracing/repository-view.ts';
import { asRecord, asTexts, memberOf, sortedText, type ParsedRecord } from '../parsed-values.ts';
import { quoteForShell } from '../shell-words.ts';
import { inFolder } from '../tree-paths.ts';
import { parseJsonWithComments } from './json-with-comments.ts';
import { scriptsForJobs, type PackageScript } from './scripts.ts';
import { fromFolder, type Task, type TaskRunner } from './task-runner.ts';
import type { JavaScriptPackage, JavaScriptWorkspace } from './workspaces.ts';

/** A task as Turborepo reads it: the root's definition, with what the package says otherwise. */
interface TurboTask {
  readonly definition: ParsedRecord;
  readonly dependsOn: readonly string[];
  /** Globs from the package's folder; null when all of its files are looked at. */
  readonly inputs: readonly string[] | null;
  readonly outputs: readonly string[];
}

interface TurboSettings {
  readonly path: string;
  readonly root: ParsedRecord;
  readonly workspace: JavaScriptWorkspace;
  readonly snapshot: RepositoryView;
  /** Every script that any package of the workspace has. */
  readonly scripts: ReadonlySet<string>;
}

const NAMES = ['turbo.json', 'turbo.jsonc'];

/** Turborepo, where the workspace has its settings; null otherwise. */
export function turboIn(workspace: JavaScriptWorkspace, snapshot: RepositoryView): TaskRunner | null {
  const path = NAMES.map((name) => inFolder(workspace.root, name)).find((each) => snapshot.contents.has(each));
  const root = path === undefined ? null : asRecord(parseJsonWithComments(snapshot.contents.get(path) ?? ''));
  if (path === undefined || root === null) return null;
  const scripts = new Set(workspace.packages.flatMap(({ manifest }) => [...manifest.scripts.keys()]));
  const settings = { path, root, workspace, snapshot, scripts };
  const byName = new Map(workspace.packages.map(({ manifest, root: folder }) => [manifest.name, folder]));
  return {
    tasksOf: (each) => tasksOf(settings, each),
    inputsOf: (each) => inputsOf(settings, each),
    edgesOf: (each) => edgesOf(settings, each, byName),
    // Scripts are run as they are, after the builds they need, unless a task needs more than builds.
    builds: false,
    env: { TURBO_TELEMETRY_DISABLED: '1' },
  };
}

/** Version 1 calls the tasks `pipeline`. */
function definitionsIn(settings: unknown): unknown {
  return memberOf(settings, 'tasks') ?? memberOf(settings, 'pipeline');
}

function ownSettings({ snapshot, workspace }: TurboSettings, { root }: JavaScriptPackage): unknown {
  if (root === workspace.root) return undefined;
  const text = NAMES.map((name) => snapshot.contents.get(inFolder(root, name))).find((each) => each !== undefined);
  return text === undefined ? undefined : parseJsonWithComments(text);
}

function taskOf(settings: TurboSettings, each: JavaScriptPackage, name: string): TurboTask | null {
  const tasks = definitionsIn(settings.root);
  const isRoot = each.root === settings.workspace.root;
  const special = memberOf(tasks, `${isRoot ? '//' : (each.manifest.name ?? '')}#${name}`);
  const own = memberOf(definitionsIn(ownSettings(settings, each)), name);
  const general = isRoot ? undefined : memberOf(tasks, name);
  const base = asRecord(special) ?? asRecord(general);
  if (base === null && asRecord(own) === null) return null;
  const definition = { ...base, ...asRecord(own) };
  const texts = (member: string): string[] | null => asTexts(memberOf(definition, member));
  return {
    definition,
    dependsOn: texts('dependsOn') ?? [],
    inputs: narrowed(texts('inputs')),
    outputs: texts('outputs') ?? [],
  };
}

/** `$TURBO_DEFAULT$` stands for everything the package has. */
function narrowed(inputs: readonly string[] | null): readonly string[] | null {
  if (inputs === null) return null;
  return inputs.map((each) => (each === '$TURBO_DEFAULT$' || each === '$TURBO_EXTENDS$' ? '**' : each));
}

function tasksOf(settings: TurboSettings, each: JavaScriptPackage): Task[] {
  return scriptsForJobs(each.manifest.scripts).flatMap((script): Task[] => {
    const task = taskOf(settings, each, script.name);
    if (task === null) return [];
    return [
      {
        kind: script.kind,
        name: script.name,
        text: script.text,
        run: needsMoreThanBuilds(settings, task) ? runBy(settings, each, script) : null,
        evidence: `scripts.${script.name} of ${each.manifestPath}, a task of ${settings.path}`,
        outputs: task.outputs.map((pattern) => globFrom(settings, each, pattern)),
      },
    ];
  });
}

/** Builds are brought about without the runner; code generators, migrations and tasks of other packages are not. */
function needsMoreThanBuilds({ scripts }: TurboSettings, { dependsOn }: TurboTask): boolean {
  // A task that no package has a script for only passes its order on.
  const needed = dependsOn.map((name) => name.replace(/^\^|^.*#/u, ''));
  return needed.some((name) => name !== 'build' && scripts.has(name));
}

/** Null where the runner is not installed with the workspace, or could not tell which package is meant. */
function runBy({ workspace }: TurboSettings, { manifest }: JavaScriptPackage, script: PackageScript): string | null {
  const top = workspace.packages.find(({ root }) => root === workspace.root);
  const installed = top?.manifest.dependencies.some(({ name }) => name === 'turbo') === true;
  if (!installed || manifest.name === null) return null;
  return `${workspace.manager.exec} turbo run ${quoteForShell(script.name)} --filter=${quoteForShell(manifest.name)}`;
}

/** `$TURBO_ROOT$/x` is written from the workspace's root, everything else from the package. */
function globFrom({ workspace }: TurboSettings, { root }: JavaScriptPackage, pattern: string): string {
  const fromRoot = /^(!?)\$TURBO_ROOT\$\/(.*)$/u.exec(pattern);
  return fromRoot === null
    ? fromFolder(root, pattern)
    : fromFolder(workspace.root, `${fromRoot[1] ?? ''}${fromRoot[2] ?? ''}`);
}

function inputsOf(settings: TurboSettings, each: JavaScriptPackage): DeclaredInput[] {
  const tasks = new Map<JobKind, TurboTask>();
  for (const { kind, name } of scriptsForJobs(each.manifest.scripts)) {
    const task = taskOf(settings, each, name);
    if (task !== null) tasks.set(kind, task);
  }
  const texts = [...tasks].map(([kind, { definition }]) => [kind, definition]);
  const others = Object.entries(settings.root).filter(
    ([name]) => !['tasks', 'pipeline', '$schema', 'ui'].includes(name),
  );
  const configured: DeclaredInput = {
    paths: [settings.path],
    kinds: 'all',
    evidence: 'it says how tasks of the package are run',
    meaning: sortedText([texts, others]),
  };
  return [configured, ...globalInputs(settings), ...narrowedInputs(settings, each, tasks)];
}

function globalInputs(settings: TurboSettings): DeclaredInput[] {
  const globs = asTexts(memberOf(settings.root, 'globalDependencies')) ?? [];
  if (globs.length === 0) return [];
  const paths = globs.map((pattern) => fromFolder(settings.workspace.root, pattern));
  return [{ paths, kinds: 'all', evidence: `globalDependencies of ${settings.path}` }];
}

/**
 * What the tasks' `inputs` say. Whoever depends on a package sees what its build reads, so without a build that says what
 * it reads any file of it counts for everybody.
 */
function narrowedInputs(
  settings: TurboSettings,
  each: JavaScriptPackage,
  tasks: ReadonlyMap<JobKind, TurboTask>,
): DeclaredInput[] {
  const build = tasks.get('build')?.inputs ?? null;
  const scripts = scriptsForJobs(each.manifest.scripts);
  return scripts.flatMap(({ kind }): DeclaredInput[] => {
    const inputs = tasks.get(kind)?.inputs ?? null;
    const globs = inputs ?? (build === null ? null : ['**']);
    if (globs === null) return [];
    const within = globs.map((pattern) => globFrom(settings, each, pattern));
    const paths = build === null ? within.filter((pattern) => leadsOutside(pattern, each.root)) : within;
    if (paths.every((pattern) => pattern.startsWith('!'))) return [];
    return [{ paths, kinds: [kind], evidence: `inputs of the task ${kind} by ${settings.path}` }];
  });
}

function leadsOutside(pattern: string, root: string): boolean {
  return root !== '.' && !pattern.replace(/^!/u, '').startsWith(`${root}/`);
}

/** `name#task` asks for a task of a certain package. */
function edgesOf(
  settings: TurboSettings,
  each: JavaScriptPackage,
  byName: ReadonlyMap<string | null, string>,
): UnitEdge[] {
  return scriptsForJobs(each.manifest.scripts).flatMap(({ name }) =>
    (taskOf(settings, each, name)?.dependsOn ?? []).flatMap((needed): UnitEdge[] => {
      const to = byName.get(/^(.+)#[^#]+$/u.exec(needed)?.[1] ?? '');
      if (to === undefined || to === each.root) return [];
      return [{ from: each.root, to, kind: 'build', evidence: `the task ${name} needs ${needed} by ${settings.path}` }];
    }),
  );
}
