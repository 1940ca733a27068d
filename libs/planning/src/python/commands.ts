import type { JobKind } from '@delta-ci/contracts';
import type { UnitCommand } from '../model.ts';
import { pytestSettingsOf } from './pytest-settings.ts';
import { NAMED_FOR_TESTS_FILES, shardsOfPytest } from './pytest-shards.ts';
import type { Paths, RepositoryView } from '../tracing/repository-view.ts';
import { asRecord, memberOf } from '../parsed-values.ts';
import { quoteForShell } from '../shell-words.ts';
import { folderOf, inFolder } from '../tree-paths.ts';
import { iniSections, pipfileNames, type DeclaredRequirement } from './project.ts';
import { parseToml } from '../toml-text.ts';
import { nearestFile, type PythonUnit } from './projects.ts';

export interface CommandFacts {
  readonly unit: PythonUnit;
  /** The root of its workspace, where tools of everybody are declared; null when it stands alone. */
  readonly top: PythonUnit | null;
  readonly snapshot: RepositoryView;
  readonly files: Paths;
  /** Whether there are files that pytest would collect, below the unit and not below another. */
  readonly tested: boolean;
}

/** How a tool comes to be installed; `flags` tell the installer which groups and extras. */
interface Tool {
  readonly flags: readonly DeclaredRequirement['flag'][];
}

export interface PythonCommands {
  readonly commands: readonly UnitCommand[];
  readonly install: string | null;
}

/** A command for each tool that the repository both sets up and asks for. */
export function commandsOf(facts: CommandFacts): PythonCommands {
  const found = [testOf(facts), lintOf(facts), typesOf(facts)].filter((each) => each !== null);
  const flags = found.flatMap(({ tools }) => tools.flatMap((tool) => tool.flags));
  const { root } = facts.unit;
  const commands = found.map(({ kind, runs, evidence, reports, shards }): UnitCommand => {
    const run = runs.map((each) => `${runner(facts.unit)}${each}`).join(' && ');
    const step = { name: `${kind} ${root}`.slice(0, 200), run, workdir: root };
    const divided = shards === undefined ? {} : { shards };
    return { kind, step, evidence, text: run, reports, outputs: [], joins: null, ...divided };
  });
  return { commands, install: commands.length === 0 ? null : installOf(facts, flags) };
}

interface FoundCommand {
  readonly kind: JobKind;
  readonly runs: readonly string[];
  readonly evidence: string;
  readonly tools: readonly Tool[];
  readonly reports: readonly string[];
  readonly shards?: UnitCommand['shards'];
}

/** Where pytest writes what it saw: it always can. */
const REPORT = 'pytest-report.xml';

function testOf(facts: CommandFacts): FoundCommand | null {
  const { unit, tested, files, snapshot } = facts;
  const tool = toolNamed(facts, 'pytest');
  const configured = settingOf(facts, 'pytest', ['pytest.ini', '.pytest.ini'], ['pytest', 'tool:pytest']);
  const evidence = configured ?? (tool === null ? null : 'tests and pytest among the requirements');
  if (!tested || evidence === null || tool === null) return null;
  const settings = pytestSettingsOf(unit, { files, contents: snapshot.contents });
  return {
    kind: 'test',
    runs: [`pytest --junitxml=${REPORT}`],
    shards: shardsOfPytest(unit.root, settings, snapshot.places, () => snapshot.ask(NAMED_FOR_TESTS_FILES)),
    evidence,
    tools: [tool],
    reports: [inFolder(unit.root, REPORT)],
  };
}

function lintOf(facts: CommandFacts): FoundCommand | null {
  const linters = [
    { name: 'ruff', run: 'ruff check .', files: ['ruff.toml', '.ruff.toml'], sections: [] },
    { name: 'black', run: 'black --check .', files: [], sections: [] },
    { name: 'flake8', run: 'flake8', files: ['.flake8'], sections: ['flake8'] },
  ];
  const found = linters.flatMap(({ name, run, files, sections }) => {
    const tool = toolNamed(facts, name);
    const evidence = settingOf(facts, name, files, sections);
    return tool === null || evidence === null ? [] : [{ tool, run, evidence }];
  });
  if (found.length === 0) return null;
  return {
    kind: 'lint',
    runs: found.map(({ run }) => run),
    evidence: found.map(({ evidence }) => evidence).join(' and '),
    tools: found.map(({ tool }) => tool),
    reports: [],
  };
}

function typesOf(facts: CommandFacts): FoundCommand | null {
  const pyright = toolNamed(facts, 'pyright');
  const checked = settingOf(facts, 'pyright', ['pyrightconfig.json'], []);
  if (pyright !== null && checked !== null) {
    return { kind: 'typecheck', runs: ['pyright'], evidence: checked, tools: [pyright], reports: [] };
  }
  const mypy = toolNamed(facts, 'mypy');
  const settings = asRecord(toolTable(facts.unit, 'mypy'));
  // Without a word of what to check, mypy checks nothing.
  const named =
    settings === null ? undefined : ['files', 'packages', 'modules'].find((member) => Object.hasOwn(settings, member));
  if (mypy === null || named === undefined) return null;
  return {
    kind: 'typecheck',
    runs: ['mypy'],
    evidence: `tool.mypy.${named} of ${facts.unit.manifest}`,
    tools: [mypy],
    reports: [],
  };
}

