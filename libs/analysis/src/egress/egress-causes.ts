import { egressInWords, type CompletionReport, type EgressDecision, type EgressReason } from '@delta-ci/contracts';
import { isOwnLine, OWN_MARK } from '../text/own-lines.ts';
import { linearPattern } from '../text/linear-pattern.ts';
import type { LogLine } from '../text/log-lines.ts';
import { isQuiet } from '../rules/match-rules.ts';

/** A connection of the failed step that was refused, or led nowhere. */
export interface EgressCause {
  readonly decision: EgressDecision & { readonly reason: EgressReason };
  /** The line in which its runner told of it; null when it told of it in an earlier step. */
  readonly told: LogLine | null;
  /** The first line in which a program of the step repeats what it was answered; null when none does. */
  readonly quoted: LogLine | null;
}

/** What programs say when a proxy does not lead on. */
const TUNNEL = linearPattern(
  '(?i)connect tunnel failed|tunnel connection failed|tunnell?ing (?:failed|socket)|http tunnell?ing|tunnel through proxy|from proxy after connect|egress (?:refused|failed): ',
);
/** What is said of a host that could not be had; beside its name. */
const TROUBLE = linearPattern(
  '(?i)\\b(?:403|502|forbidden|bad gateway|fail(?:ed|ure)?|error|err!|cannot|could not|couldn.t|unable|refused|reset|enotfound|econn[a-z]+|etimedout|hang up|eof)\\b',
);

/** Lines to look at for what was decided, beside those of the rules. */
export const EGRESS_HINTS: readonly string[] = [`${OWN_MARK}egress `, 'unnel', 'from proxy after CONNECT'];

/**
 * What the runner's report has of connections that came to nothing, as far as the lines of the failed step tell of it: those a
 * program speaks of itself first, then by line. A line that only looks like the runner's is none, because a job can print
 * whatever it likes: what was decided is the report's to say, and the log says no more than when.
 */
export function egressCauses(report: CompletionReport | null, lines: readonly LogLine[]): EgressCause[] {
  const troubles = (report?.egress ?? []).filter(isTrouble);
  if (troubles.length === 0) return [];
  const ofPrograms = lines.filter(({ text }) => !isOwnLine(text) && !isQuiet(text));
  const tunnel = ofPrograms.find(({ text }) => TUNNEL.find(text) !== null) ?? null;
  return troubles
    .map((decision) => causeOf(decision, lines, ofPrograms, tunnel))
    .filter(({ told, quoted }) => told !== null || quoted !== null)
    .sort((one, other) => rankOf(one) - rankOf(other));
}

/** Whether what a program says, a line or a message, speaks of a connection that was not let out or led nowhere. */
export function quotes(text: string, decision: EgressDecision): boolean {
  if (isOwnLine(text)) return false;
  return TUNNEL.find(text) !== null || (namesHost(text, decision) && TROUBLE.find(text) !== null);
}

const isTrouble = (decision: EgressDecision): decision is EgressCause['decision'] => decision.reason !== null;

function causeOf(
  decision: EgressCause['decision'],
  lines: readonly LogLine[],
  ofPrograms: readonly LogLine[],
  tunnel: LogLine | null,
): EgressCause {
  const words = `${OWN_MARK}${egressInWords(decision)}`;
  const told = lines.find(({ text }) => text.endsWith(words)) ?? null;
  const named = ofPrograms.find(({ text }) => namesHost(text, decision) && TROUBLE.find(text) !== null) ?? null;
  // A tunnel that is spoken of without a name is that of a connection of this very step.
  return { decision, told, quoted: named ?? (told === null ? null : tunnel) };
}

const namesHost = (text: string, { host }: EgressDecision): boolean =>
  host !== null && text.toLowerCase().includes(host);

/** Those that are quoted first, each kind by line. */
const rankOf = ({ told, quoted }: EgressCause): number =>
  (quoted === null ? AFTER_ALL_LINES : 0) + ((told ?? quoted)?.number ?? 0);

const AFTER_ALL_LINES = Number.MAX_SAFE_INTEGER / 2;
