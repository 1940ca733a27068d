import { CONFIG_FILE_NAMES, type ConfigFile } from '@delta-ci/contracts';
import type { RepositorySnapshot } from '../model.ts';
import { parseConfigFile } from './lint-config-file.ts';

/** The configuration file of a repository, and where it lies. */
export interface FoundConfig {
  readonly path: string;
  readonly file: ConfigFile;
}

export type ReadConfig =
  { readonly ok: true; readonly config: FoundConfig | null } | { readonly ok: false; readonly message: string };

/** Problems shown before the rest is counted: enough to work on. */
const PROBLEMS_SHOWN = 20;

const CONFIG_NAMES: ReadonlySet<string> = new Set(CONFIG_FILE_NAMES);
const NAME_LENGTH_MAX = Math.max(...CONFIG_FILE_NAMES.map(({ length }) => length));

/** At the root; most paths are too long to be looked up. */
function isConfigFile(path: string): boolean {
  return path.length <= NAME_LENGTH_MAX && CONFIG_NAMES.has(path);
}

/** The first configuration file there is. One that cannot be followed is a failure, never the same as none. */
export function readConfig(snapshot: RepositorySnapshot): ReadConfig {
  const found = snapshot.entries.filter(({ path }) => isConfigFile(path)).map(({ path }) => path);
  const path = CONFIG_FILE_NAMES.find((name) => found.includes(name));
  if (path === undefined) return { ok: true, config: null };
  const text = snapshot.contents.get(path);
  if (text === undefined) return { ok: false, message: `${path} is too large or not UTF-8 text` };
  const parsed = parseConfigFile(text, path);
  if (parsed.ok) return { ok: true, config: { path, file: parsed.file } };
  const lines = parsed.problems
    .slice(0, PROBLEMS_SHOWN)
    .map(({ line, column, message }) => `${path}:${line}:${column}: ${message}`);
  const rest = parsed.problems.length - lines.length;
  return { ok: false, message: [...lines, ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n').slice(0, 10_000) };
}
