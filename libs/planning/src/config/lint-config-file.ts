import { ConfigFile, ConfigFileIdToken, ConfigFileJob, ConfigFileSource, wordsOfIssue } from '@delta-ci/contracts';
import { LineCounter, isMap, isPair, isScalar, parseDocument, visit, type Document, type YAMLError } from 'yaml';
import { checkEgress } from './check-egress.ts';
import { checkJobs, warnOfJobs } from './check-jobs.ts';
import type { ConfigPath, ConfigProblem, PlacedProblem } from './config-problem.ts';
import { nearestName } from './nearest-name.ts';
import { whereAKeyBelongs } from './where-a-key-belongs.ts';

export type ParsedConfig =
  | { readonly ok: true; readonly file: ConfigFile; readonly warnings: readonly ConfigProblem[] }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Far more than anyone writes by hand, and parsed in a fraction of a second. */
const TEXT_LENGTH_MAX = 256 * 1024;

/** All problems of a `delta.yaml`, in the order of its lines; empty when it can be followed. */
export function lintConfigFile(text: string, name: string): readonly ConfigProblem[] {
  const parsed = parseConfigFile(text, name);
  return parsed.ok ? [] : parsed.problems;
}

/** What of a `delta.yaml` can be followed and will not do what is meant, in the order of its lines; empty when it has problems. */
export function warningsOfConfigFile(text: string, name: string): readonly ConfigProblem[] {
  const parsed = parseConfigFile(text, name);
  return parsed.ok ? parsed.warnings : [];
}

/** Reads a configuration file; `name` stands in messages. */
export function parseConfigFile(text: string, name: string): ParsedConfig {
  if (text.length > TEXT_LENGTH_MAX)
    return wrong([{ line: 1, column: 1, message: `${name} has more than ${TEXT_LENGTH_MAX} characters` }]);
  const lines = new LineCounter();
  const document = parseYaml(text, lines);
  if (document === null) return wrong([{ line: 1, column: 1, message: `${name} nests too deeply to be read` }]);
  if (document.errors.length > 0) return wrong(document.errors.map((error) => syntaxProblem(error, lines)));
  const unusable = unusableTexts(document, lines);
  if (unusable.length > 0) return wrong(unusable);
  const value = valueOf(document);
  if (!value.ok) return wrong([{ line: 1, column: 1, message: value.message }]);
  const shape = ConfigFile.safeParse(value.value);
  const placed = shape.success
    ? [...checkJobs(shape.data), ...checkEgress(shape.data)]
    : shape.error.issues.flatMap((issue) => placeIssue(issue, value.value));
  const located = (problems: readonly PlacedProblem[]): ConfigProblem[] =>
    problems.map((problem) => ({ ...positionOf(problem, document, lines), message: problem.message }));
  if (shape.success && placed.length === 0)
    return { ok: true, file: shape.data, warnings: inOrder(located(warnOfJobs(shape.data))) };
  return wrong(located(placed));
}

function wrong(problems: readonly ConfigProblem[]): ParsedConfig {
  return { ok: false, problems: inOrder(problems) };
}

function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const distinct = new Map(problems.map((each) => [`${each.line}:${each.column}:${each.message}`, each]));
  return [...distinct.values()].sort((one, other) => one.line - other.line || one.column - other.column);
}

function parseYaml(text: string, lineCounter: LineCounter): Document | null {
  try {
    const document = parseDocument(text, { lineCounter, uniqueKeys: true, version: '1.2' });
    // The parser recurses; where a file of brackets exhausts its stack it says so in one of its own errors.
    return document.errors.some(({ message }) => message.includes('call stack')) ? null : document;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Texts that would be lost or broken on their way to a job, wherever they stand: better told than silently changed. */
function unusableTexts(document: Document, lines: LineCounter): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  visit(document, {
    Scalar: (part, { value, range }) => {
      const message = typeof value === 'string' ? complaintAbout(value, part === 'key') : null;
      if (message === null) return;
      const { line, col } = lines.linePos(range?.[0] ?? 0);
      problems.push({ line: Math.max(1, line), column: Math.max(1, col), message });
    },
  });
  return problems;
}

function complaintAbout(text: string, isKey: boolean): string | null {
  if (isKey && text === '__proto__') return 'the key "__proto__" cannot be used';
  if (text.includes('\0')) return 'a NUL character cannot be handed to a job';
  return text.isWellFormed() ? null : 'a text holds half of a surrogate pair';
}

function valueOf(document: Document): { ok: true; value: unknown } | { ok: false; message: string } {
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: ALIASES_MAX }) };
  } catch (error) {
    return {
      ok: false,
      message: `its aliases cannot be followed: ${error instanceof Error ? error.message : 'unknown reason'}`,
    };
  }
}

