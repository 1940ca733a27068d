/** What planning reads of a `mix.exs`, which is a program and is not run: what is written out in it. */
export interface MixProject {
  readonly name: string | null;
  /** The folder of an umbrella's apps; null for a project that is none. */
  readonly appsPath: string | null;
  readonly elixir: string | null;
  readonly dependencies: readonly MixDependency[];
  readonly meaning: string;
}

export interface MixDependency {
  readonly name: string;
  readonly inUmbrella: boolean;
  readonly path: string | null;
  readonly kind: 'production' | 'development' | 'test';
}

/** Of a file that somebody wrote; what is longer is data. */
const CHARS_MAX = 512 * 1_024;

export function readMix(text: string): MixProject {
  const lines = text
    .slice(0, CHARS_MAX)
    .split('\n')
    .map((line) => line.trimEnd());
  const code = lines.filter((line) => !/^\s*(?:#|$)/u.test(line)).join('\n');
  return {
    name: /\bapp:\s*:(?<name>\w{1,100})/u.exec(code)?.groups?.['name'] ?? null,
    appsPath: /\bapps_path:\s*"(?<path>[^"#]{1,300})"/u.exec(code)?.groups?.['path'] ?? null,
    elixir: /\belixir:\s*"[~>= ]*(?<version>\d+(?:\.\d+){1,2})/u.exec(code)?.groups?.['version'] ?? null,
    dependencies: [...code.matchAll(/\{\s*:(?<name>\w{1,100})\s*,(?<rest>[^{}]{0,1000})\}/gu)].map(dependencyOf),
    // The release of the project itself, and what is said to people.
    meaning: code.replaceAll(/^\s*(?:version:|description:|@version)\s*"[^"#]*",?$/gmu, ''),
  };
}

function dependencyOf({ groups }: RegExpMatchArray): MixDependency {
  const rest = groups?.['rest'] ?? '';
  const only = /\bonly:\s*(?:\[(?<list>[^\]]*)\]|:(?<one>\w+))/u.exec(rest)?.groups;
  const environments = `${only?.['list'] ?? ''}${only?.['one'] ?? ''}`;
  return {
    name: groups?.['name'] ?? '',
    inUmbrella: /\bin_umbrella:\s*true/u.test(rest),
    path: /\bpath:\s*"(?<path>[^"#]{1,300})"/u.exec(rest)?.groups?.['path'] ?? null,
    kind:
      only === undefined || /\bprod\b/u.test(environments)
        ? 'production'
        : environments === 'test'
          ? 'test'
          : 'development',
  };
}

/** Packages of `mix.lock` by name, one a line: what they are, and which they need. Null for what is no lockfile of mix. */
export function readMixLock(text: string): ReadonlyMap<string, { identity: string; next: readonly string[] }> | null {
  if (!text.trimStart().startsWith('%{')) return null;
  const packages = new Map<string, { identity: string; next: readonly string[] }>();
  for (const line of text.split('\n')) {
    const entry = /^\s*"(?<name>\w{1,100})":\s*(?<entry>\{.*\}),?\s*$/u.exec(line)?.groups;
    if (entry === undefined) continue;
    const identity = entry['entry'] ?? '';
    const next = [...identity.matchAll(/\{:(?<name>\w+), (?:"|\[|nil)/gu)].map(({ groups }) => groups?.['name'] ?? '');
    packages.set(entry['name'] ?? '', { identity, next });
  }
  const entries = text.split('\n').filter((line) => /^\s*"/u.test(line)).length;
  return entries === packages.size ? packages : null;
}
