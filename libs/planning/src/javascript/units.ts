import type { JobKind, JobStep } from '@delta-ci/contracts';
import type { DeclaredInput, Discovery, Unit, UnitCache, UnitCommand, UnitEdge } from '../model.ts';
import { areSameSets, foldersWith, type Question, type RepositoryView } from '../tracing/repository-view.ts';
import { asText, sortedText } from '../parsed-values.ts';
import { byText, foldersUpwards, inFolder } from '../tree-paths.ts';
import { closuresIn } from './closures.ts';
import { declaredEdges, hasExternalPackages, rootEdges, type LinkedPackages } from './declared-edges.ts';
import { importsIn, type ProjectImports } from '../nx/import-edges.ts';
import { nxRunner } from '../nx/nx-runner.ts';
import { nxWorkspaceOf } from '../nx/projects.ts';
import { FOLDERS_READ_FOR_IMPORTS, HAS_TOO_MANY_SOURCES } from './condense.ts';
import { reportsOf, settingsByFolder, type SettingsByFolder } from './reports.ts';
import { NAMES_OF_KIND, scriptsForJobs } from './scripts.ts';
import { MOST_SHARDS, shardsOfScript } from './shards.ts';
import type { Task, TaskRunner } from './task-runner.ts';
import { turboIn } from './turbo.ts';
import { typescriptProjects, type TypeScriptProject } from './typescript-projects.ts';
import { workspaceInputs } from './workspace-inputs.ts';
import { WORKSPACES, type JavaScriptPackage, type JavaScriptWorkspace } from './workspaces.ts';
import type { PackageManagerName } from './package-managers.ts';

/** Keeps package managers quiet and away from hosts that have nothing to do with the job. */
const ENVIRONMENT = {
  CI: 'true',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_update_notifier: 'false',
};

/** Units and edges of all packages that the given package managers look after. */
export function discoverPackages(
  snapshot: RepositoryView,
  ecosystem: string,
  managers: readonly PackageManagerName[],
): Discovery {
  const { workspaces, problems } = snapshot.ask(WORKSPACES);
  const roots = new Set(workspaces.flatMap((each) => each.packages.map(({ root }) => root)));
  const typescript = snapshot.ask(WITH_TYPESCRIPT);
  const ours = workspaces.filter((each) => managers.includes(each.manager.name));
  const compiled = typescriptProjects(snapshot, roots, rootsByName(workspaces.flatMap(({ packages }) => packages)));
  const settings = settingsByFolder(snapshot);
  const place = { roots, snapshot, typescript, ecosystem, compiled, settings };
  const found = ours.map((workspace) => unitsOf(surroundingsOf({ ...place, workspace })));
  const folders = new Set(ours.map(({ root }) => root));
  const first = managers.includes('npm');
  return {
    units: found.flatMap(({ units }) => units),
    edges: found.flatMap(({ edges }) => edges),
    // What belongs to no workspace that could be read is said once, by whoever looks after plain packages.
    problems: problems.filter(
      ({ scope }) => folders.has(scope) || (first && !workspaces.some((w) => w.root === scope)),
    ),
  };
}

interface Place {
  readonly workspace: JavaScriptWorkspace;
  readonly roots: ReadonlySet<string>;
  readonly snapshot: RepositoryView;
  readonly typescript: ReadonlySet<string>;
  readonly ecosystem: string;
  readonly compiled: ReadonlyMap<string, TypeScriptProject>;
  readonly settings: SettingsByFolder;
}

interface Surroundings extends Place {
  /** Roots of the workspace's packages by their names; of two with one name, the first by its root. */
  readonly byName: LinkedPackages['byName'];
  readonly runner: TaskRunner | null;
  readonly imports: ProjectImports;
}

const NO_IMPORTS: ProjectImports = { edges: [], packages: new Map(), unread: new Map() };

function rootsByName(packages: readonly JavaScriptPackage[]): Map<string | null, string> {
  return new Map(packages.toReversed().map(({ manifest, root }) => [manifest.name, root] as const));
}

function allRootsByName(packages: readonly JavaScriptPackage[]): LinkedPackages['byName'] {
  const byName = Map.groupBy(packages, ({ manifest }) => manifest.name);
  return new Map([...byName].map(([name, all]) => [name, all.map(({ root }) => root)]));
}

