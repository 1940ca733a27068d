import { isGradleScript, readBuilds, type GradleBuild, type GradleProject } from '../gradle/builds.ts';
import { edgesOfProject } from '../gradle/project-edges.ts';
import { filesElsewhere, type GradlePlaces } from '../gradle/files-elsewhere.ts';
import { isToken, type ScriptToken } from '../gradle/scan-script.ts';
import type { Discovery, DiscoveryProblem, ExternalClosure, Unit, UnitCommand, UnitEdge } from '../model.ts';
import { areSameSets, type Question, type RepositoryView, type Selection } from '../tracing/repository-view.ts';
import { plainUnit } from '../plain-unit.ts';
import { quoteForShell } from '../shell-words.ts';
import { fileNameOf, foldersUpwards, inFolder } from '../tree-paths.ts';
import type { Detector } from './detector.ts';

/** Builds of Gradle, in Groovy or Kotlin. */
export const gradleDetector: Detector = {
  ecosystem: 'gradle',
  lookedFor: 'settings.gradle or build.gradle, also with .kts (Gradle builds)',
  wants: (path) => isGradleScript(path) || fileNameOf(path) === 'gradle.lockfile',
  condense: null,
  detect,
};

function detect(snapshot: RepositoryView): Discovery {
  const problems: DiscoveryProblem[] = [];
  const builds = readBuilds(snapshot, problems);
  const facts: Facts = {
    snapshot,
    files: snapshot.files,
    paths: snapshot.places,
    roots: new Set(builds.flatMap(({ projects }) => projects.map(({ root }) => root))),
    sources: snapshot.ask(SOURCES),
    builds: new Map(builds.map((build) => [build.root, build])),
  };
  const units = new Map<string, Unit>();
  for (const build of builds) {
    for (const project of build.projects) {
      if (!units.has(project.root)) units.set(project.root, unitOf(project, build, facts));
    }
  }
  return { units: [...units.values()], edges: builds.flatMap((build) => edgesOf(build, facts.builds)), problems };
}

interface Facts extends GradlePlaces {
  readonly snapshot: RepositoryView;
  /** Folders with sources: `cart/src/test` is there when `cart/src/test/java/A.java` is. */
  readonly sources: ReadonlySet<string>;
  readonly builds: ReadonlyMap<string, GradleBuild>;
}

const SOURCE = /^(?<set>(?:.*\/)?src\/[^/]+)\/(?:java|kotlin|groovy|scala)\//u;

const isSource: Selection = (path) => SOURCE.test(path);

const SOURCES: Question<ReadonlySet<string>> = {
  answer: (view) => new Set(view.listed(isSource).flatMap(({ path }) => SOURCE.exec(path)?.groups?.['set'] ?? [])),
  same: areSameSets,
};

/** The root project sets up every other and has the files they share; projects may do so for those below them. */
function edgesOf(build: GradleBuild, builds: ReadonlyMap<string, GradleBuild>): UnitEdge[] {
  const included = build.included.flatMap((root) => builds.get(root) ?? []);
  return build.projects.flatMap((project) => {
    const { root: from, path } = project;
    const above = build.projects.filter(
      (each) => each.path === ':' || (path.startsWith(`${each.path}:`) && setsUpOthers(each)),
    );
    return [
      ...above.map(({ root }): UnitEdge => ({
        from,
        to: root,
        kind: 'workspace',
        evidence: `${path} is a project below it`,
      })),
      ...included.flatMap((other) =>
        other.projects.map(({ root }): UnitEdge => {
          const evidence = `${build.settings?.file ?? build.root} includes the build ${other.root}`;
          return { from, to: root, kind: 'build', evidence };
        }),
      ),
      ...edgesOfProject(project, build),
    ].filter(({ to }) => to !== from);
  });
}

function setsUpOthers({ script }: GradleProject): boolean {
  return (
    script?.tokens.some((token) => isToken(token, 'word', 'subprojects') || isToken(token, 'word', 'allprojects')) ===
    true
  );
}

