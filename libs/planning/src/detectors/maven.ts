import { askedOtherwise, localDependencies, withParents, type ProjectsByName } from '../maven/followed-versions.ts';
import { filledIn, isPom, keyOf, placeOf, pomOf, readProjects, type MavenProject } from '../maven/reactors.ts';
import { meaningOf, type PomDependency } from '../maven/read-pom.ts';
import type { DeclaredInput, Discovery, DiscoveryProblem, Unit, UnitCommand, UnitEdge } from '../model.ts';
import { areSameSets, type Paths, type Question, type RepositoryView } from '../tracing/repository-view.ts';
import { plainUnit } from '../plain-unit.ts';
import { quoteForShell } from '../shell-words.ts';
import { foldersUpwards, folderOf, inFolder, relativeTo } from '../tree-paths.ts';
import type { Detector } from './detector.ts';

/** Projects of Maven, alone or of many modules. */
export const mavenDetector: Detector = {
  ecosystem: 'maven',
  lookedFor: 'pom.xml (Maven projects)',
  wants: isPom,
  condense: null,
  detect,
};

function detect(snapshot: RepositoryView): Discovery {
  const problems: DiscoveryProblem[] = [];
  const projects = readProjects(snapshot, problems);
  const facts = factsOf(snapshot, projects);
  const edges = [...projects.values()].flatMap((project) => edgesOf(project, facts));
  return { units: [...projects.values()].map((project) => unitOf(project, facts)), edges, problems };
}

interface Facts {
  readonly byName: ProjectsByName;
  /** What projects say themselves that they are made of, of the repository, by their roots. */
  readonly local: ReadonlyMap<string, readonly PomDependency[]>;
  /** Names of projects whose versions say whether they are what others ask for. */
  readonly byVersion: ReadonlySet<string>;
  readonly paths: Paths;
  readonly isExecutable: (path: string) => boolean;
  /** Roots of projects with sources of tests. */
  readonly tested: ReadonlySet<string>;
  /** Names of projects whose tests others use. */
  readonly lent: ReadonlySet<string>;
}

/** Folders with something below `src/test`. */
const TESTED: Question<ReadonlySet<string>> = {
  answer: (view) =>
    new Set(
      view.listed(isOfTests).flatMap(({ path }) => {
        const at = path.indexOf('src/test/');
        return at === 0 ? ['.'] : path.charAt(at - 1) === '/' ? [path.slice(0, at - 1)] : [];
      }),
    ),
  same: areSameSets,
};

function isOfTests(path: string): boolean {
  return path.includes('src/test/');
}

function factsOf(view: RepositoryView, projects: ReadonlyMap<string, MavenProject>): Facts {
  const all = [...projects.values()];
  const byName = new Map(all.map((project) => [keyOf(project), project]));
  const local = localDependencies(all, byName);
  return {
    byName,
    local,
    byVersion: askedOtherwise(all, byName, local),
    paths: view.places,
    isExecutable: (path) => view.typeOf(path) === 'executable',
    tested: new Set([...view.ask(TESTED)].filter((root) => projects.has(root))),
    lent: new Set(all.flatMap(({ dependencies }) => dependencies.filter(({ ofTests }) => ofTests).map(keyOf))),
  };
}

/** What a project inherits from, what lists it, and what it is made of and built with. */
function edgesOf(project: MavenProject, { byName, local }: Facts): UnitEdge[] {
  const { root, pom, fill, parent, listedBy } = project;
  const to = (target: string | null | undefined, kind: UnitEdge['kind'], evidence: string): UnitEdge[] =>
    target === null || target === undefined || target === root ? [] : [{ from: root, to: target, kind, evidence }];
  const named = (name: string): string | undefined => byName.get(name)?.root;
  return [
    ...to(parent?.root, 'workspace', `parent of ${pomOf(root)}`),
    ...to(listedBy, 'workspace', `${pomOf(listedBy ?? root)} lists it`),
    ...withParents(project)
      .flatMap((each) => local.get(each.root) ?? [])
      .flatMap((each) => {
        const kind = each.scope === 'test' ? 'test' : 'production';
        return to(named(keyOf(each)), kind, `dependency ${keyOf(each)} of ${pomOf(root)}`);
      }),
    ...pom.managed
      .map((each) => filledIn(each, fill))
      .filter(({ scope }) => scope === 'import')
      .flatMap((each) => to(named(keyOf(each)), 'workspace', `${pomOf(root)} imports ${keyOf(each)}`)),
    ...pom.plugins
      .map((each) => filledIn(each, fill))
      .flatMap((each) => to(named(keyOf(each)), 'build', `plugin ${keyOf(each)} of ${pomOf(root)}`)),
  ];
}

const CENTRAL = 'repo.maven.apache.org';