/** Anchors save repetition in a file; as a multiplier they are an attack. */
const ALIASES_MAX = 100;

function syntaxProblem({ pos, message }: YAMLError, lines: LineCounter): ConfigProblem {
  const { line, col } = lines.linePos(pos[0]);
  return { line: Math.max(1, line), column: Math.max(1, col), message: message.split(/ at line \d+/u)[0] ?? message };
}

type Issue = NonNullable<ReturnType<typeof ConfigFile.safeParse>['error']>['issues'][number];

function placeIssue(issue: Issue, file: unknown): PlacedProblem[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(path);
    return issue.keys.map((key) => ({ path: [...path, key], of: 'key', message: unknownKey(key, path, known) }));
  }
  const place = path.length === 0 ? 'the file' : path.join('.');
  return [
    { path, of: issue.code === 'invalid_key' ? 'key' : 'value', message: `${place}: ${wordsOfIssue(issue, file)}` },
  ];
}

function unknownKey(key: string, path: ConfigPath, known: readonly string[]): string {
  const nearest = nearestName(key, known);
  const guess = nearest === null ? `known here: ${known.join(', ')}` : `did you mean "${nearest}"?`;
  const hint = whereAKeyBelongs(key, path) ?? guess;
  return `unknown key "${key.slice(0, 100)}"; ${hint}`;
}

/** Names that may stand at a place of the file. */
function knownKeys([first, , third]: ConfigPath): string[] {
  const policies = ConfigFile.shape.policies.unwrap().shape;
  const ofJob = ConfigFileJob.shape;
  if (first === 'policies') {
    return [policies, policies.runs.unwrap().shape, policies.shadow.unwrap().shape].flatMap(Object.keys);
  }
  if (first === 'limits') return Object.keys(ConfigFile.shape.limits.unwrap().shape);
  if (first === 'source' || third === 'source') return Object.keys(ConfigFileSource.shape);
  if (first === 'egress') return Object.keys(ConfigFile.shape.egress.unwrap().shape);
  if (first !== 'jobs') return Object.keys(ConfigFile.shape);
  if (third === 'policy') return Object.keys(ofJob.policy.unwrap().shape);
  if (third === 'id_tokens') return Object.keys(ConfigFileIdToken.shape);
  if (third === 'artifacts') return Object.keys(ofJob.artifacts.unwrap().element.shape);
  if (third === 'caches') return Object.keys(ofJob.caches.unwrap().element.shape);
  return Object.keys(ofJob);
}

/** Where a member stands; of one that is missing, what it is missing from. */
function positionOf(
  { path, of }: PlacedProblem,
  document: Document,
  lines: LineCounter,
): { line: number; column: number } {
  for (let length = path.length; length >= 0; length -= 1) {
    const at = path.slice(0, length);
    const offset =
      of === 'key' || length < path.length
        ? (keyOffset(document, at) ?? valueOffset(document, at))
        : valueOffset(document, at);
    if (offset !== null) {
      const { line, col } = lines.linePos(offset);
      return { line: Math.max(1, line), column: Math.max(1, col) };
    }
  }
  return { line: 1, column: 1 };
}

function valueOffset(document: Document, path: ConfigPath): number | null {
  return startOf(path.length === 0 ? document.contents : document.getIn(path, true));
}

function keyOffset(document: Document, path: ConfigPath): number | null {
  if (path.length === 0) return null;
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return null;
  const name = path.at(-1);
  const pair = parent.items.find(
    (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(name),
  );
  return startOf(pair?.key);
}

function startOf(node: unknown): number | null {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return null;
  const start: unknown = node.range.at(0);
  return typeof start === 'number' ? start : null;
}