function surroundingsOf(place: Place): Surroundings {
  const { workspace, snapshot } = place;
  const nx = nxWorkspaceOf(workspace, snapshot);
  const isRead = nx !== null && snapshot.ask(FOLDERS_READ_FOR_IMPORTS).has(workspace.root);
  return {
    ...place,
    byName: allRootsByName(workspace.packages),
    runner: nx === null ? turboIn(workspace, snapshot) : nxRunner(nx),
    imports: isRead ? importsIn(nx, snapshot.ask(HAS_TOO_MANY_SOURCES)) : NO_IMPORTS,
  };
}

function unitsOf(around: Surroundings): { units: Unit[]; edges: UnitEdge[] } {
  const { workspace, runner, imports, compiled } = around;
  const offered = kindsOfMembers(around);
  const commands = new Map(workspace.packages.map((each) => [each.root, commandsOf(around, each, offered)]));
  const members = workspace.packages.filter(({ root }) => !(workspace.defined && root === workspace.root));
  const declared = [...workspace.packages.flatMap((each) => declaredEdges(around, each)), ...imports.edges];
  const edges = [
    ...declared,
    ...rootEdges(workspace, commands),
    ...workspace.packages.flatMap((each) => runner?.edgesOf(each) ?? []),
    ...members.flatMap(({ root }) => compiled.get(root)?.edges ?? []),
  ];
  const wiring = {
    commands,
    declared: byOrigin(declared),
    external: hasExternalPackages(around),
    closure: closuresIn(
      workspace,
      around.snapshot,
      new Set([...imports.packages.values()].flatMap((names) => [...names])),
    ),
  };
  const units = workspace.packages.map((each) => unitOf(around, each, wiring));
  return { units, edges };
}

/** Edges by the unit they start from, ordered by where they lead. */
function byOrigin(edges: readonly UnitEdge[]): Map<string, UnitEdge[]> {
  const origins = new Map<string, UnitEdge[]>();
  for (const edge of edges.toSorted((one, other) => byText(one.to, other.to))) {
    const known = origins.get(edge.from);
    if (known === undefined) origins.set(edge.from, [edge]);
    else known.push(edge);
  }
  return origins;
}

interface Wiring {
  readonly commands: ReadonlyMap<string, readonly UnitCommand[]>;
  /** Edges that manifests of the workspace declare, by the package that declares them. */
  readonly declared: ReadonlyMap<string, readonly UnitEdge[]>;
  readonly external: boolean;
  readonly closure: ReturnType<typeof closuresIn>;
}

function unitOf(around: Surroundings, each: JavaScriptPackage, wiring: Wiring): Unit {
  const { workspace, ecosystem, typescript, runner, imports } = around;
  const own = wiring.declared.get(each.root) ?? [];
  const internal = own.map(({ to, kind }) => `${to} ${kind}`).sort(byText);
  const toolchain = nodeVersionOf(around, each);
  const isRoot = each.root === workspace.root && workspace.defined;
  const commands = wiring.commands.get(each.root) ?? [];
  const compiled = typescript.has(each.root);
  const installs = wiring.external || own.length > 0;
  const isLookedAt = imports !== NO_IMPORTS && !imports.unread.has(each.root);
  const imported = isLookedAt ? (imports.packages.get(each.root) ?? new Set<string>()) : null;
  const runs = { commands, typescript: compiled, imports: imported };
  return {
    id: each.root,
    name: each.manifest.name ?? each.root,
    root: each.root,
    ecosystem,
    workspace: workspace.root,
    manifest: each.manifestPath,
    meaning: JSON.stringify([each.manifest.meaning, internal, toolchain?.version ?? null]),
    workspaceMeaning: isRoot ? meaningForMembers(workspace, each) : null,
    closure: wiring.closure(each, runs),
    commands,
    inputs: inputsOf(around, each),
    caches: installs && wiring.external ? cachesOf(workspace) : [],
    install: installs ? installSteps(workspace, wiring.external) : [],
    hosts: installs && wiring.external ? hostsOf(around) : [],
    env: { ...ENVIRONMENT, ...runner?.env },
    toolchain,
    typescript: compiled,
    buildsFirst: runner?.builds === true ? [] : buildsFirst(each.root, wiring),
    buildBeforeTest: runner?.builds !== true,
  };
}

function inputsOf(around: Surroundings, each: JavaScriptPackage): DeclaredInput[] {
  const { workspace, runner, compiled, snapshot, imports } = around;
  return [
    ...workspaceInputs(workspace, snapshot),
    ...(runner?.inputsOf(each) ?? []),
    ...(compiled.get(each.root)?.inputs ?? []),
    ...[imports.unread.get(each.root)].filter((input) => input !== undefined),
  ];
}

