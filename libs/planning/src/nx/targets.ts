import type { JobKind } from '@delta-ci/contracts';
import { asRecord, asText, memberOf, orderedText } from '../parsed-values.ts';
import { byText, fileNameOf, folderOf, inFolder } from '../tree-paths.ts';
import type { NxProject, NxWorkspace } from './projects.ts';

/** A target that a plugin infers for every project that has a certain file. */
interface Inference {
  readonly plugin: RegExp;
  readonly kind: JobKind;
  /** Option of the plugin that names the target, by its path, and what it is called otherwise. */
  readonly option: readonly string[];
  readonly otherwise: string | null;
  readonly file: RegExp;
}

const INFERENCES: readonly Inference[] = [
  {
    plugin: /^@nx\/jest\/plugin$/u,
    kind: 'test',
    option: ['targetName'],
    otherwise: 'test',
    file: /^jest\.config\.[cm]?[jt]s$/u,
  },
  {
    plugin: /^@nx\/(?:vite\/plugin|vitest)$/u,
    kind: 'test',
    option: ['testTargetName'],
    otherwise: 'test',
    file: /^vitest\.config\.[cm]?[jt]s$/u,
  },
  {
    plugin: /^@nx\/vite\/plugin$/u,
    kind: 'build',
    option: ['buildTargetName'],
    otherwise: 'build',
    file: /^vite\.config\.[cm]?[jt]s$/u,
  },
  {
    plugin: /^@nx\/eslint\/plugin$/u,
    kind: 'lint',
    option: ['targetName'],
    otherwise: 'lint',
    file: /^(?:\.eslintrc(?:\.\w+)?|eslint\.config\.[cm]?[jt]s)$/u,
  },
  {
    plugin: /^@nx\/js\/typescript$/u,
    kind: 'typecheck',
    option: ['typecheck', 'targetName'],
    otherwise: 'typecheck',
    file: /^tsconfig\.json$/u,
  },
  {
    plugin: /^@nx\/js\/typescript$/u,
    kind: 'build',
    option: ['build', 'targetName'],
    otherwise: null,
    file: /^tsconfig\.lib\.json$/u,
  },
  {
    plugin: /^@nx\/webpack\/plugin$/u,
    kind: 'build',
    option: ['buildTargetName'],
    otherwise: 'build',
    file: /^webpack\.config\.[cm]?[jt]s$/u,
  },
  {
    plugin: /^@nx\/rspack\/plugin$/u,
    kind: 'build',
    option: ['buildTargetName'],
    otherwise: 'build',
    file: /^rspack\.config\.[cm]?[jt]s$/u,
  },
  {
    plugin: /^@nx\/rsbuild$/u,
    kind: 'build',
    option: ['buildTargetName'],
    otherwise: 'build',
    file: /^rsbuild\.config\.[cm]?[jt]s$/u,
  },
  {
    plugin: /^@nx\/rollup\/plugin$/u,
    kind: 'build',
    option: ['buildTargetName'],
    otherwise: 'build',
    file: /^rollup\.config\.[cm]?[jt]s$/u,
  },
  {
    plugin: /^@nx\/next\/plugin$/u,
    kind: 'build',
    option: ['buildTargetName'],
    otherwise: 'build',
    file: /^next\.config\.[cm]?[jt]s$/u,
  },
  {
    plugin: /^@nx\/remix\/plugin$/u,
    kind: 'build',
    option: ['buildTargetName'],
    otherwise: 'build',
    file: /^remix\.config\.[cm]?js$/u,
  },
  {
    plugin: /^@nx\/nuxt\/plugin$/u,
    kind: 'build',
    option: ['buildTargetName'],
    otherwise: 'build',
    file: /^nuxt\.config\.[cm]?[jt]s$/u,
  },
];

export interface NxTarget {
  readonly name: string;
  readonly kind: JobKind;
  readonly definition: unknown;
  readonly evidence: string;
}

/** Names of targets by kind, the usual one first: as scripts are called, and as Nx's own generators do. */
export type NamesOfKind = readonly (readonly [JobKind, readonly string[]])[];

