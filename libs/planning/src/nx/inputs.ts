import type { DeclaredInput } from '../model.ts';
import { withoutExtendedGlobs } from '../javascript/task-runner.ts';
import { asRecord, asText, memberOf } from '../parsed-values.ts';
import { inFolder } from '../tree-paths.ts';
import type { NxProject, NxWorkspace } from './projects.ts';
import { located, settingOf, type NxTarget } from './targets.ts';

/** Named inputs may name each other: further in than this they are taken for everything. */
const DEPTH_MAX = 10;

/** What a target looks at when nobody says. */
const UNSAID = ['default', '^default'];

/** What plugins say of the targets they infer, in workspaces that name what is not for tests. */
const INFERRED = ['default', '^production'];

/**
 * What targets of a project read by their `inputs`. Whoever depends on a project sees what inputs with `^` say of it,
 * whichever target of the workspace says so.
 */
export function inputsFinder(
  nx: NxWorkspace,
  targetsOf: (project: NxProject) => readonly NxTarget[],
): (project: NxProject) => DeclaredInput[] {
  const upstream = [...new Set([...nx.projects.values()].flatMap((project) => upstreamNames(nx, targetsOf(project))))];
  return (project) => {
    const byOthers = upstream.map((name): DeclaredInput => {
      const evidence = `what depends on it reads ${name} of it by ${nx.path}`;
      return { paths: expanded(nx, project, name, 0), kinds: 'all', evidence };
    });
    const byItself = targetsOf(project).map((target): DeclaredInput => {
      const paths = inputsOf(nx, target).flatMap((input) => (isOfOthers(input) ? [] : expanded(nx, project, input, 0)));
      return { paths, kinds: [target.kind], evidence: `inputs of the target ${target.name} by ${nx.path}` };
    });
    return [...byOthers, ...byItself].filter(({ paths }) => paths.length > 0);
  };
}

function inputsOf(nx: NxWorkspace, target: NxTarget): readonly unknown[] {
  const inputs = settingOf(nx, target, 'inputs');
  if (Array.isArray(inputs)) return inputs;
  const named = memberOf(memberOf(nx.settings, 'namedInputs'), 'production') !== undefined;
  return target.definition === null && named ? INFERRED : UNSAID;
}

/** `^name`, or `{ input: name, dependencies: true }`, in their older form `{ input, projects: 'dependencies' }`. */
function isOfOthers(input: unknown): boolean {
  if (asText(input)?.startsWith('^') === true) return true;
  return memberOf(input, 'dependencies') === true || memberOf(input, 'projects') === 'dependencies';
}

function upstreamNames(nx: NxWorkspace, targets: readonly NxTarget[]): string[] {
  // A linter may look at what others export; what these are tested with it does not read.
  const noticing = targets.filter(({ kind }) => kind !== 'lint');
  const named = noticing.flatMap((target) => inputsOf(nx, target).filter(isOfOthers));
  return named.map((input) => asText(input)?.slice(1) ?? asText(memberOf(input, 'input')) ?? 'default');
}

/** Globs from the repository's root that an input stands for; environment, commands and packages are not files. */
function expanded(nx: NxWorkspace, project: NxProject, input: unknown, depth: number): string[] {
  const text = asText(input) ?? asText(memberOf(input, 'fileset')) ?? asText(memberOf(input, 'input'));
  if (text === null) return [];
  const everything = inFolder(project.root, '**');
  if (depth > DEPTH_MAX) return [everything];
  if (text.includes('{')) {
    const glob = located(text, project.root, nx.workspace.root);
    return glob === null ? [] : [glob.startsWith('!') ? withoutExtendedGlobs(glob) : glob];
  }
  const named = memberOf(project.namedInputs, text) ?? memberOf(asRecord(memberOf(nx.settings, 'namedInputs')), text);
  if (Array.isArray(named)) return named.flatMap((each: unknown) => expanded(nx, project, each, depth + 1));
  return [everything];
}
