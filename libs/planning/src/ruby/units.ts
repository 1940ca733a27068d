import { hostOf, MISSING, missing, reachable } from '../javascript/locked-packages.ts';
import type { DeclaredInput, ExternalClosure, Unit, UnitCommand, UnitEdge } from '../model.ts';
import { plainUnit } from '../plain-unit.ts';
import { pinnedVersion } from '../tool-versions.ts';
import { byText, foldersUpwards, inFolder, isWithin } from '../tree-paths.ts';
import type { RubyLock, RubyProject, RubyTree } from './projects.ts';

/** Gems of the repository that a project names by path or by name, and those its lockfile has by path. */
export function edgesOf(project: RubyProject, tree: RubyTree): UnitEdge[] {
  const { root, gemfile, gems, lock, manifest } = project;
  const edge = (to: RubyProject | undefined, kind: UnitEdge['kind'], evidence: string): UnitEdge[] =>
    to === undefined || to.root === root ? [] : [{ from: root, to: to.root, kind, evidence }];
  const named = (names: ReadonlySet<string>, kind: UnitEdge['kind'], where: string): UnitEdge[] =>
    [...names].flatMap((name) => edge(tree.byGem.get(name), kind, `${name} in ${where}`));
  const byPath = (gemfile?.folders ?? []).flatMap((folder) =>
    edge(tree.projects.get(folder), 'production', `its path in ${manifest}`),
  );
  const locked = [...(lock?.read?.gems ?? [])].flatMap(([name, { folder }]) =>
    folder === null
      ? []
      : edge(tree.byGem.get(name) ?? tree.projects.get(folder), 'production', `${name} by path in ${lock?.path ?? ''}`),
  );
  const ofGems = [...gems].flatMap(([name, spec]) => [
    ...named(spec.names, 'production', `${name}.gemspec`),
    ...named(spec.development, 'development', `${name}.gemspec`),
  ]);
  return [...byPath, ...locked, ...ofGems];
}

/** The project whose Gemfile a command in a folder finds: its own, or the nearest upwards that has the gem by its path. */
function bundleOf({ root, gemfile, gems }: RubyProject, { projects }: RubyTree): RubyProject | null {
  if (gemfile !== null) return projects.get(root) ?? null;
  for (const folder of foldersUpwards(root)) {
    const found = projects.get(folder);
    if (found === undefined || found.gemfile === null) continue;
    const { folders } = found.gemfile;
    const locked = found.lock?.read?.gems;
    // A gemspec at the root brings in those of all folders below.
    const isAt = (place: string | null): boolean => place !== null && isWithin(root, place);
    const isLocked = (name: string): boolean => isAt(locked?.get(name)?.folder ?? null);
    const has = folders.includes(root) || [...gems.keys()].some(isLocked);
    return has ? found : null;
  }
  return null;
}

export function unitOf(project: RubyProject, tree: RubyTree): Unit {
  const { root, manifest, gemfile, gems } = project;
  const bundle = bundleOf(project, tree);
  const commands = bundle === null ? [] : commandsOf(project, bundle, tree);
  const lock = bundle?.lock ?? null;
  return {
    ...plainUnit({ root, ecosystem: 'ruby', manifest }),
    name: gemfile === null || gems.size === 1 ? ([...gems.keys()][0] ?? root) : root,
    workspace: bundle?.root ?? root,
    meaning: JSON.stringify([
      (gemfile ?? bundle?.gemfile)?.meaning ?? null,
      [...gems].map(([name, spec]) => [name, spec.meaning]),
    ]),
    // A file for tools alone makes nobody the owner of what lies around it.
    workspaceMeaning: commands.length === 0 ? '' : null,
    closure: closureOf(project, lock),
    commands,
    inputs: inputsOf(
      project,
      commands.some(({ kind }) => kind === 'lint'),
      tree,
    ),
    caches: commands.length === 0 || bundle === null ? [] : cachesOf(bundle),
    install:
      commands.length === 0 || bundle === null
        ? []
        : [{ name: 'install', run: 'bundle install', workdir: bundle.root }],
    hosts: commands.length === 0 ? [] : hostsOf(lock),
    env: { CI: 'true', BUNDLE_PATH: 'vendor/bundle', ...(lock === null ? {} : { BUNDLE_FROZEN: 'true' }) },
    toolchain: toolchainOf(project, bundle, tree),
  };
}