/** Where Gradle itself, plugins and packages come from unless told otherwise. */
const HOSTS = ['repo.maven.apache.org', 'plugins.gradle.org', 'services.gradle.org'];
/** As many as a build reasonably names. */
const HOSTS_MAX = 20;

function unitOf(project: GradleProject, build: GradleBuild, facts: Facts): Unit {
  const { root, path, script } = project;
  const manifest = script?.file ?? build.settings?.file ?? root;
  const scripts = [script, build.projects[0]?.script, build.settings].flatMap((each) => each?.tokens ?? []);
  return {
    ...plainUnit({ root, ecosystem: 'gradle', manifest }),
    name: path === ':' ? build.name : path,
    workspace: build.root,
    meaning: (script ?? build.settings)?.text ?? '',
    closure: lockedPackages(root, facts.snapshot),
    commands: commandsOf(project, build, facts),
    inputs: [...testInputs(root, build, facts), ...inputsElsewhere(project, build, facts)],
    caches: [cacheOf(build, facts)],
    hosts: [...new Set([...HOSTS, ...namedHosts(scripts)])],
    env: { CI: 'true' },
    toolchain: javaOf(scripts, manifest),
  };
}

function cacheOf({ root }: GradleBuild, { paths }: Facts): Unit['caches'][number] {
  const keys = [
    'gradle/wrapper/gradle-wrapper.properties',
    'gradle/libs.versions.toml',
    'build.gradle',
    'build.gradle.kts',
  ];
  const keyFiles = keys.map((name) => inFolder(root, name)).filter((path) => paths.has(path));
  return { type: 'deps', name: 'gradle', paths: ['~/.gradle/caches', '~/.gradle/wrapper'], keyFiles };
}

/** Repositories by their address, and the one that `google()` stands for. */
function namedHosts(tokens: readonly ScriptToken[]): string[] {
  const hosts = tokens.flatMap((token, at) => {
    if (isToken(token, 'word', 'google') && isToken(tokens[at + 1], 'sign', '(')) return ['dl.google.com'];
    const before = tokens
      .slice(Math.max(0, at - 4), at)
      .some(({ value }) => ['url', 'uri', 'maven', 'setUrl'].includes(value));
    const host =
      token.kind === 'text' && before
        ? /^https:\/\/(?<host>[a-z\d.-]{1,253})(?:[:/]|$)/iu.exec(token.value)?.groups?.['host']
        : undefined;
    return host === undefined ? [] : [host.toLowerCase()];
  });
  return [...new Set(hosts)].slice(0, HOSTS_MAX);
}

function javaOf(tokens: readonly ScriptToken[], evidence: string): Unit['toolchain'] {
  const at = tokens.findIndex(
    ({ value }, index) =>
      (value === 'jvmToolchain' || (value === 'of' && tokens[index - 2]?.value === 'JavaLanguageVersion')) &&
      /^\d{1,3}$/u.test(tokens[index + 2]?.value ?? ''),
  );
  const version = tokens[at + 2]?.value;
  return at < 0 || version === undefined ? null : { name: 'java', version: `>=${version}`, evidence };
}

/** `group:name:version=configurations` by line. */
function lockedPackages(root: string, snapshot: RepositoryView): ExternalClosure {
  const lockfile = inFolder(root, 'gradle.lockfile');
  const text = snapshot.contents.get(lockfile);
  if (text === undefined) {
    const here = snapshot.files.has(lockfile);
    return here ? { kind: 'unreadable', lockfile, reason: 'it is too large or not text' } : { kind: 'none' };
  }
  const packages = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [coordinates = '', configurations = ''] = line.trim().split('=');
    const [group = '', name = '', version = ''] = coordinates.split(':');
    if (line.startsWith('#') || name === '') continue;
    const known = packages.get(`${group}:${name}`);
    const identity = `${version} ${configurations}`;
    packages.set(`${group}:${name}`, known === undefined ? identity : `${known}, ${identity}`);
  }
  return { kind: 'resolved', lockfile, packages };
}

