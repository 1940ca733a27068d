import type { JobKind } from '@delta-ci/contracts';
import type { UnitCommand } from '../model.ts';
import type { Paths, Texts } from '../tracing/repository-view.ts';
import { inFolder } from '../tree-paths.ts';
import type { ComposerManifest } from './composer.ts';

export interface PhpFacts {
  readonly root: string;
  readonly manifest: ComposerManifest;
  /** Whether a package is asked for, or locked. */
  readonly has: (name: string) => boolean;
  readonly files: Paths;
  readonly contents: Texts;
}

interface Found {
  readonly run: string;
  readonly text: string;
  readonly evidence: string;
  readonly reports: readonly string[];
}

const REPORT = 'phpunit-report.xml';

/** A script where the manifest has one of that name, else each tool that is both set up and asked for. */
export function commandsOf(facts: PhpFacts): UnitCommand[] {
  const { root } = facts;
  const command = (kind: JobKind, found: Found | null): UnitCommand[] => {
    if (found === null) return [];
    const { run, ...told } = found;
    return [
      { kind, step: { name: `${kind} ${root}`.slice(0, 200), run, workdir: root }, ...told, outputs: [], joins: null },
    ];
  };
  return [
    ...command('test', scriptOf(facts, ['test', 'tests', 'phpunit']) ?? phpunitOf(facts)),
    ...command(
      'lint',
      scriptOf(facts, ['lint', 'check-style', 'phpcs']) ?? joined(LINTERS.flatMap((each) => toolOf(facts, each))),
    ),
    ...command(
      'typecheck',
      scriptOf(facts, ['phpstan', 'psalm', 'analyse', 'analyze', 'stan']) ??
        joined(ANALYSERS.flatMap((each) => toolOf(facts, each))),
    ),
  ];
}

function scriptOf({ root, manifest }: PhpFacts, names: readonly string[]): Found | null {
  const name = names.find((each) => manifest.scripts.has(each));
  if (name === undefined) return null;
  const lines = manifest.scripts.get(name) ?? [];
  // Only a script that ends with the tool hands on what is added to it.
  const reported = lines.length === 1 && /(?:^|[\s/])phpunit(?: -[\w=-]+)*$/u.test(lines[0] ?? '');
  return {
    run: `composer run-script ${name}${reported ? ` -- --log-junit=${REPORT}` : ''}`,
    text: lines.join('\n'),
    evidence: `scripts.${name} of ${inFolder(root, 'composer.json')}`,
    reports: reported ? [inFolder(root, REPORT)] : [],
  };
}

function phpunitOf(facts: PhpFacts): Found | null {
  const tool = [
    { name: 'pestphp/pest', run: 'pest' },
    { name: 'phpunit/phpunit', run: 'phpunit' },
    { name: 'symfony/phpunit-bridge', run: 'simple-phpunit' },
  ].find(({ name }) => facts.has(name));
  const file = settingsOf(facts, ['phpunit.xml', 'phpunit.xml.dist', 'phpunit.dist.xml']);
  if (tool === undefined || file === null) return null;
  const run = `${facts.manifest.binaries}/${tool.run} --log-junit=${REPORT}`;
  return { run, text: run, evidence: file, reports: [inFolder(facts.root, REPORT)] };
}

interface Tool {
  readonly packages: readonly string[];
  readonly files: readonly string[];
  readonly run: string;
  /** What its settings have to say, so that it knows what to look at. */
  readonly says: RegExp | null;
}

const LINTERS: readonly Tool[] = [
  {
    packages: ['friendsofphp/php-cs-fixer', 'php-cs-fixer/shim'],
    files: ['.php-cs-fixer.php', '.php-cs-fixer.dist.php'],
    run: 'php-cs-fixer fix --dry-run --diff',
    says: null,
  },
  {
    packages: ['squizlabs/php_codesniffer'],
    files: ['.phpcs.xml', 'phpcs.xml', '.phpcs.xml.dist', 'phpcs.xml.dist'],
    run: 'phpcs',
    says: null,
  },
  { packages: ['laravel/pint'], files: ['pint.json'], run: 'pint --test', says: null },
];

const ANALYSERS: readonly Tool[] = [
  {
    packages: ['phpstan/phpstan', 'larastan/larastan', 'nunomaduro/larastan'],
    files: ['phpstan.neon', 'phpstan.neon.dist', 'phpstan.dist.neon'],
    run: 'phpstan analyse --no-progress',
    says: /^\s+paths:/mu,
  },
  {
    packages: ['vimeo/psalm', 'psalm/phar'],
    files: ['psalm.xml', 'psalm.xml.dist'],
    run: 'psalm --no-progress',
    says: null,
  },
];

function toolOf(facts: PhpFacts, { packages, files, run, says }: Tool): Found[] {
  const file = settingsOf(facts, files);
  if (file === null || !packages.some(facts.has)) return [];
  if (says !== null && !says.test(facts.contents.get(file) ?? '')) return [];
  const line = `${facts.manifest.binaries}/${run}`;
  return [{ run: line, text: line, evidence: file, reports: [] }];
}

function settingsOf({ root, files }: PhpFacts, names: readonly string[]): string | null {
  return names.map((name) => inFolder(root, name)).find((path) => files.has(path)) ?? null;
}

function joined(found: readonly Found[]): Found | null {
  if (found.length === 0) return null;
  const run = found.map((each) => each.run).join(' && ');
  return { run, text: run, evidence: found.map(({ evidence }) => evidence).join(' and '), reports: [] };
}