/** All that is installed for a Gemfile; for a gem that is only part of one, what the gem needs and what its tests may use. */
function closureOf({ gems, gemfile }: RubyProject, lock: RubyLock | null): ExternalClosure {
  if (lock === null) return { kind: 'none' };
  const lockfile = lock.path;
  if (lock.read === null) return { kind: 'unreadable', lockfile, reason: lock.reason };
  const { gems: locked, direct, ruby, platforms, bundler } = lock.read;
  // What a Gemfile brings in is there for the tests of each of its gems; other gems of the repository are dependencies of their own.
  const beside = direct.filter((name) => (locked.get(name)?.folder ?? null) === null);
  const start = gemfile === null ? [...gems.keys(), ...beside] : [...direct, ...locked.keys()];
  const found = [...reachable(start, (name) => locked.get(name)?.next ?? [])].sort(byText);
  const packages = new Map<string, string>();
  for (const name of found) {
    const gem = locked.get(name);
    if (gem === undefined) packages.set(missing(name), MISSING);
    else if (gem.folder === null) packages.set(name, gem.identity);
  }
  if (ruby !== null) packages.set('(ruby)', ruby);
  packages.set('(platforms)', platforms).set('(bundler)', bundler);
  return { kind: 'resolved', lockfile, packages };
}

function commandsOf(project: RubyProject, bundle: RubyProject, tree: RubyTree): UnitCommand[] {
  const { root } = project;
  const command = (kind: UnitCommand['kind'], run: string, evidence: string, reports: string[] = []): UnitCommand => ({
    kind,
    step: { name: `${kind} ${root}`.slice(0, 200), run, workdir: root },
    evidence,
    text: run,
    reports,
    outputs: [],
    joins: null,
  });
  const has = (name: string): boolean => isAskedFor(name, project, bundle);
  const rspec = ['rspec', 'rspec-core', 'rspec-rails'].some(has) && tree.specs.has(root);
  const junit = has('rspec_junit_formatter');
  const flags = junit ? ` --format progress --format RspecJunitFormatter --out ${REPORT}` : '';
  // Without settings of its own, a gem is looked at with the program around it.
  const linter = LINTERS.find(
    ({ gem, file }) =>
      has(gem) && (bundle.root === root ? nearestOf(root, file, tree) : ownOf(root, file, tree)) !== null,
  );
  const tests = testsOf(root, tree);
  return [
    ...(rspec
      ? [
          command(
            'test',
            `bundle exec rspec${flags}`,
            `specs and rspec of ${bundle.manifest}`,
            junit ? [inFolder(root, REPORT)] : [],
          ),
        ]
      : tests === null
        ? []
        : [command('test', tests.run, tests.evidence)]),
    ...(linter === undefined ? [] : [command('lint', linter.run, nearestOf(root, linter.file, tree) ?? linter.file)]),
  ];
}

const REPORT = 'rspec-report.xml';

const LINTERS = [
  { gem: 'rubocop', file: '.rubocop.yml', run: 'bundle exec rubocop' },
  { gem: 'standard', file: '.standard.yml', run: 'bundle exec standardrb' },
];

