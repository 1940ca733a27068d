import { linearPattern, type Groups, type LinearPattern } from '../text/linear-pattern.ts';
import { OWN_MARK } from '../text/own-lines.ts';
import type { LogLine } from '../text/log-lines.ts';
import { ALL_RULES } from './all-rules.ts';
import type { LogRule } from './rule.ts';

/** One line that a rule recognised. */
export interface RuleMatch {
  readonly rule: LogRule;
  readonly line: LogLine;
  readonly groups: Groups;
}

interface CompiledRule {
  readonly rule: LogRule;
  readonly pattern: LinearPattern;
  readonly confusers: readonly LinearPattern[];
}

/** Lines on which a rule is tried at most: the first match counts, and hints are met by chance as well. */
const TRIES_PER_RULE_MAX = 400;
/** Matches kept per rule: the first explains, the others say how many there were. */
const MATCHES_PER_RULE_MAX = 50;

/** A line in which a test passed (or a subject is named), or of the runner's own, says nothing about the failure, whatever words it holds. */
const QUIET_STARTS = [
  OWN_MARK,
  '✔',
  '✓',
  '√',
  'ok ',
  'PASS ',
  '--- PASS',
  '# Subtest',
  '> ',
  'npm warn',
  'npm WARN',
  '$ ',
  '+ ',
];

const COMPILED: readonly CompiledRule[] = ALL_RULES.map((rule) => ({
  rule,
  pattern: linearPattern(rule.pattern),
  confusers: (rule.confusers ?? []).map(linearPattern),
}));

/** Substrings of all lines that a rule may recognise. */
export const RULE_HINTS: readonly string[] = [...new Set(ALL_RULES.flatMap(({ hints }) => hints))];

/** What all rules find in these lines, best first: by precedence, then by line. */
export function matchRules(lines: readonly LogLine[], exitCode: number | null): RuleMatch[] {
  const telling = lines.filter(({ text }) => !isQuiet(text));
  return COMPILED.filter(({ rule }) => fitsExitCode(rule, exitCode))
    .flatMap((compiled) => matchesOf(compiled, telling))
    .sort((a, b) => b.rule.precedence - a.rule.precedence || a.line.number - b.line.number);
}

/** Whether a line says that something is in order, or is a subject: it explains no failure. */
export function isQuiet(text: string): boolean {
  const start = text.trimStart();
  return QUIET_STARTS.some((quiet) => start.startsWith(quiet));
}

function fitsExitCode({ exitCodes }: LogRule, exitCode: number | null): boolean {
  return exitCodes === undefined || exitCode === null || exitCodes.includes(exitCode);
}

function matchesOf({ rule, pattern, confusers }: CompiledRule, lines: readonly LogLine[]): RuleMatch[] {
  const matches: RuleMatch[] = [];
  let tries = 0;
  for (const line of lines) {
    if (!rule.hints.some((hint) => line.text.includes(hint))) continue;
    tries += 1;
    if (tries > TRIES_PER_RULE_MAX || matches.length >= MATCHES_PER_RULE_MAX) break;
    const groups = pattern.find(line.text);
    if (groups === null || confusers.some((confuser) => confuser.find(line.text) !== null)) continue;
    matches.push({ rule, line, groups });
  }
  return matches;
}

/** A group by name, or by its name in another branch of the pattern: `line`, `line2` ... */
export function groupOf(groups: Groups, name: string): string | undefined {
  for (const candidate of [name, `${name}2`, `${name}3`, `${name}4`]) {
    const value = groups[candidate];
    if (value !== undefined && value !== '') return value;
  }
  return undefined;
}

/** A template with groups put in; a group that took no part becomes “something”. */
export function filled(template: string, groups: Groups): string {
  return template
    .split(/(\{[a-z]+\})/)
    .map((part) =>
      part.startsWith('{') && part.endsWith('}') ? (groupOf(groups, part.slice(1, -1)) ?? 'something') : part,
    )
    .join('');
}