function unitOf(project: MavenProject, facts: Facts): Unit {
  const { root, top, pom } = project;
  return {
    ...plainUnit({ root, ecosystem: 'maven', manifest: pomOf(root) }),
    name: keyOf(project),
    workspace: top,
    meaning: meaningOf(pom, versionsLeftOut(project, facts)),
    commands: commandsOf(project, facts),
    inputs: inputsOf(project, facts),
    caches: [
      {
        type: 'deps',
        name: 'maven-repository',
        paths: ['~/.m2/repository'],
        keyFiles: [...new Set([pomOf(top), pomOf(root)])],
      },
    ],
    hosts: [...new Set([CENTRAL, ...repositoryHosts(project)])],
    env: { CI: 'true' },
    toolchain: javaOf(project),
    // Its tests then find the modules it depends on where the build has put them.
    buildBeforeTest: top !== root,
  };
}

/** A parent's version is one of the repository's while it is what that parent has, and often the project's own too. */
function versionsLeftOut(project: MavenProject, { byVersion }: Facts): Parameters<typeof meaningOf>[1] {
  const { pom, parent, fill } = project;
  const own = !byVersion.has(keyOf(project));
  const parents = parent !== null && fill(pom.parent?.version ?? '') === parent.version;
  return { own, parents: parents && (own || pom.version !== null) };
}

/** As many as a pom reasonably names. */
const HOSTS_MAX = 20;

function repositoryHosts(project: MavenProject): string[] {
  const hosts: string[] = [];
  for (let at: MavenProject | null = project; at !== null; at = at.parent) {
    for (const address of at.pom.repositories) {
      const host = /^https:\/\/(?<host>[a-z\d.-]{1,253})(?:[:/]|$)/iu.exec(at.fill(address))?.groups?.['host'];
      if (host !== undefined) hosts.push(host.toLowerCase());
    }
  }
  return hosts.slice(0, HOSTS_MAX);
}

const JAVA_PROPERTIES = ['maven.compiler.release', 'maven.compiler.target', 'java.version', 'maven.compiler.source'];

function javaOf(project: MavenProject): Unit['toolchain'] {
  for (const name of JAVA_PROPERTIES) {
    const version = /^(?:1\.)?(?<major>\d{1,3})$/u.exec(project.fill(`\${${name}}`))?.groups?.['major'];
    if (version !== undefined)
      return { name: 'java', version: `>=${version}`, evidence: `${name} of ${pomOf(project.root)}` };
  }
  return null;
}

/** Poms only bring others together; what a profile brings in is not there unless somebody asks for the profile. */
function commandsOf(project: MavenProject, { tested, paths, isExecutable }: Facts): UnitCommand[] {
  const { root, top, pom, optional } = project;
  if (pom.packaging === 'pom' || optional) return [];
  const wrapper = inFolder(top, 'mvnw');
  const tool = isExecutable(wrapper) ? './mvnw' : paths.has(wrapper) ? 'sh mvnw' : 'mvn';
  const maven = `${tool} --batch-mode --no-transfer-progress`;
  const alone = root === top;
  const command = (
    kind: UnitCommand['kind'],
    prefix: string,
    evidence: string,
    reports: readonly string[],
  ): UnitCommand => {
    const argument = `--projects ${quoteForShell(relativeTo(top, root))}`;
    return {
      kind,
      step: { name: `${kind} ${root}`.slice(0, 200), run: alone ? prefix : `${prefix} ${argument}`, workdir: top },
      evidence,
      text: prefix,
      reports,
      outputs: [],
      joins: alone ? null : { group: top, prefix, argument, whole: null },
    };
  };
  // Into the local repository, so that a later command finds the modules it depends on without building them again.
  const build = alone ? `${maven} -DskipTests package` : `${maven} -DskipTests --also-make install`;
  // A module whose tests fail says nothing about those that do not need it.
  const test = alone ? `${maven} package` : `${maven} --fail-at-end package`;
  const reports = [inFolder(root, 'target/surefire-reports/TEST-*.xml')];
  return [
    command('build', build, pomOf(root), []),
    ...(tested.has(root) ? [command('test', test, inFolder(root, 'src/test'), reports)] : []),
  ];
}

/** Tests that nobody else uses concern nobody else; files that the pom names may lie in other folders. */
function inputsOf(project: MavenProject, { lent, tested, paths }: Facts): DeclaredInput[] {
  const { root, pom } = project;
  const own = !tested.has(root) || lent.has(keyOf(project)) ? [] : [inFolder(root, 'src/test/**')];
  const named = pom.paths.flatMap((path) => {
    const at = placeOf(path, project);
    return at !== null && paths.has(at) && !foldersUpwards(root).includes(at) && folderOf(at) !== root
      ? [at, `${at}/**`]
      : [];
  });
  return [
    ...(own.length === 0 ? [] : [{ paths: own, kinds: ['test' as const], evidence: 'only its tests are made of it' }]),
    ...(named.length === 0
      ? []
      : [{ paths: [...new Set(named)], kinds: 'all' as const, evidence: `${pomOf(root)} names it` }]),
  ];
}
