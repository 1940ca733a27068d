import type { UnitCommand } from '../model.ts';
import { asRecord, asText, memberOf } from '../parsed-values.ts';
import { quoteForShell } from '../shell-words.ts';
import { featuresOf, type CargoLine } from './ci-lines.ts';
import type { CargoManifest } from './manifest.ts';
import { nextestLine, testsByNextest } from './nextest.ts';

/** What decides the commands of one package. */
export interface CommandFacts {
  readonly manifest: CargoManifest;
  readonly workspace: CargoManifest;
  /** How the package is told from others: its name, and its version where that takes it. */
  readonly spec: string;
  readonly name: string;
  readonly locked: boolean;
  /** Files that set up linters for the package, by tool: the nearest of each. */
  readonly clippyFile: string | null;
  readonly rustfmtFile: string | null;
  /** Whether it has a library, whose pages have tests too. */
  readonly hasLibrary: boolean;
  readonly lines: readonly CargoLine[];
  /** The target that everything is compiled for, where that is set and tests of it cannot run on the machine. */
  readonly foreignTarget: string | null;
}

/** Cargo builds and tests whatever a manifest describes; it lints and formats where the repository says it does. */
export function commandsOf(facts: CommandFacts): UnitCommand[] {
  const { manifest, foreignTarget } = facts;
  const { flags, evidence } = featuresFor(facts);
  // Targets of a fuzzer are compiled with flags that it alone knows: that they could be compiled is all there is to see.
  const fuzzed = memberOf(memberOf(memberOf(manifest.text, 'package'), 'metadata'), 'cargo-fuzz') === true;
  const built = command(facts, 'build', cargo(facts, fuzzed ? 'check' : 'build', flags), evidence);
  const tested = fuzzed || foreignTarget !== null ? [] : [testOf(facts, flags, evidence)];
  return [built, ...lintOf(facts), ...tested].map((each) => ({
    ...each,
    step: { ...each.step, name: `${each.kind} ${manifest.root}`.slice(0, 200) },
  }));
}

function cargo({ spec, locked }: CommandFacts, verb: string, flags: readonly string[]): string {
  return ['cargo', verb, '-p', quoteForShell(spec), ...(locked ? ['--locked'] : []), ...flags].join(' ');
}

function testOf(facts: CommandFacts, flags: readonly string[], evidence: string): UnitCommand {
  const line = nextestLine(facts.lines);
  if (line === null) return command(facts, 'test', cargo(facts, 'test', flags), evidence);
  const { before, run, rest, shards } = testsByNextest(facts, line, (verb) => cargo(facts, verb, flags));
  const step = {
    name: `compile tests ${facts.manifest.root}`.slice(0, 200),
    run: before,
    workdir: facts.workspace.root,
  };
  const tested = command(facts, 'test', run + rest, `${evidence}, cargo nextest by ${line.path}`);
  return { ...tested, before: [step], shards };
}

function command({ workspace }: CommandFacts, kind: UnitCommand['kind'], run: string, evidence: string): UnitCommand {
  const step = { name: kind, run, workdir: workspace.root };
  return { kind, step, evidence, text: run, reports: [], outputs: [], joins: null };
}

/**
 * The first line of a workflow that tests with features decides, where the package has these; otherwise a package is
 * taken as it is by default.
 */
function featuresFor({ manifest, lines }: CommandFacts): {
  readonly flags: readonly string[];
  readonly evidence: string;
} {
  const byDefault = { flags: [], evidence: manifest.path };
  const line = lines.find((each) => each.tool === 'test' && !each.otherToolchain && featuresOf(each).length > 0);
  if (line === undefined || manifest.features.size === 0) return byDefault;
  const named = featuresOf(line);
  if (named.includes(ALL)) return { flags: [ALL], evidence: `${manifest.path}, ${ALL} by ${line.path}` };
  if (!named.every((name) => manifest.features.has(name))) return byDefault;
  const flag = `--features ${named.join(',')}`;
  return {
    flags: ['--features', quoteForShell(named.join(','))],
    evidence: `${manifest.path}, ${flag} by ${line.path}`,
  };
}

const ALL = '--all-features';

function lintOf(facts: CommandFacts): UnitCommand[] {
  const parts = [fmtOf(facts), clippyOf(facts)].filter((part) => part !== null);
  if (parts.length === 0) return [];
  const run = parts.map((part) => part.run).join(' && ');
  return [command(facts, 'lint', run, parts.map(({ evidence }) => evidence).join(' and '))];
}

interface LintPart {
  readonly run: string;
  readonly evidence: string;
}

function fmtOf({ rustfmtFile, lines, name }: CommandFacts): LintPart | null {
  const formats = lines.filter(({ tool }) => tool === 'fmt');
  const here = formats.find(({ otherToolchain }) => !otherToolchain);
  // Formatting that the workflows leave to another toolchain would not come out the same with this one.
  if (here === undefined && formats.length > 0) return null;
  const evidence = rustfmtFile ?? here?.path;
  return evidence === undefined ? null : { run: `cargo fmt -p ${quoteForShell(name)} --check`, evidence };
}

function clippyOf(facts: CommandFacts): LintPart | null {
  const { clippyFile, lines, manifest, workspace } = facts;
  const line = lines.find(({ tool, otherToolchain }) => tool === 'clippy' && !otherToolchain);
  const table = lintTable(manifest, workspace);
  const evidence = clippyFile ?? table ?? line?.path;
  if (evidence === undefined) return null;
  const { flags } = featuresFor(facts);
  const words = line?.words ?? [];
  const targets = words.includes('--all-targets') ? ['--all-targets'] : words.includes('--tests') ? ['--tests'] : [];
  const denied = words.some((word, at) => word === '-Dwarnings' || (word === 'warnings' && words[at - 1] === '-D'));
  return { run: cargo(facts, 'clippy', [...targets, ...flags, ...(denied ? ['-- -D warnings'] : [])]), evidence };
}

/** Where levels for clippy are set: in the manifest or, where that says so, in its workspace's. */
function lintTable(manifest: CargoManifest, workspace: CargoManifest): string | null {
  const own = memberOf(manifest.text, 'lints');
  if (asRecord(memberOf(own, 'clippy')) !== null) return `lints.clippy of ${manifest.path}`;
  const inherits = memberOf(own, 'workspace') === true;
  const shared = inherits ? asRecord(memberOf(workspace.workspace?.lints, 'clippy')) : null;
  return shared === null ? null : `workspace.lints.clippy of ${workspace.path}`;
}

const HOSTED = /-(?:linux|windows|darwin|macos|freebsd)\b/u;

/** The target of a configuration of cargo that no test can run on: a bare machine, or a browser. */
export function foreignTargetOf(config: unknown): string | null {
  const target = asText(memberOf(memberOf(config, 'build'), 'target'));
  return target === null || HOSTED.test(target) ? null : target;
}
