/** What planning reads of a `mix.exs`, which is a program and is not run: what is written out in it. */
export interface MixProject {
  readonly name: string | null;
  /** The folder of an umbrella's apps; null for a project that is none. */
  readonly appsPath: string | null;
  readonly elixir: string | null;
  readonly dependencies: readonly MixDependency[];
  /** Whether its dependencies are one list of tuples, so that there are none but those that are seen. */
  readonly isListed: boolean;
  readonly meaning: string;
}

export interface MixDependency {
  readonly name: string;
  readonly inUmbrella: boolean;
  readonly path: string | null;
  readonly kind: 'production' | 'development' | 'test';
}

/** Of a file that somebody wrote. */
const CHARS_MAX = 512 * 1_024;

/** Null for what is too long to have been written by anybody. */
export function readMix(text: string): MixProject | null {
  if (text.length > CHARS_MAX) return null;
  const lines = text.split('\n').map((line) => line.trimEnd());
  const code = lines.filter((line) => !/^\s*(?:#|$)/u.test(line)).join('\n');
  return {
    name: /\bapp:\s*:(?<name>\w{1,100})/u.exec(code)?.groups?.['name'] ?? null,
    appsPath: /\bapps_path:\s*"(?<path>[^"#]{1,300})"/u.exec(code)?.groups?.['path'] ?? null,
    elixir: /\belixir:\s*"[~>= ]*(?<version>\d+(?:\.\d+){1,2})/u.exec(code)?.groups?.['version'] ?? null,
    dependencies: [...code.matchAll(DEPENDENCY)].map(dependencyOf),
    isListed: isListOfTuples(code),
    meaning: meaningOf(code),
  };
}

const DEPENDENCY = /\{\s*:(?<name>\w{1,100})\s*,(?<rest>[^{}]{0,1000})\}/gu;

/** `deps: [...]`, or `deps: deps()` with a function of that name that is nothing but a list. */
function isListOfTuples(code: string): boolean {
  if (timesIn(code, /\bdeps:/gu) !== 1) return false;
  const rest = code
    .slice(code.indexOf('deps:'))
    .replace(/^deps:\s*deps\b/u, () => {
      const bodies = [...code.matchAll(/\bdefp?\s+deps\b(?:\(\))?\s*(?:,\s*do:|do\b)/gu)];
      const [body] = bodies;
      return body === undefined || bodies.length > 1 ? '' : `deps:${code.slice(body.index + body[0].length)}`;
    })
    .replace(/^deps:\s*/u, '')
    .replaceAll(DEPENDENCY, '');
  return /^\[[\s,]*\]\s*(?:[,\]]|end\b|$)/u.test(rest);
}

/** Without what is said to people, and without the version of the project where it is nothing but that. */
function meaningOf(code: string): string {
  const told = code.replaceAll(/^[ \t]*description:[ \t]*"[^"#\n]*",?$/gmu, '');
  // Versions of releases are names of folders, and two versions may be those of anything.
  if (/\breleases\b/u.test(code) || timesIn(code, /\bversion:/gu) !== 1) return told;
  const withoutVersion = told.replace(/^[ \t]*version:[ \t]*"[^"#\n]*",?$/mu, '');
  const named = timesIn(code, /@version\b/gu) === 2 && /\bversion:[ \t]*@version\b/u.test(code);
  return named ? withoutVersion.replace(/^[ \t]*@version[ \t]+"[^"#\n]*"$/mu, '') : withoutVersion;
}

function timesIn(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
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