/** Rails runs its own tests; elsewhere a Rakefile has a task for them. */
function testsOf(root: string, { files, snapshot, tests }: RubyTree): { run: string; evidence: string } | null {
  if (!tests.has(root)) return null;
  const rails = inFolder(root, 'bin/rails');
  if (files.has(rails) && files.has(inFolder(root, 'config/application.rb')))
    return { run: 'bundle exec rails test', evidence: rails };
  const rakefile = inFolder(root, 'Rakefile');
  const text = snapshot.contents.get(rakefile) ?? '';
  const task = /^[ \t]*(?:Rake|Minitest)::TestTask\.(?:new|create)\b(?:\s*\(\s*:(?<name>\w+))?/mu.exec(text);
  if (task === null) return null;
  return {
    run: `bundle exec rake ${/^[ \t]*task[ \t]*\(?:test\b/mu.test(text) ? 'test' : (task.groups?.['name'] ?? 'test')}`,
    evidence: `a task for tests in ${rakefile}`,
  };
}

/** By the Gemfile, by a gemspec, or by whatever else is locked: what brings a tool along brings its commands too. */
function isAskedFor(name: string, { gems }: RubyProject, { gemfile, lock, gems: others }: RubyProject): boolean {
  const specs = [...gems.values(), ...others.values()];
  const named = specs.some((spec) => spec.names.has(name) || spec.development.has(name));
  return named || gemfile?.names.has(name) === true || lock?.read?.gems.has(name) === true;
}

function ownOf(root: string, name: string, { files }: RubyTree): string | null {
  return files.has(inFolder(root, name)) ? inFolder(root, name) : null;
}

function nearestOf(root: string, name: string, { files }: RubyTree): string | null {
  return (
    foldersUpwards(root)
      .map((folder) => inFolder(folder, name))
      .find((path) => files.has(path)) ?? null
  );
}

/** A linter looks at all that lies below, whoever it belongs to. */
function inputsOf({ root }: RubyProject, linted: boolean, { files, projects }: RubyTree): DeclaredInput[] {
  const upwards = (names: readonly string[]): string[] =>
    foldersUpwards(root)
      .flatMap((folder) => names.map((name) => inFolder(folder, name)))
      .filter((path) => files.has(path));
  const input = (paths: readonly string[], kinds: DeclaredInput['kinds'], evidence: string): DeclaredInput[] =>
    paths.length === 0 ? [] : [{ paths, kinds, evidence }];
  const below = [...projects.keys()].filter((folder) => folder !== root && isWithin(folder, root));
  const sources = linted ? below.map((folder) => `${folder}/**/*.rb`) : [];
  return [
    ...input(upwards(['.rubocop.yml', '.rubocop_todo.yml', '.standard.yml']), ['lint'], 'it sets up the linter'),
    ...input(upwards(['.ruby-version']), 'all', 'it says what it is run with'),
    ...input(sources, ['lint'], 'its linter looks at all that lies below').map((each) => ({
      ...each,
      also: true as const,
    })),
  ];
}

function cachesOf({ root, manifest, lock }: RubyProject): Unit['caches'] {
  const keyFiles = lock === null ? [manifest] : [lock.path];
  return [{ type: 'deps', name: 'bundle', paths: [inFolder(root, 'vendor/bundle')], keyFiles }];
}

function hostsOf(lock: RubyLock | null): string[] {
  const remotes = lock?.read?.remotes ?? ['https://rubygems.org/'];
  const hosts = new Set(remotes.flatMap((address) => hostOf(address) ?? []));
  if (hosts.has('rubygems.org')) hosts.add('index.rubygems.org');
  return [...hosts].sort(byText).slice(0, HOSTS_MAX);
}

/** As many as a lockfile reasonably names. */
const HOSTS_MAX = 20;

function toolchainOf(
  { root, gemfile, manifest }: RubyProject,
  bundle: RubyProject | null,
  { snapshot }: RubyTree,
): Unit['toolchain'] {
  const pinned = pinnedVersion(snapshot.contents, root, 'ruby', '.ruby-version');
  if (pinned !== null) return { name: 'ruby', version: pinned.version, evidence: pinned.path };
  const asked = gemfile?.ruby ?? null;
  if (asked !== null) return { name: 'ruby', version: `>=${asked}`, evidence: manifest };
  const locked = bundle?.lock?.read?.ruby ?? null;
  return locked === null ? null : { name: 'ruby', version: `>=${locked}`, evidence: bundle?.lock?.path ?? manifest };
}
