import type { DeclaredInput } from '../model.ts';
import { sortedText } from '../parsed-values.ts';
import { quoteForShell } from '../shell-words.ts';
import { NAMES_OF_KIND, scriptsForJobs } from '../javascript/scripts.ts';
import type { Task, TaskRunner } from '../javascript/task-runner.ts';
import type { JavaScriptPackage } from '../javascript/workspaces.ts';
import { inputsFinder } from './inputs.ts';
import { declaredProjectEdges } from './project-edges.ts';
import type { NxProject, NxWorkspace } from './projects.ts';
import { outputsOf, targetsFinder, textOf, type NxTarget } from './targets.ts';

/** Nx, in a workspace that has its settings. What it is not installed for is run as the scripts say. */
export function nxRunner(nx: NxWorkspace): TaskRunner {
  const written = targetsFinder(nx, NAMES_OF_KIND);
  const installed = isInstalled(nx);
  const targets = new Map(
    [...nx.projects].map(([root, project]) => [root, withScripts(nx, project, written(project))]),
  );
  const targetsOf = (project: NxProject): readonly NxTarget[] => targets.get(project.root) ?? [];
  const inputs = inputsFinder(nx, targetsOf);
  const edges = declaredProjectEdges(nx, targetsOf);
  return {
    tasksOf: ({ root }) => {
      const project = nx.projects.get(root);
      if (!installed || project === undefined) return [];
      return targetsOf(project).map((target) => taskOf(nx, project, target));
    },
    inputsOf: (each) => {
      const project = nx.projects.get(each.root);
      // Nx leaves what lies in other projects out of what the root reads; a glob could not.
      const narrowed = project === undefined || project.root === nx.workspace.root ? [] : inputs(project);
      return [...settingsInputs(nx, each, project), ...narrowed];
    },
    edgesOf: ({ root }) => {
      const project = nx.projects.get(root);
      return project === undefined ? [] : edges(project);
    },
    builds: installed,
    env: { NX_DAEMON: 'false', NX_NO_CLOUD: 'true' },
  };
}

function isInstalled({ workspace }: NxWorkspace): boolean {
  const top = workspace.packages.find(({ root }) => root === workspace.root);
  return top?.manifest.dependencies.some(({ name }) => name === 'nx') === true;
}

/** Scripts of a manifest are targets too, where nothing of their kind is written down. */
function withScripts({ workspace }: NxWorkspace, project: NxProject, written: readonly NxTarget[]): NxTarget[] {
  const each = workspace.packages.find(({ root }) => root === project.root);
  const scripts = scriptsForJobs(each?.manifest.scripts ?? new Map()).filter(
    ({ kind, fansOut }) => !fansOut && !written.some((target) => target.kind === kind),
  );
  const further = scripts.map(({ kind, name, text }): NxTarget => ({
    name,
    kind,
    definition: { script: text },
    evidence: `scripts.${name} of ${each?.manifestPath ?? ''}`,
  }));
  return [...written, ...further];
}

function taskOf(nx: NxWorkspace, project: NxProject, target: NxTarget): Task {
  const which = quoteForShell(`${project.name}:${target.name}`);
  return {
    kind: target.kind,
    name: target.name,
    run: `${nx.workspace.manager.exec} nx run ${which}`,
    text: textOf(target),
    evidence: target.evidence,
    outputs: outputsOf(nx, target, project),
  };
}

/** The settings themselves, compared by what they say: a project's own, and the workspace's. */
function settingsInputs(nx: NxWorkspace, each: JavaScriptPackage, project: NxProject | undefined): DeclaredInput[] {
  const workspace: DeclaredInput = {
    paths: [nx.path],
    kinds: 'all',
    evidence: 'it says how targets of all projects are run',
    meaning: sortedText(nx.settings),
  };
  if (project === undefined || project.path === each.manifestPath) return [workspace];
  const own: DeclaredInput = {
    paths: [project.path],
    kinds: 'all',
    evidence: 'it describes the project',
    meaning: sortedText([
      project.name,
      project.targets,
      project.implicitDependencies,
      project.namedInputs,
      project.tags,
    ]),
  };
  return [own, workspace];
}
