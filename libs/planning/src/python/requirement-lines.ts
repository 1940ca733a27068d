import { asText, asTexts, asRecord, memberOf } from '../parsed-values.ts';
import { folderOf, resolvePath } from '../tree-paths.ts';

/** A requirement as far as planning reads it. */
export interface Requirement {
  /** Normalised: lower case, with `-` between words. Null for what is named by its path alone. */
  readonly name: string | null;
  readonly extras: readonly string[];
  /** Folder of the repository it is installed from. */
  readonly folder: string | null;
}

/** Names of distributions are the same whatever case and separators they are written with. */
export function normalName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/gu, '-');
}

/** `name[extra] >= 1; marker`, `name @ file:../path` or a path. Null for what names nothing. */
export function parseRequirement(text: string, folder: string): Requirement | null {
  const line = text.trim().slice(0, 2_000);
  const path = /^(?:file:(?:\/\/)?)?(?:\$\{PROJECT_ROOT\}\/)?(?<path>\.{1,2}(?:\/[^\s;[#]*)?)/u.exec(line)?.groups?.[
    'path'
  ];
  if (path !== undefined) return { name: null, extras: [], folder: resolvePath(folder, path) };
  const found = /^(?<name>[A-Za-z0-9][\w.-]*)\s*(?:\[(?<extras>[^\]]*)\])?\s*(?<rest>.*)$/u.exec(line)?.groups;
  if (found === undefined) return null;
  const at = /^@\s*(?:file:(?:\/\/)?)?(?:\$\{PROJECT_ROOT\}\/)?(?<path>\.{1,2}\/[^\s;#]*)/u.exec(found['rest'] ?? '')
    ?.groups?.['path'];
  return {
    name: normalName(found['name'] ?? ''),
    extras: (found['extras'] ?? '')
      .split(',')
      .map((each) => normalName(each.trim()))
      .filter((each) => each !== ''),
    folder: at === undefined ? null : resolvePath(folder, at),
  };
}

/** A dependency as poetry writes it: a range, a table, or several tables for several platforms. */
export function poetryRequirement(name: string, written: unknown, folder: string): Requirement {
  const tables = (Array.isArray(written) ? written : [written]).map((each: unknown) => asRecord(each));
  const path = tables.map((table) => asText(memberOf(table, 'path'))).find((each) => each !== null) ?? null;
  const extras = tables.flatMap((table) => asTexts(memberOf(table, 'extras')) ?? []).map(normalName);
  return { name: normalName(name), extras, folder: path === null ? null : resolvePath(folder, path) };
}

export interface RequirementsFile {
  readonly path: string;
  readonly requirements: readonly Requirement[];
  /** Requirements with what pins them, as written. */
  readonly lines: readonly string[];
  readonly includes: readonly string[];
}

/** A file of requirements: continued lines are one, comments and options of the installer are left out. */
export function parseRequirementsFile(path: string, text: string): RequirementsFile {
  const folder = folderOf(path);
  const logical = text
    .replace(/\\\r?\n/gu, ' ')
    .split('\n')
    .map((line) => line.replace(/(?:^|\s)#.*$/u, '').trim());
  const includes: string[] = [];
  const lines: string[] = [];
  const requirements: Requirement[] = [];
  for (const line of logical) {
    const included = /^(?:-r|-c|--requirement|--constraint)[\s=]+(?<path>\S+)/u.exec(line)?.groups?.['path'];
    const target = included === undefined ? null : resolvePath(folder, included);
    if (target !== null) includes.push(target);
    const editable = /^(?:-e|--editable)[\s=]+(?<path>\S+)/u.exec(line)?.groups?.['path'];
    if (line === '' || (line.startsWith('-') && editable === undefined)) continue;
    lines.push(line.replace(/\s+/gu, ' '));
    const requirement = parseRequirement(editable ?? line, folder);
    if (requirement !== null) requirements.push(requirement);
  }
  return { path, requirements, lines, includes };
}
