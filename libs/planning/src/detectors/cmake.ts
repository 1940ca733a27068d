import { readCmakeLists, type CmakeLists } from '../cmake/lists.ts';
import { parseJsonObject } from '../javascript/package-manifest.ts';
import type { DeclaredInput, Discovery, DiscoveryProblem, Unit, UnitCommand } from '../model.ts';
import type { RepositoryView } from '../tracing/repository-view.ts';
import { plainUnit } from '../plain-unit.ts';
import { asText, memberOf } from '../parsed-values.ts';
import { quoteForShell } from '../shell-words.ts';
import { fileNameOf, folderOf, foldersUpwards, inFolder, isWithin, resolvePath } from '../tree-paths.ts';
import type { Detector } from './detector.ts';

/** Projects that CMake sets up, each a unit with all that lies in its folder. */
export const cmakeDetector: Detector = {
  ecosystem: 'cmake',
  lookedFor: 'CMakeLists.txt with a project (CMake)',
  wants: (path) => isLists(path) || fileNameOf(path) === PRESETS,
  condense: null,
  givesWay: 'below',
  detect,
};

const PRESETS = 'CMakePresets.json';
/** What others build, or what is only material. */
const NOT_PROJECTS =
  /(?:^|\/)(?:node_modules|vendor|third[_-]?party|deps|external|extern|contrib|submodules|examples?|fixtures?|testdata|templates?|android|ios)\//iu;

function isLists(path: string): boolean {
  return fileNameOf(path) === 'CMakeLists.txt' && !NOT_PROJECTS.test(path);
}

interface Found {
  readonly root: string;
  readonly lists: CmakeLists;
  /** The project's own file and those it takes in, by folder. */
  readonly parts: ReadonlyMap<string, CmakeLists>;
}

function detect(snapshot: RepositoryView): Discovery {
  const problems: DiscoveryProblem[] = [];
  const all = new Map<string, CmakeLists>();
  for (const { path } of snapshot.listed(isLists)) {
    const text = snapshot.contents.get(path);
    const lists = text === undefined ? null : readCmakeLists(text);
    if (lists !== null) all.set(folderOf(path), lists);
    else {
      const message = `${path} is too large or not text: what it describes is not planned for`;
      problems.push({ code: 'manifest_unreadable', message, path, scope: folderOf(path) });
    }
  }
  const tops = [...all].filter(
    ([root, { project }]) =>
      project !== null && !foldersUpwards(folderOf(root)).some((folder) => folder !== root && all.has(folder)),
  );
  const found = tops.map(([root, lists]): Found => ({ root, lists, parts: partsOf(root, all) }));
  const notRun = found.flatMap((each): DiscoveryProblem[] => {
    const reason = whyNotRun(each, snapshot);
    const message = `${inFolder(each.root, 'CMakeLists.txt')} is not run: ${reason ?? ''}`;
    return reason === null ? [] : [{ code: 'not_run', message, path: null, scope: each.root }];
  });
  return { units: found.map((each) => unitOf(each, snapshot)), edges: [], problems: [...problems, ...notRun] };
}

/** Where a path holds a variable, everything below may be meant. */
function partsOf(root: string, all: ReadonlyMap<string, CmakeLists>): Map<string, CmakeLists> {
  const parts = new Map<string, CmakeLists>();
  const pending = [root];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const lists = all.get(at);
    if (lists === undefined || parts.has(at)) continue;
    parts.set(at, lists);
    for (const path of lists.subdirectories) {
      const rest = path.replace(/^\$\{(?:CMAKE_CURRENT_(?:SOURCE|LIST)_DIR)\}\/?/u, '');
      if (!rest.includes('$')) pending.push(resolvePath(at, rest) ?? root);
      else if (!parts.has('*')) for (const folder of all.keys()) if (isWithin(folder, root)) pending.push(folder);
    }
  }
  return parts;
}

/** Reports come from 3.21 on. */
const TESTS_NEED = '3.21';