/**
 * Downloaded packages, by the lockfiles that say which. Manifests alone do not say it: most of what is fetched for them are the
 * registry's lists of versions, which have to be asked for again whatever is kept.
 */
function cachesOf({ manager, lock, ownLocks }: JavaScriptWorkspace): UnitCache[] {
  const keyFiles = [lock, ...ownLocks.values()].flatMap((each) => (each.kind === 'none' ? [] : [each.path]));
  if (keyFiles.length === 0) return [];
  return [{ type: 'deps', name: `${manager.name}-packages`, paths: [...manager.caches], keyFiles }];
}

function commandsOf(around: Surroundings, each: JavaScriptPackage, offered: ReadonlySet<JobKind>): UnitCommand[] {
  const { workspace, runner } = around;
  const isRoot = each.root === workspace.root && workspace.defined;
  const tasks = new Map((runner?.tasksOf(each) ?? []).map((task) => [task.kind, task]));
  const scripts = scriptsForJobs(each.manifest.scripts).map(
    ({ kind, name, text, fansOut }): Task & { fansOut: boolean } => {
      const evidence = `scripts.${name} of ${each.manifestPath}`;
      return { kind, name, text, run: null, evidence, outputs: [], fansOut, ...tasks.get(kind) };
    },
  );
  const others = [...tasks.values()].filter(({ kind }) => !scripts.some((script) => script.kind === kind));
  return (
    [...scripts, ...others.map((task) => ({ ...task, fansOut: false }))]
      // A root script that only starts the members' scripts is planned member by member instead.
      .filter(({ fansOut, kind }) => !(isRoot && fansOut && offered.has(kind)))
      .sort((one, other) => kindOrder(one.kind) - kindOrder(other.kind))
      .map(({ kind, name, text, run, evidence, outputs }) => ({
        kind,
        text,
        step: { name: `${kind} ${each.root}`.slice(0, 200), ...stepOf(workspace, each, name, run) },
        evidence,
        reports: kind === 'test' ? reportsOf(each, text, around.settings) : [],
        outputs,
        joins: null,
        ...(kind === 'test' && run === null ? shardsOf(around, each, name) : {}),
      }))
  );
}

function shardsOf(
  { workspace, settings, snapshot }: Surroundings,
  each: JavaScriptPackage,
  script: string,
): Pick<UnitCommand, 'shards'> {
  const folders = [...new Set([each.root, workspace.root])];
  const shards = shardsOfScript({
    each,
    top: workspace.packages.find(({ root }) => root === workspace.root),
    manager: workspace.manager.name,
    script,
    settings: [each.manifest.settings(), ...folders.flatMap((folder) => settings.get(folder) ?? [])],
    most: () => snapshot.ask(MOST_SHARDS).get(each.root) ?? 1,
  });
  return shards === undefined ? {} : { shards };
}

function kindOrder(kind: JobKind): number {
  return NAMES_OF_KIND.findIndex(([each]) => each === kind);
}

function stepOf(
  { manager, root, runsMembers }: JavaScriptWorkspace,
  each: JavaScriptPackage,
  script: string,
  run: string | null,
): { run: string; workdir: string } {
  if (run !== null) return { run, workdir: root };
  return manager.run(script, runsMembers ? root : each.root, each.root);
}

function kindsOfMembers({ workspace, runner }: Surroundings): Set<JobKind> {
  const members = workspace.packages.filter((each) => each.root !== workspace.root);
  const ofScripts = members.flatMap(({ manifest }) => scriptsForJobs(manifest.scripts).map(({ kind }) => kind));
  return new Set([...ofScripts, ...members.flatMap((each) => (runner?.tasksOf(each) ?? []).map(({ kind }) => kind))]);
}

function installSteps(workspace: JavaScriptWorkspace, external: boolean): JobStep[] {
  const { manager, lock, ownLocks, root, packages, berry, linkedByLerna } = workspace;
  const top = packages.find((each) => each.root === root)?.manifest;
  const modern = /^yarn@(?:[2-9]|\d\d|berry|stable)/u.test(top?.packageManager ?? '') || berry;
  const locked = [lock, ...ownLocks.values()].some(({ kind }) => kind !== 'none');
  const install = { name: 'install', run: manager.install({ locked, offline: !external, modern }), workdir: root };
  if (!linkedByLerna) return [install];
  return [install, { name: 'link packages', run: `${manager.exec} lerna bootstrap`, workdir: root }];
}

