import { readMix, readMixLock, type MixProject } from '../elixir/mix.ts';
import { condenseElixir, isElixirSource, prosePages } from '../elixir/named-prose.ts';
import { MISSING, missing, reachable } from '../javascript/locked-packages.ts';
import type { Discovery, DiscoveryProblem, ExternalClosure, Unit, UnitCommand, UnitEdge } from '../model.ts';
import { foldersWith, type RepositoryView } from '../tracing/repository-view.ts';
import { plainUnit } from '../plain-unit.ts';
import { pinnedVersion, TOOL_VERSIONS } from '../tool-versions.ts';
import { byText, fileNameOf, folderOf, foldersUpwards, inFolder, isWithin, resolvePath } from '../tree-paths.ts';
import type { Detector } from './detector.ts';

/** Projects of Elixir, alone or under an umbrella. */
export const elixirDetector: Detector = {
  ecosystem: 'elixir',
  lookedFor: 'mix.exs (Elixir projects and umbrellas)',
  wants: (path) => isManifest(path) || ['mix.lock', TOOL_VERSIONS].includes(fileNameOf(path)) || isSource(path),
  condense: (path, text) => (isSource(path) ? condenseElixir(text) : null),
  detect,
};

const NOT_PROJECTS = /(?:^|\/)(?:deps|_build|node_modules|fixtures?|templates?)\//u;

function isManifest(path: string): boolean {
  return fileNameOf(path) === 'mix.exs' && !NOT_PROJECTS.test(path);
}

function isSource(path: string): boolean {
  return isElixirSource(path) && !NOT_PROJECTS.test(path);
}

const TEST_FOLDERS = foldersWith((path) => path.endsWith('_test.exs'));

interface Found {
  readonly root: string;
  readonly mix: MixProject;
  /** The folder of its umbrella; its own where it stands alone. */
  readonly workspace: string;
}

interface Facts {
  readonly snapshot: RepositoryView;
  readonly projects: ReadonlyMap<string, Found>;
  /** Roots with tests. */
  readonly tested: ReadonlySet<string>;
  /** Pages that sources name, by the root of their project. */
  readonly pages: ReturnType<typeof prosePages>;
}

function detect(snapshot: RepositoryView): Discovery {
  const problems: DiscoveryProblem[] = [];
  const projects = readProjects(snapshot, problems);
  const tested = [...snapshot.ask(TEST_FOLDERS)].flatMap((at) => {
    const root = foldersUpwards(at).find((folder) => projects.has(folder));
    return root !== undefined && isWithin(at, inFolder(root, 'test')) ? [root] : [];
  });
  const pages = prosePages(snapshot, new Set(projects.keys()));
  const facts: Facts = { snapshot, projects, tested: new Set(tested), pages };
  const all = [...projects.values()];
  return {
    units: all.map((each) => unitOf(each, facts)),
    edges: all.flatMap((each) => edgesOf(each, facts)),
    problems,
  };
}

function readProjects({ listed, contents }: RepositoryView, problems: DiscoveryProblem[]): Map<string, Found> {
  const read = new Map<string, MixProject>();
  for (const { path } of listed(isManifest)) {
    const text = contents.get(path);
    const mix = text === undefined ? null : readMix(text);
    if (mix !== null) read.set(folderOf(path), mix);
    else {
      const message = `${path} is too large or not text: what it describes is not planned for`;
      problems.push({ code: 'manifest_unreadable', message, path, scope: folderOf(path) });
    }
  }
  const umbrellas = new Map(
    [...read].flatMap(([root, { appsPath }]) =>
      appsPath === null ? [] : [[resolvePath(root, appsPath), root] as const],
    ),
  );
  return new Map(
    [...read].map(([root, mix]) => [root, { root, mix, workspace: umbrellas.get(folderOf(root)) ?? root }]),
  );
}

/** What comes by path or from the same umbrella; what runs at the root of an umbrella looks at all of its apps. */
function edgesOf({ root, mix, workspace }: Found, { projects }: Facts): UnitEdge[] {
  const manifest = inFolder(root, 'mix.exs');
  const named = mix.dependencies.flatMap(({ name, inUmbrella, path, kind }): UnitEdge[] => {
    const to = inUmbrella
      ? [...projects.values()].find(
          (other) =>
            other.workspace === workspace &&
            other.root !== workspace &&
            (other.mix.name ?? fileNameOf(other.root)) === name,
        )?.root
      : path === null
        ? undefined
        : (resolvePath(root, path) ?? undefined);
    return to === undefined || to === root || !projects.has(to)
      ? []
      : [{ from: root, to, kind, evidence: `${name} in ${manifest}` }];
  });
  const apps = [...projects.values()].filter((other) => other.workspace === root && other.root !== root);
  const evidence = `${manifest} is the umbrella of it`;
  return [...named, ...apps.map((app): UnitEdge => ({ from: root, to: app.root, kind: 'workspace', evidence }))];
}

const HOSTS = ['builds.hex.pm', 'repo.hex.pm'];

