import type { DependencyKind } from '../model.ts';
import { asRecord, asText, asTexts, memberOf, sortedText, textMembers, type ParsedRecord } from '../parsed-values.ts';
import { parseToml } from '../toml-text.ts';
import { folderOf, resolvePath } from '../tree-paths.ts';
import { normalName, parseRequirement, poetryRequirement, type Requirement } from './requirement-lines.ts';

/** A requirement of a project, and where it stands. */
export interface DeclaredRequirement extends Requirement {
  readonly kind: DependencyKind;
  /** For instance `dependency-groups.test`. */
  readonly table: string;
  /** What an installer has to be told to bring it in; null where it comes by itself. */
  readonly flag: { readonly type: 'extra' | 'group'; readonly name: string } | null;
}

/** What planning reads of a `pyproject.toml`. */
export interface PythonProject {
  readonly path: string;
  readonly root: string;
  readonly text: ParsedRecord;
  readonly name: string | null;
  readonly requires: string | null;
  readonly requirements: readonly DeclaredRequirement[];
  readonly workspace: { readonly members: readonly string[]; readonly exclude: readonly string[] } | null;
  /** Where `tool.uv.sources` says that requirements come from: a folder, or a member of the workspace of that name. */
  readonly sources: ReadonlyMap<string, { readonly folder: string | null; readonly workspace: boolean }>;
  readonly meaning: string;
}

/** Null when the text is not TOML. */
export function parsePyproject(path: string, content: string | undefined): PythonProject | null {
  const text = content === undefined ? null : parseToml(content);
  if (text === null) return null;
  const root = folderOf(path);
  const project = memberOf(text, 'project');
  const poetry = memberOf(memberOf(text, 'tool'), 'poetry');
  const name = asText(memberOf(project, 'name')) ?? asText(memberOf(poetry, 'name'));
  return {
    path,
    root,
    text,
    name: name === null ? null : normalName(name),
    requires:
      asText(memberOf(project, 'requires-python')) ?? asText(memberOf(memberOf(poetry, 'dependencies'), 'python')),
    requirements: [...standardRequirements(root, text), ...poetryRequirements(root, poetry)],
    workspace: workspaceOf(text),
    sources: sourcesOf(root, text),
    meaning: meaningOf(text),
  };
}

function standardRequirements(root: string, text: ParsedRecord): DeclaredRequirement[] {
  const project = memberOf(text, 'project');
  const uv = memberOf(memberOf(text, 'tool'), 'uv');
  const pdm = memberOf(memberOf(text, 'tool'), 'pdm');
  const listed = (
    table: string,
    list: unknown,
    kind: DependencyKind,
    flag: DeclaredRequirement['flag'],
  ): DeclaredRequirement[] =>
    (Array.isArray(list) ? list : []).flatMap((each: unknown) => {
      const requirement = typeof each === 'string' ? parseRequirement(each.replace(/^-e\s+/u, ''), root) : null;
      return requirement === null ? [] : [{ ...requirement, kind, table, flag }];
    });
  const tables = (
    prefix: string,
    found: unknown,
    kind: DependencyKind,
    type: 'extra' | 'group',
  ): DeclaredRequirement[] =>
    Object.entries(asRecord(found) ?? {}).flatMap(([name, list]) =>
      listed(`${prefix}.${name}`, list, kind, type === 'group' && name === 'dev' ? null : { type, name }),
    );
  return [
    ...listed('project.dependencies', memberOf(project, 'dependencies'), 'production', null),
    ...tables('project.optional-dependencies', memberOf(project, 'optional-dependencies'), 'optional', 'extra'),
    ...tables('dependency-groups', memberOf(text, 'dependency-groups'), 'development', 'group'),
    ...listed('tool.uv.dev-dependencies', memberOf(uv, 'dev-dependencies'), 'development', null),
    ...tables('tool.pdm.dev-dependencies', memberOf(pdm, 'dev-dependencies'), 'development', 'group'),
    ...listed('build-system.requires', memberOf(memberOf(text, 'build-system'), 'requires'), 'build', null),
  ];
}

function poetryRequirements(root: string, poetry: unknown): DeclaredRequirement[] {
  const table = (
    name: string,
    found: unknown,
    kind: DependencyKind,
    flag: DeclaredRequirement['flag'],
  ): DeclaredRequirement[] =>
    Object.entries(asRecord(found) ?? {})
      .filter(([each]) => each !== 'python')
      .map(([each, written]) => ({
        ...poetryRequirement(each, written, root),
        kind: kind === 'production' && memberOf(written, 'optional') === true ? 'optional' : kind,
        table: name,
        flag,
      }));
  const groups = Object.entries(asRecord(memberOf(poetry, 'group')) ?? {});
  return [
    ...table('tool.poetry.dependencies', memberOf(poetry, 'dependencies'), 'production', null),
    ...table('tool.poetry.dev-dependencies', memberOf(poetry, 'dev-dependencies'), 'development', null),
    ...groups.flatMap(([name, group]) =>
      table(
        `tool.poetry.group.${name}`,
        memberOf(group, 'dependencies'),
        'development',
        memberOf(group, 'optional') === true ? { type: 'group', name } : null,
      ),
    ),
  ];
}

function workspaceOf(text: ParsedRecord): PythonProject['workspace'] {
  const table = asRecord(memberOf(memberOf(memberOf(text, 'tool'), 'uv'), 'workspace'));
  return table === null ? null : { members: asTexts(table['members']) ?? [], exclude: asTexts(table['exclude']) ?? [] };
}

function sourcesOf(root: string, text: ParsedRecord): PythonProject['sources'] {
  const sources = Object.entries(asRecord(memberOf(memberOf(memberOf(text, 'tool'), 'uv'), 'sources')) ?? {});
  return new Map(
    sources.map(([name, written]) => {
      const tables: unknown[] = Array.isArray(written) ? written : [written];
      const path = tables.map((table) => asText(memberOf(table, 'path'))).find((each) => each !== null) ?? null;
      const workspace = tables.some((table) => memberOf(table, 'workspace') === true);
      return [normalName(name), { folder: path === null ? null : resolvePath(root, path), workspace }];
    }),
  );
}

/** Said to people and registries, never to an installation. */
const WITHOUT_MEANING = new Set(
  'version description readme license license-files authors maintainers keywords classifiers urls homepage repository documentation'.split(
    ' ',
  ),
);

function meaningOf(text: ParsedRecord): string {
  const without = (value: unknown): ParsedRecord =>
    Object.fromEntries(Object.entries(asRecord(value) ?? {}).filter(([name]) => !WITHOUT_MEANING.has(name)));
  const tool = Object.fromEntries(
    Object.entries(asRecord(memberOf(text, 'tool')) ?? {}).map(([name, value]) => [
      name,
      name === 'poetry' ? without(value) : value,
    ]),
  );
  return sortedText({ ...text, project: without(memberOf(text, 'project')), tool });
}

/** Names of sections of a file in the old form, with their members: `[tool:pytest]`, `[mypy]`. */
export function iniSections(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/^\[(?<name>[^\]\n]{1,200})\]/gmu)].map((found) => found.groups?.['name'] ?? ''));
}

/** Packages that a `Pipfile` names. */
export function pipfileNames(text: ParsedRecord): string[] {
  return ['packages', 'dev-packages'].flatMap((table) => [
    ...textMembers(memberOf(text, table)).map(([name]) => normalName(name)),
    ...Object.keys(asRecord(memberOf(text, table)) ?? {}).map(normalName),
  ]);
}