function toolTable({ project }: PythonUnit, name: string): unknown {
  return memberOf(memberOf(project?.text, 'tool'), name);
}

/** Where a tool is set up for a unit: in its project's file, in a file of its own, or in a section of an older one. */
function settingOf(
  { unit, top, files, snapshot }: CommandFacts,
  tool: string,
  names: readonly string[],
  sections: readonly string[],
): string | null {
  for (const each of [unit, top]) {
    if (each !== null && toolTable(each, tool) !== undefined) return `tool.${tool} of ${each.manifest}`;
  }
  const file = nearestFile(files, unit, names);
  if (file !== null) return file;
  for (const name of ['setup.cfg', 'tox.ini']) {
    const path = nearestFile(files, unit, [name]);
    const present = path === null ? new Set<string>() : iniSections(snapshot.contents.get(path) ?? '');
    const section = sections.find((each) => present.has(each));
    if (section !== undefined) return `[${section}] of ${path ?? name}`;
  }
  return null;
}

/** How a tool is asked for, by the unit or its workspace; null when nobody does. Plugins of it bring it along. */
function toolNamed({ unit, top, snapshot }: CommandFacts, name: string): Tool | null {
  const brings = (each: string | null): boolean => each === name || each?.startsWith(`${name}-`) === true;
  for (const each of [unit, top]) {
    const declared = (each?.project?.requirements ?? []).filter(
      (requirement) => requirement.kind !== 'build' && brings(requirement.name),
    );
    const best = declared.find(({ flag }) => flag === null) ?? declared[0];
    if (best !== undefined) return { flags: [best.flag] };
  }
  const written = unit.requirementFiles.flatMap(({ requirements }) => requirements);
  const piped = pipfileNames(parseToml(snapshot.contents.get(inFolder(unit.root, 'Pipfile')) ?? '') ?? {});
  return written.some((requirement) => brings(requirement.name)) || piped.some(brings) ? { flags: [] } : null;
}

function runner({ installer }: PythonUnit): string {
  const runners = {
    uv: 'uv run --no-sync ',
    poetry: 'poetry run ',
    pdm: 'pdm run ',
    pipenv: 'pipenv run ',
    pip: '.venv/bin/python -m ',
  };
  return runners[installer];
}

/** Brings in the unit itself and whatever its commands need, as the lockfile has it where there is one. */
function installOf({ unit, top, files }: CommandFacts, needed: readonly DeclaredRequirement['flag'][]): string {
  const flags = needed.filter((flag) => flag !== null);
  const groups = [...new Set(flags.filter(({ type }) => type === 'group').map(({ name }) => name))].sort();
  const extras = [...new Set(flags.filter(({ type }) => type === 'extra').map(({ name }) => name))].sort();
  const each = (flag: string, names: readonly string[]): string =>
    names.map((name) => ` ${flag} ${quoteForShell(name)}`).join('');
  switch (unit.installer) {
    case 'uv': {
      const all = top !== null || (unit.project?.workspace ?? null) !== null ? ' --all-packages' : '';
      return `uv sync${unit.lock === null ? '' : ' --locked'}${all}${each('--extra', extras)}${each('--group', groups)}`;
    }
    case 'poetry':
      return `poetry install${each('--extras', extras)}${each('--with', groups)}`;
    case 'pdm':
      return `pdm install --frozen-lockfile${each('-G', [...extras, ...groups])}`;
    case 'pipenv':
      return 'pipenv sync --dev';
    case 'pip':
      return pipInstall(unit, files, extras, groups);
  }
}

function pipInstall(
  { project, requirementFiles, root }: PythonUnit,
  present: Paths,
  extras: readonly string[],
  groups: readonly string[],
): string {
  const files = requirementFiles.filter(
    ({ path }) => folderOf(path) === root || path.startsWith(inFolder(root, 'requirements/')),
  );
  const relative = (path: string): string => (root === '.' ? path : path.slice(root.length + 1));
  const isPackage =
    (project?.name ?? null) !== null || ['setup.py', 'setup.cfg'].some((name) => present.has(inFolder(root, name)));
  const itself = extras.length === 0 ? '.' : `.[${extras.join(',')}]`;
  const parts = [
    ...files.map(({ path }) => `-r ${quoteForShell(relative(path))}`),
    ...(isPackage ? [`-e ${quoteForShell(itself)}`] : []),
    ...groups.map((name) => `--group ${quoteForShell(name)}`),
  ];
  return `python3 -m venv .venv && .venv/bin/python -m pip install ${parts.join(' ')}`;
}