function unitOf(found: Found, facts: Facts): Unit {
  const { root, mix, workspace } = found;
  const { snapshot, projects } = facts;
  const manifest = inFolder(root, 'mix.exs');
  const commands = commandsOf(found, facts);
  const pinned = pinnedVersion(snapshot.contents, root, 'elixir', null);
  const version = pinned?.version.replace(/-otp-\d+$/u, '') ?? (mix.elixir === null ? null : `>=${mix.elixir}`);
  const lock = lockOf(found, facts);
  const fetches = fetchesPackages(found, facts, lock);
  const isUmbrella = [...projects.values()].some((other) => other.workspace === root && other.root !== root);
  return {
    ...plainUnit({ root, ecosystem: 'elixir', manifest }),
    name: mix.name ?? root,
    workspace,
    meaning: mix.meaning,
    // Settings of an umbrella are those of all of its apps.
    workspaceMeaning: isUmbrella ? mix.meaning : null,
    closure: closureOf(found, facts, lock),
    commands,
    inputs: facts.pages.get(root) ?? [],
    caches: fetches
      ? [{ type: 'deps', name: 'mix-deps', paths: [inFolder(workspace, 'deps')], keyFiles: [lock ?? manifest] }]
      : [],
    install: fetches ? [{ name: 'install', run: INSTALL, workdir: workspace }] : [],
    hosts: fetches ? HOSTS : [],
    env: { CI: 'true' },
    toolchain: version === null ? null : { name: 'elixir', version, evidence: pinned?.path ?? manifest },
  };
}

/** Neither Hex nor a network is needed where all that anything of a workspace is made of lies in the repository. */
const INSTALL = 'mix local.hex --force --if-missing && mix local.rebar --force --if-missing && mix deps.get';

/** Whether anything has to be fetched before what a project is made of can be compiled: what cannot be told may have to be. */
function fetchesPackages({ workspace }: Found, { projects, snapshot }: Facts, lock: string | null): boolean {
  if (lock !== null && readMixLock(snapshot.contents.get(lock) ?? '')?.size !== 0) return true;
  const seen = new Set(
    [...projects.values()].filter((each) => each.workspace === workspace || each.root === workspace),
  );
  for (const { root, mix } of seen) {
    if (!mix.isListed) return true;
    for (const { inUmbrella, path } of mix.dependencies) {
      if (inUmbrella) continue;
      const at = path === null ? null : projects.get(resolvePath(root, path) ?? '');
      if (at === null || at === undefined) return true;
      seen.add(at);
    }
  }
  return false;
}

function lockOf({ root, workspace }: Found, { snapshot }: Facts): string | null {
  return (
    [root, workspace].map((folder) => inFolder(folder, 'mix.lock')).find((path) => snapshot.files.has(path)) ?? null
  );
}

/** What the project asks for, and what that needs; at the root of an umbrella, what all of its apps ask for. */
function closureOf({ root, mix }: Found, { snapshot, projects }: Facts, lockfile: string | null): ExternalClosure {
  if (lockfile === null) return { kind: 'none' };
  const packages = readMixLock(snapshot.contents.get(lockfile) ?? '');
  if (packages === null)
    return { kind: 'unreadable', lockfile, reason: 'it is no lockfile of mix, or one not written by it' };
  const members = [...projects.values()].filter(({ workspace }) => workspace === root).map((each) => each.mix);
  const asked = [mix, ...members].flatMap(({ dependencies }) =>
    dependencies.filter(({ inUmbrella, path }) => !inUmbrella && path === null),
  );
  const found = [
    ...reachable(
      asked.map(({ name }) => name),
      (name) => packages.get(name)?.next ?? [],
    ),
  ].sort(byText);
  // Of what a package can do without, nothing stands in the lockfile.
  const direct = new Set(asked.map(({ name }) => name));
  const resolved = found.flatMap((name): [string, string][] => {
    const known = packages.get(name);
    if (known !== undefined) return [[name, known.identity]];
    return direct.has(name) ? [[missing(name), MISSING]] : [];
  });
  return { kind: 'resolved', lockfile, packages: new Map(resolved) };
}

function commandsOf({ root, mix }: Found, { snapshot, tested }: Facts): UnitCommand[] {
  const manifest = inFolder(root, 'mix.exs');
  const command = (kind: UnitCommand['kind'], run: string, evidence: string): UnitCommand => ({
    kind,
    step: { name: `${kind} ${root}`.slice(0, 200), run, workdir: root },
    evidence,
    text: run,
    reports: [],
    outputs: [],
    joins: null,
  });
  const has = (name: string): boolean => mix.dependencies.some((each) => each.name === name);
  const formatter = inFolder(root, '.formatter.exs');
  const lints = [
    ...(snapshot.files.has(formatter) ? [{ run: 'mix format --check-formatted', evidence: formatter }] : []),
    ...(has('credo') ? [{ run: 'mix credo', evidence: `credo in ${manifest}` }] : []),
  ];
  return [
    ...(mix.appsPath !== null ? [] : [command('build', 'mix compile', manifest)]),
    ...(tested.has(root) ? [command('test', 'mix test', `tests in ${inFolder(root, 'test')}`)] : []),
    ...(lints.length === 0
      ? []
      : [
          command(
            'lint',
            lints.map(({ run }) => run).join(' && '),
            lints.map(({ evidence }) => evidence).join(' and '),
          ),
        ]),
    ...(has('dialyxir') ? [command('typecheck', 'mix dialyzer', `dialyxir in ${manifest}`)] : []),
  ];
}
