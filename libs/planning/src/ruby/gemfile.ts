import { resolvePath } from '../tree-paths.ts';

/** What planning reads of a Gemfile or a gemspec, line by line: both are programs, and nothing of them is run. */
export interface RubyManifest {
  readonly names: ReadonlySet<string>;
  /** Gems that only development or tests need, by the words of a gemspec. */
  readonly development: ReadonlySet<string>;
  /** Folders of gems of the repository that are named by their path. */
  readonly folders: readonly string[];
  readonly ruby: string | null;
  readonly meaning: string;
}

const NAME = /^\s*(?:gem|\w+\.add_(?:runtime_|development_)?dependency)[\s(]+["'](?<name>[\w.-]{1,200})["']/u;
const PATH = /(?:\bpath:|:path\s*=>|^\s*path)\s*(?:\(\s*)?["'](?<path>[^"'#]{1,400})["']/u;
/** What a gemspec says to people. */
const TOLD =
  /^\s*\w+\.(?:summary|description|homepage|authors?|email|licenses?|post_install_message)\s*=\s*(?:"[^"\\]*"|'[^'\\]*'|\[[^\]]*\])(?:\.freeze)?\s*$|^\s*\w+\.metadata\[["'][\w-]+["']\]\s*=\s*(?:"[^"\\]*"|'[^'\\]*')\s*$/u;

/** @param folder the one the file lies in */
export function readRubyManifest(text: string, folder: string): RubyManifest {
  const names = new Set<string>();
  const development = new Set<string>();
  const folders: string[] = [];
  const kept: string[] = [];
  let ruby: string | null = null;
  for (const whole of text.split('\n').map((each) => each.trimEnd())) {
    const line = whole.slice(0, LINE_MAX);
    if (/^\s*(?:#|$)/u.test(line)) continue;
    const name = NAME.exec(line)?.groups?.['name'];
    if (name !== undefined) (/add_development_dependency/u.test(line) ? development : names).add(name);
    const place = resolvePath(folder, PATH.exec(line)?.groups?.['path'] ?? '/');
    if (place !== null) folders.push(place);
    ruby ??= /^\s*ruby\s+["'][~>=\s]*(?<version>\d+(?:\.\d+){0,2})["']/u.exec(line)?.groups?.['version'] ?? null;
    if (!TOLD.test(whole)) kept.push(whole);
  }
  return { names, development, folders, ruby, meaning: kept.join('\n') };
}

/** Names and paths stand at the beginning of a line; what comes after this is data, and counts as it is written. */
const LINE_MAX = 2_000;