/** `sourceSets.test.output` of another project, or a configuration of it that is named after tests. */
function borrowsTests({ script }: GradleProject): boolean {
  const tokens = script?.tokens ?? [];
  return tokens.some((token, at) => {
    if (token.value === 'test' && tokens[at - 2]?.value === 'sourceSets' && tokens[at + 2]?.value === 'output')
      return true;
    return token.kind === 'text' && /^tests?/iu.test(token.value) && tokens[at - 2]?.value === 'configuration';
  });
}

/** Sources of tests belong to the tests alone, but where some project takes what is compiled of another's. */
function testInputs(root: string, build: GradleBuild, { sources }: Facts): Unit['inputs'] {
  if (build.dynamic || !sources.has(inFolder(root, 'src/test')) || build.projects.some(borrowsTests)) return [];
  return [{ paths: [inFolder(root, 'src/test/**')], kinds: ['test'], evidence: 'only its tests are made of it' }];
}

/** What its script leads to in folders of others, whoever else that belongs to. */
function inputsElsewhere(project: GradleProject, build: GradleBuild, facts: Facts): Unit['inputs'] {
  const paths = filesElsewhere(project, build.root, facts);
  const evidence = `${project.script?.file ?? ''} names it`;
  return paths.length === 0 ? [] : [{ paths, kinds: 'all', also: true, evidence }];
}

/** The wrapper of the build, or of one around it; it works on the build it is started in. */
function toolOf({ root }: GradleBuild, { paths, snapshot }: Facts): string {
  const folders = foldersUpwards(root);
  const up = folders.findIndex((folder) => paths.has(inFolder(folder, 'gradlew')));
  const folder = folders[up];
  if (folder === undefined) return 'gradle';
  const wrapper = `${up === 0 ? './' : '../'.repeat(up)}gradlew`;
  return snapshot.typeOf(inFolder(folder, 'gradlew')) === 'executable' ? wrapper : `sh ${wrapper}`;
}

function isForAndroid({ script }: GradleProject): boolean {
  return script?.tokens.some(({ kind, value }) => kind === 'text' && value.startsWith('com.android.')) === true;
}

/** A task is known to be there by the sources it works on. Android needs a kit of its own, which no file brings along. */
function commandsOf(project: GradleProject, build: GradleBuild, facts: Facts): UnitCommand[] {
  const { root, path } = project;
  if (isForAndroid(project)) return [];
  const prefix = `${toolOf(build, facts)} --console=plain --no-daemon`;
  const everywhere = !build.projects.some(isForAndroid);
  const prefixOf = path === ':' ? ':' : `${path}:`;
  const command = (
    kind: UnitCommand['kind'],
    task: string,
    sources: string,
    reports: readonly string[],
  ): UnitCommand => {
    const whole = everywhere ? task : null;
    const argument = build.dynamic ? task : quoteForShell(prefixOf + task);
    return {
      kind,
      step: { name: `${kind} ${root}`.slice(0, 200), run: `${prefix} ${argument}`, workdir: build.root },
      evidence: sources,
      text: `${prefix} ${task}`,
      reports,
      outputs: [],
      joins: build.dynamic ? null : { group: build.root, prefix, argument, whole },
    };
  };
  const found = (set: string): string | null => {
    const suffix = `src/${set}`;
    if (!build.dynamic) return facts.sources.has(inFolder(root, suffix)) ? inFolder(root, suffix) : null;
    return (
      [...facts.sources].find(
        (each) => `/${each}`.endsWith(`/${suffix}`) && (root === '.' || each.startsWith(`${root}/`)),
      ) ?? null
    );
  };
  const main = found('main');
  const test = found('test');
  const results = build.dynamic ? '**/build/test-results/*/TEST-*.xml' : 'build/test-results/test/TEST-*.xml';
  return [
    ...(main === null ? [] : [command('build', 'assemble', main, [])]),
    ...(test === null ? [] : [command('test', 'test', test, [inFolder(root, results)])]),
  ];
}