/** Targets of a project that are jobs, one of each kind: written down, or inferred by a plugin from a file it has. */
export function targetsFinder(nx: NxWorkspace, names: NamesOfKind): (project: NxProject) => NxTarget[] {
  const files = filesByFolder(nx);
  const plugins = pluginsOf(nx);
  return (project) => {
    // What lies at the root configures the others, and makes no project of it.
    const isRoot = project.root === nx.workspace.root;
    const inferred = isRoot ? [] : inferredTargets(nx, plugins, files.get(project.root) ?? []);
    return names.flatMap(([kind, usual]): NxTarget[] => {
      const name = usual.find((each) => Object.hasOwn(project.targets, each));
      if (name !== undefined) {
        const definition = project.targets[name];
        return [{ name, kind, definition, evidence: `targets.${name} of ${project.path}` }];
      }
      return inferred.filter((each) => each.kind === kind).slice(0, 1);
    });
  };
}

function isInferredFrom(path: string): boolean {
  return INFERENCES.some(({ file }) => file.test(fileNameOf(path)));
}

/** Settings of tools, by the folder they lie in. */
function filesByFolder({ snapshot, projects }: NxWorkspace): Map<string, string[]> {
  const files = new Map<string, string[]>();
  for (const { path } of snapshot.listed(isInferredFrom)) {
    const folder = folderOf(path);
    if (!projects.has(folder)) continue;
    const known = files.get(folder);
    if (known === undefined) files.set(folder, [fileNameOf(path)]);
    else known.push(fileNameOf(path));
  }
  for (const names of files.values()) names.sort(byText);
  return files;
}

interface Plugin {
  readonly name: string;
  readonly options: unknown;
}

function pluginsOf({ settings }: NxWorkspace): Plugin[] {
  const plugins = memberOf(settings, 'plugins');
  return (Array.isArray(plugins) ? plugins : []).flatMap((plugin: unknown): Plugin[] => {
    const name = asText(plugin) ?? asText(memberOf(plugin, 'plugin'));
    return name === null ? [] : [{ name, options: memberOf(plugin, 'options') }];
  });
}

function inferredTargets(nx: NxWorkspace, plugins: readonly Plugin[], files: readonly string[]): NxTarget[] {
  return INFERENCES.flatMap(({ plugin, kind, option, otherwise, file }): NxTarget[] => {
    const used = plugins.find(({ name }) => plugin.test(name));
    const found = files.find((name) => file.test(name));
    if (used === undefined || found === undefined) return [];
    const named = option.reduce<unknown>((at, member) => memberOf(at, member), used.options);
    const name = asText(named) ?? otherwise;
    if (name === null) return [];
    return [{ name, kind, definition: null, evidence: `${used.name} of ${nx.path}, which finds ${found}` }];
  });
}

/** What a target is known to run, as text to look for tools in. */
export function textOf({ definition, evidence }: NxTarget): string {
  return definition === null ? evidence : orderedText(definition);
}

/** A member of a target's definition, or what `targetDefaults` say for its name or its executor. */
export function settingOf({ settings }: NxWorkspace, { name, definition }: NxTarget, member: string): unknown {
  const defaults = asRecord(memberOf(settings, 'targetDefaults'));
  const executor = asText(memberOf(definition, 'executor')) ?? '';
  const places = [definition, memberOf(defaults, executor), memberOf(defaults, name)];
  return places.map((place) => memberOf(place, member)).find((value) => value !== undefined);
}

export function outputsOf(nx: NxWorkspace, target: NxTarget, { root }: NxProject): string[] {
  const outputs = settingOf(nx, target, 'outputs');
  const texts = Array.isArray(outputs) ? outputs.filter((each) => typeof each === 'string') : [];
  return texts.flatMap((pattern) => {
    const glob = located(pattern, root, nx.workspace.root);
    // What has no ending is a folder, as a rule.
    const isFolder = glob !== null && /(?:^|\/)[^.*/]+$/u.test(glob);
    return glob === null ? [] : [isFolder ? `${glob}/**` : glob];
  });
}

/** A pattern of Nx as a glob from the repository's root; null when it names neither project nor workspace. */
export function located(pattern: string, projectRoot: string, workspaceRoot: string): string | null {
  const [, negation = '', place, rest = ''] = /^(!?)\{(projectRoot|workspaceRoot)\}\/?(.*)$/u.exec(pattern) ?? [];
  if (place === undefined || rest.includes('{options.')) return null;
  const folder = place === 'projectRoot' ? projectRoot : workspaceRoot;
  return `${negation}${inFolder(folder, rest === '' ? '**' : rest)}`;
}