function unitOf({ root, lists, parts }: Found, snapshot: RepositoryView): Unit {
  const all = [...parts.values()];
  const manifest = inFolder(root, 'CMakeLists.txt');
  const commands =
    whyNotRun({ root, lists, parts }, snapshot) === null ? commandsOf({ root, lists, parts }, snapshot) : [];
  const tested = commands.some(({ kind }) => kind === 'test');
  const version = tested && !isAtLeast(lists.version, TESTS_NEED) ? TESTS_NEED : lists.version;
  return {
    ...plainUnit({ root, ecosystem: 'cmake', manifest }),
    name: lists.project ?? root,
    meaning: lists.meaning,
    // What nobody could build here makes nobody the owner of what lies around it.
    workspaceMeaning: commands.length === 0 ? '' : null,
    commands,
    inputs: inputsOf(root, parts),
    hosts: commands.length === 0 ? [] : [...new Set(all.flatMap(({ hosts }) => hosts))].sort(),
    env: { CI: 'true' },
    toolchain: version === null ? null : { name: 'cmake', version: `>=${version}`, evidence: manifest },
    // Tests are programs that the build has made.
    buildBeforeTest: true,
  };
}

function isAtLeast(version: string | null, other: string): boolean {
  const [major = 0, minor = 0] = (version ?? '0.0').split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major > otherMajor || (major === otherMajor && minor >= otherMinor);
}

/** Folders that it takes in from outside of its own. */
function inputsOf(root: string, parts: ReadonlyMap<string, CmakeLists>): DeclaredInput[] {
  const outside = [...parts.keys()].filter((folder) => !isWithin(folder, root));
  return outside.map((folder) => ({
    paths: [`${folder}/**`],
    kinds: 'all',
    also: true,
    evidence: `${inFolder(root, 'CMakeLists.txt')} takes it in`,
  }));
}

/** Why nothing of a project can be run; null when it can be. */
function whyNotRun({ root, parts }: Found, { files, contents }: RepositoryView): string | null {
  if ([...parts.values()].some(({ needsKit }) => needsKit)) return 'it is built with a kit that comes from elsewhere';
  if (presetOf(contents.get(inFolder(root, PRESETS))) !== null) return null;
  const file = MANAGED.find((name) => files.has(inFolder(root, name)));
  return file === undefined ? null : `${file} asks for packages, and no preset says how they come`;
}

/** Packages that a manager brings in have to be there first, and how is written for people: without a preset, nothing is run. */
const MANAGED = ['conanfile.txt', 'conanfile.py', 'vcpkg.json'];

function commandsOf({ root, parts }: Found, { contents }: RepositoryView): UnitCommand[] {
  const presets = inFolder(root, PRESETS);
  const preset = presetOf(contents.get(presets));
  const command = (kind: UnitCommand['kind'], run: string, evidence: string, reports: string[]): UnitCommand => ({
    kind,
    step: { name: `${kind} ${root}`.slice(0, 200), run, workdir: root },
    evidence,
    text: run,
    reports,
    outputs: [],
    joins: null,
  });
  const setUp = preset === null ? 'cmake -S . -B build' : `cmake --preset ${quoteForShell(preset)} -B build`;
  const tested = [...parts].find(([, each]) => each.tested)?.[0];
  const build = `${setUp} && cmake --build build --parallel "$(getconf _NPROCESSORS_ONLN)"`;
  const test = `ctest --test-dir build --output-on-failure --output-junit ${REPORT}`;
  return [
    command('build', build, preset === null ? inFolder(root, 'CMakeLists.txt') : `preset ${preset} of ${presets}`, []),
    ...(tested === undefined
      ? []
      : [command('test', test, `tests in ${inFolder(tested, 'CMakeLists.txt')}`, [inFolder(root, `build/${REPORT}`)])]),
  ];
}

const REPORT = 'ctest-report.xml';
const PRESET_NAMES = ['ci', 'default'];

/** A preset that is for a machine like ours by its name; others are for people and systems of their own. */
function presetOf(text: string | undefined): string | null {
  const listed = memberOf(parseJsonObject(text ?? ''), 'configurePresets');
  if (!Array.isArray(listed)) return null;
  const names = listed.flatMap((each: unknown) =>
    memberOf(each, 'hidden') === true || memberOf(each, 'condition') !== undefined
      ? []
      : (asText(memberOf(each, 'name')) ?? []),
  );
  return PRESET_NAMES.find((name) => names.includes(name)) ?? null;
}