/**
 * What members notice of the root's manifest. Which packages the root declares shows in their closures, as long as the
 * lockfile was written for what it declares: otherwise no member may even be installed.
 */
function meaningForMembers({ lock }: JavaScriptWorkspace, { root, manifest }: JavaScriptPackage): string {
  const settled = lock.kind === 'read' && lock.graph.inStep(root, manifest.dependencies);
  const meaning = manifest.workspaceMeaning();
  return settled ? meaning : sortedText([meaning, manifest.dependencies]);
}

function hostsOf({ workspace, snapshot }: Surroundings): string[] {
  const settings = REGISTRY_SETTINGS.map((name) => snapshot.contents.get(inFolder(workspace.root, name)) ?? '');
  const configured = settings.flatMap((text) => [...text.matchAll(REGISTRY)]);
  const locks = [workspace.lock, ...workspace.ownLocks.values()];
  const locked = locks.flatMap((lock) => (lock.kind === 'read' ? lock.graph.hosts : []));
  const named = [...configured.map((found) => (found[1] ?? '').toLowerCase()), ...locked];
  return [...new Set([...workspace.manager.hosts, ...named])].sort(byText).slice(0, HOSTS_MAX);
}

const REGISTRY_SETTINGS = ['.npmrc', '.yarnrc', '.yarnrc.yml', 'bunfig.toml'];

/** `registry=https://host/…`, `@scope:registry=…`, `npmRegistryServer: "https://host"` and their like, one a line. */
const REGISTRY = /^[^#;\n]{0,200}registry[^#;\n]{0,20}?https?:\/\/([A-Za-z0-9.-]{1,253})/gimu;

/** As many as a job may name. */
const HOSTS_MAX = 200;

/** Internal dependencies with a build, dependencies first. A circle is entered once, at the place it is met first. */
function buildsFirst(root: string, { declared, commands }: Wiring): string[] {
  const done: string[] = [];
  const entered = new Set<string>();
  const pending: { readonly root: string; readonly leave: boolean }[] = [{ root, leave: false }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { root: from, leave } = next;
    if (leave) done.push(from);
    if (leave || entered.has(from)) continue;
    entered.add(from);
    pending.push({ root: from, leave: true });
    const further = declared.get(from) ?? [];
    for (let at = further.length - 1; at >= 0; at -= 1) {
      const to = further[at]?.to;
      if (to !== undefined && !entered.has(to)) pending.push({ root: to, leave: false });
    }
  }
  return done.filter((each) => each !== root && (commands.get(each) ?? []).some(({ kind }) => kind === 'build'));
}

function nodeVersionOf({ snapshot, workspace }: Surroundings, each: JavaScriptPackage): Unit['toolchain'] {
  for (const folder of new Set([each.root, workspace.root])) {
    for (const name of ['.nvmrc', '.node-version']) {
      const path = inFolder(folder, name);
      const version = asText(snapshot.contents.get(path))?.trim() ?? '';
      if (/^v?\d+(?:\.\d+){0,2}$/u.test(version)) {
        return { name: 'node', version: version.replace(/^v/u, ''), evidence: path };
      }
    }
  }
  const top = workspace.packages.find(({ root }) => root === workspace.root);
  const named = [each, top].find((candidate) => (candidate?.manifest.nodeVersion ?? null) !== null);
  const asked = named?.manifest.nodeVersion ?? null;
  if (named === undefined || asked === null || asked.range.length > 100) return null;
  return { name: 'node', version: asked.range, evidence: `${asked.member} of ${named.manifestPath}` };
}

const TYPESCRIPT_FOLDERS = foldersWith((path) => /\.[cm]?tsx?$/u.test(path));

/** Folders of packages that hold TypeScript anywhere below them. */
const WITH_TYPESCRIPT: Question<ReadonlySet<string>> = {
  answer: (view) => {
    const { workspaces } = view.ask(WORKSPACES);
    const roots = new Set(workspaces.flatMap(({ packages }) => packages.map(({ root }) => root)));
    const found = new Set<string>();
    for (const at of view.ask(TYPESCRIPT_FOLDERS))
      for (const folder of foldersUpwards(at)) if (roots.has(folder)) found.add(folder);
    return found;
  },
  same: areSameSets,
};
