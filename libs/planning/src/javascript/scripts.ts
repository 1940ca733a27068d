import type { JobKind } from '@delta-ci/contracts';

/** Which script stands for which kind of job: names in use, the usual one first. */
export const NAMES_OF_KIND: readonly (readonly [JobKind, readonly string[]])[] = [
  ['build', ['build', 'compile']],
  [
    'typecheck',
    ['typecheck', 'type-check', 'check-types', 'check:types', 'types:check', 'tsc', 'test:types', 'lint:types'],
  ],
  ['lint', ['lint', 'lint:ci', 'eslint', 'test:eslint', 'eslint:lint']],
  ['test', ['test', 'test:unit', 'unit', 'test:lib', 'vite:test']],
];

/** What `npm init` writes into every new package. */
const NO_TEST = /no test specified/u;

/** Programs that do nothing themselves but start the same script in the members of a workspace. */
const FANS_OUT =
  /--workspaces\b|(?:^|\s)--?ws\b|\b(?:turbo|lerna|nx|wsrun)\s|\bpnpm\s+(?:run\s+)?(?:-r|--recursive|--filter|-F)\b|\byarn\s+workspaces\b|\bbun\s+(?:run\s+)?--filter\b|\b(?:lage|moon)\s/u;

export interface PackageScript {
  readonly kind: JobKind;
  readonly name: string;
  /** The command line and those of every script it mentions. */
  readonly text: string;
  readonly fansOut: boolean;
}

/** The scripts that are jobs, one of each kind. */
export function scriptsForJobs(scripts: ReadonlyMap<string, string>): PackageScript[] {
  return NAMES_OF_KIND.flatMap(([kind, names]) => {
    const name = names.find((each) => scripts.has(each) && !NO_TEST.test(scripts.get(each) ?? ''));
    if (name === undefined) return [];
    const line = scripts.get(name) ?? '';
    return [{ kind, name, text: expandScript(scripts, name), fansOut: onlyFansOut(scripts, line, new Set([name])) }];
  });
}

/**
 * Whether all a line does is done by members, be it by way of other scripts: one command of its own in the chain, and the
 * line is a job like any other.
 */
function onlyFansOut(scripts: ReadonlyMap<string, string>, line: string, passed: Set<string>): boolean {
  return line.split(/&&|\|\||[;&|\n]/u).every((command) => {
    if (FANS_OUT.test(command)) return true;
    const name = /^\s*(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?([\w:.-]+)\s*$/u.exec(command)?.[1];
    const further = name === undefined ? undefined : scripts.get(name);
    if (name === undefined || further === undefined || passed.has(name)) return false;
    return onlyFansOut(scripts, further, passed.add(name));
  });
}

/**
 * A script's command line with those of all scripts it may start: its `pre` and `post` companions, and every word that is
 * a script's name. Rather one too many: the text only serves to find out which tools may be running.
 */
function expandScript(scripts: ReadonlyMap<string, string>, name: string): string {
  const names = new Set([name]);
  for (const each of names) {
    const words = (scripts.get(each) ?? '').split(/[^\w:.-]+/u);
    for (const word of [`pre${each}`, `post${each}`, ...words]) if (scripts.has(word)) names.add(word);
  }
  return [...names].map((each) => scripts.get(each) ?? '').join('\n');
}
