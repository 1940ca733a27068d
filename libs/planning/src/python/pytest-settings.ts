import { asRecord, asText, asTexts, memberOf } from '../parsed-values.ts';
import type { RepositoryView } from '../tracing/repository-view.ts';
import { inFolder } from '../tree-paths.ts';
import type { PythonUnit } from './projects.ts';

/** Settings of pytest by their names, each in its words. */
export type PytestSettings = ReadonlyMap<string, readonly string[]>;

type Files = Pick<RepositoryView, 'contents'> & { readonly files: { readonly has: (path: string) => boolean } };

/**
 * What pytest is told by the file it reads in the unit's own folder, where its tests are run: the first one there that speaks
 * of pytest, as pytest itself looks for it. Null when none there does, and when it cannot be read as pytest would.
 * https://docs.pytest.org/en/stable/reference/customize.html#initialization-determining-rootdir-and-inifile
 */
export function pytestSettingsOf({ root, project }: PythonUnit, { files, contents }: Files): PytestSettings | null {
  const at = (name: string): string => inFolder(root, name);
  if (['pytest.toml', '.pytest.toml'].some((name) => files.has(at(name)))) return null;
  const ini = ['pytest.ini', '.pytest.ini'].find((name) => files.has(at(name)));
  // An empty one counts as well.
  if (ini !== undefined) return iniSection(contents.get(at(ini)) ?? '', 'pytest') ?? new Map();
  const table = memberOf(memberOf(project?.text, 'tool'), 'pytest');
  if (table !== undefined) return tableSettings(memberOf(table, 'ini_options') ?? table);
  return (
    iniSection(contents.get(at('tox.ini')) ?? '', 'pytest') ??
    iniSection(contents.get(at('setup.cfg')) ?? '', 'tool:pytest')
  );
}

function tableSettings(table: unknown): PytestSettings | null {
  const record = asRecord(table);
  if (record === null) return null;
  return new Map(
    Object.entries(record).map(([name, value]) => [name, asTexts(value) ?? wordsOf(asText(value) ?? String(value))]),
  );
}

/** The members of a section of a file in the old form: `name = words`, further lines of a value being indented. */
function iniSection(text: string, wanted: string): PytestSettings | null {
  const settings = new Map<string, string[]>();
  let within = false;
  let found = false;
  let last: string[] | undefined;
  for (const line of text.split('\n')) {
    if (line.trim() === '' || /^\s*[#;]/u.test(line)) continue;
    const section = /^\[([^\]]{1,200})\]/u.exec(line)?.[1];
    if (section !== undefined) {
      within = section === wanted;
      found ||= within;
      last = undefined;
    } else if (within && /^\s/u.test(line)) last?.push(...wordsOf(line));
    else if (within) {
      const [, name = '', value = ''] = /^([^=:]{1,200})[=:](.*)$/u.exec(line) ?? [];
      last = wordsOf(value);
      settings.set(name.trim(), last);
    }
  }
  return found ? settings : null;
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/u).filter((word) => word !== '');
}
