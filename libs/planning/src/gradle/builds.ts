import type { DiscoveryProblem } from '../model.ts';
import type { RepositoryView } from '../tracing/repository-view.ts';
import { byText, fileNameOf, folderOf, foldersUpwards, inFolder, resolvePath } from '../tree-paths.ts';
import { isToken, scanScript, textsFrom, type ScriptToken } from './scan-script.ts';

export interface GradleScript {
  readonly file: string;
  readonly tokens: readonly ScriptToken[];
  /** As it is written: what looks like a comment may stand within a text between slashes. */
  readonly text: string;
}

/** A project of a Gradle build. */
export interface GradleProject {
  readonly root: string;
  /** `:` for the root project. */
  readonly path: string;
  /** Its build script; null when it has none. */
  readonly script: GradleScript | null;
}

/** A build: what one settings file describes. */
export interface GradleBuild {
  readonly root: string;
  readonly name: string;
  readonly settings: GradleScript | null;
  readonly projects: readonly GradleProject[];
  /** Folders of builds that it includes; `buildSrc` among them. */
  readonly included: readonly string[];
  /** Whether the settings name projects in ways that only running them would tell. */
  readonly dynamic: boolean;
}

const SETTINGS = ['settings.gradle', 'settings.gradle.kts'];
const SCRIPTS = ['build.gradle', 'build.gradle.kts'];

/** Scripts below `src` are material of tests or templates. */
const MATERIAL = /(?:^|\/)(?:src|node_modules)\//u;

export function isGradleScript(path: string): boolean {
  const name = fileNameOf(path);
  return !MATERIAL.test(path) && (SETTINGS.includes(name) || name.endsWith('.gradle') || name.endsWith('.gradle.kts'));
}

export function readBuilds(snapshot: RepositoryView, problems: DiscoveryProblem[]): GradleBuild[] {
  const scripts = new Map<string, GradleScript>();
  for (const { path } of snapshot.listed(isGradleScript)) {
    const script = snapshot.parsed(path, scriptOf);
    if (script !== undefined) scripts.set(path, script);
    else {
      const message = `${path} is too large or not text: what it says of its project is not known`;
      problems.push({ code: 'manifest_unreadable', message, path, scope: folderOf(path) });
    }
  }
  return buildRoots([...scripts.keys()]).map((root) => {
    const build = readBuild(root, scripts);
    if (build.dynamic) {
      const file = build.settings?.file ?? root;
      const message = `${file} names projects in a way that only Gradle can follow: the build is planned as one`;
      problems.push({ code: 'workspace_unreadable', message, path: build.settings?.file ?? null, scope: root });
    }
    return build;
  });
}

function scriptOf(text: string, file: string): GradleScript {
  return { file, tokens: scanScript(text), text };
}

/** Folders with settings, `buildSrc` beside them, and folders with a build script that lie in no such folder. */
function buildRoots(paths: readonly string[]): string[] {
  const withSettings = new Set(paths.filter((path) => SETTINGS.includes(fileNameOf(path))).map(folderOf));
  const scripts = paths
    .filter((path) => SCRIPTS.includes(fileNameOf(path)))
    .map(folderOf)
    .sort(byText);
  const roots = new Set(withSettings);
  for (const folder of scripts) {
    const isBuildSrc = fileNameOf(folder) === 'buildSrc';
    if (isBuildSrc || !foldersUpwards(folder).some((each) => roots.has(each))) roots.add(folder);
  }
  return [...roots].sort(byText);
}

function readBuild(root: string, scripts: ReadonlyMap<string, GradleScript>): GradleBuild {
  const fileIn = (folder: string, names: readonly string[]): GradleBuild['settings'] => {
    for (const name of names) {
      const script = scripts.get(inFolder(folder, name));
      if (script !== undefined) return script;
    }
    return null;
  };
  const settings = fileIn(root, SETTINGS);
  const said = readSettings(root, settings?.tokens ?? []);
  const named = new Map([[':', root], ...(said.dynamic ? [] : said.projects)]);
  const buildSrc = inFolder(root, 'buildSrc');
  const hasBuildSrc = [...scripts.keys()].some(
    (path) => SCRIPTS.includes(fileNameOf(path)) && folderOf(path) === buildSrc,
  );
  return {
    root,
    name: said.name ?? (root === '.' ? 'the root' : fileNameOf(root)),
    settings,
    dynamic: said.dynamic,
    included: [...said.included, ...(hasBuildSrc ? [buildSrc] : [])],
    projects: [...named].map(([path, folder]) => {
      // A project may call its script after itself.
      const own = path.slice(path.lastIndexOf(':') + 1);
      return { path, root: folder, script: fileIn(folder, [...SCRIPTS, `${own}.gradle`, `${own}.gradle.kts`]) };
    }),
  };
}

interface Settings {
  readonly name: string | null;
  readonly projects: readonly [path: string, folder: string][];
  readonly included: readonly string[];
  readonly dynamic: boolean;
}

/** More projects than this are not followed one by one. */
const PROJECTS_MAX = 5_000;

function readSettings(root: string, tokens: readonly ScriptToken[]): Settings {
  const projects = new Map<string, string>();
  const included: string[] = [];
  let name: string | null = null;
  let dynamic = false;
  const add = (path: string): void => {
    const parts = path.split(':').filter((part) => part !== '');
    // Whoever includes `:a:b` has `:a` too.
    parts.forEach((_, at) => {
      const each = parts.slice(0, at + 1);
      const folder = resolvePath(root, each.join('/'));
      if (folder !== null && !projects.has(`:${each.join(':')}`)) projects.set(`:${each.join(':')}`, folder);
    });
  };
  tokens.forEach((token, at) => {
    if (token.kind !== 'word' || isToken(tokens[at - 1], 'sign', '.')) return;
    if (token.value === 'include') {
      const texts = textsFrom(tokens, at + 1);
      // `${name}` in a text is as open as a variable.
      if (texts === null || texts.some((text) => text.includes('$'))) dynamic = true;
      else texts.forEach(add);
    } else if (token.value === 'includeFlat') dynamic = true;
    else if (token.value === 'includeBuild') {
      const folder = resolvePath(root, textsFrom(tokens, at + 1)?.[0] ?? '..');
      if (folder !== null && folder !== root) included.push(folder);
    } else if (token.value === 'project') movedProject(root, tokens, at, projects);
    else if (token.value === 'rootProject' && isToken(tokens[at + 2], 'word', 'name')) {
      const text = tokens[at + 4];
      if (isToken(text, 'text')) name = text.value;
    }
  });
  return { name, projects: [...projects], included, dynamic: dynamic || projects.size > PROJECTS_MAX };
}

/** As far as the folder can stand behind `project(':x').projectDir =`: `new File(settingsDir, '../x')`. */
const WITHIN = 8;

function movedProject(root: string, tokens: readonly ScriptToken[], at: number, projects: Map<string, string>): void {
  const path = textsFrom(tokens, at + 1)?.[0];
  if (path === undefined || !isToken(tokens[at + 5], 'word', 'projectDir') || !projects.has(path)) return;
  const text = tokens.slice(at + 6, at + 6 + WITHIN).find(({ kind }) => kind === 'text');
  const folder = text === undefined ? null : resolvePath(root, text.value);
  if (folder !== null) projects.set(path, folder);
}
