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

/** What programs say when a proxy does not lead on, with what stands in every such line, in lower case. */
const TUNNEL = linearPattern(
  '(?i)connect tunnel failed|tunnel connection failed|tunnell?ing (?:failed|socket)|http tunnell?ing|tunnel through proxy|from proxy after connect|egress (?:refused|failed): ',
);
const TUNNEL_HINTS = ['tunnel', 'from proxy after connect', 'egress '];
/** What is said of a host that could not be had; beside its name. */
const TROUBLE = linearPattern(
  '(?i)\\b(?:403|502|forbidden|bad gateway|fail(?:ed|ure)?|error|err!|cannot|could not|couldn.t|unable|refused|reset|enotfound|econn[a-z]+|etimedout|hang up|eof)\\b',
);

/** In every line in which a runner tells what was decided. */
const TOLD_MARK = `${OWN_MARK}egress `;

/** Lines to look at for what was decided, beside those of the rules. */
export const EGRESS_HINTS: readonly string[] = [TOLD_MARK, 'unnel', 'from proxy after CONNECT'];

/**
 * What the runner's report has of connections that came to nothing, as far as the lines of the failed step tell of it: those a
 * program speaks of itself first, then by line. A line that only looks like the runner's is none, because a job can print
 * whatever it likes: what was decided is the report's to say, and the log says no more than when.
 */
export function egressCauses(report: CompletionReport | null, lines: readonly LogLine[]): EgressCause[] {
  const troubles = (report?.egress ?? []).filter(isTrouble);
  if (troubles.length === 0) return [];
  const ofRunner = lines.filter(({ text }) => text.includes(TOLD_MARK));
  const tries = { ofTunnel: TRIES_MAX, ofTrouble: TRIES_MAX };
  const ofPrograms = lines
    .filter(({ text }) => !isOwnLine(text) && !isQuiet(text))
    .map((line) => new SaidLine(line, tries));
  const tunnel = ofPrograms.find((said) => said.isOfTunnel())?.line ?? null;
  return troubles
    .map((decision) => causeOf(decision, ofRunner, ofPrograms, tunnel))
    .filter(({ told, quoted }) => told !== null || quoted !== null)
    .sort((one, other) => rankOf(one) - rankOf(other));
}

/** Whether what a program says, a line or a message, speaks of a connection that was not let out or led nowhere. */
export function quotes(text: string, decision: EgressDecision): boolean {
  if (isOwnLine(text)) return false;
  const said = new SaidLine({ number: 0, text }, { ofTunnel: 1, ofTrouble: 1 });
  return said.isOfTunnel() || said.isOfTrouble(decision);
}

/** Lines that a pattern is tried on: a log with more that nearly match is not made by programs in trouble. */
const TRIES_MAX = 1_000;

/** How often the patterns may still be tried. */
interface Tries {
  ofTunnel: number;
  ofTrouble: number;
}

/** A line of a program. A report may have a hundred decisions and a log a hundred thousand lines, so each is looked at once. */
class SaidLine {
  readonly line: LogLine;
  readonly #lower: string;
  readonly #tries: Tries;
  #troubled: boolean | null = null;

  constructor(line: LogLine, tries: Tries) {
    this.line = line;
    this.#tries = tries;
    this.#lower = line.text.toLowerCase();
  }

  isOfTunnel(): boolean {
    if (!TUNNEL_HINTS.some((hint) => this.#lower.includes(hint))) return false;
    this.#tries.ofTunnel -= 1;
    return this.#tries.ofTunnel >= 0 && TUNNEL.find(this.line.text) !== null;
  }

  /** Whether it speaks of trouble with the host. */
  isOfTrouble({ host }: EgressDecision): boolean {
    if (host === null || !this.#lower.includes(host)) return false;
    this.#troubled ??= this.#isTroubled();
    return this.#troubled;
  }

  #isTroubled(): boolean {
    this.#tries.ofTrouble -= 1;
    return this.#tries.ofTrouble >= 0 && TROUBLE.find(this.line.text) !== null;
  }
}

const isTrouble = (decision: EgressDecision): decision is EgressCause['decision'] => decision.reason !== null;

function causeOf(
  decision: EgressCause['decision'],
  ofRunner: readonly LogLine[],
  ofPrograms: readonly SaidLine[],
  tunnel: LogLine | null,
): EgressCause {
  const words = `${OWN_MARK}${egressInWords(decision)}`;
  const told = ofRunner.find(({ text }) => text.endsWith(words)) ?? null;
  const named = ofPrograms.find((said) => said.isOfTrouble(decision))?.line ?? null;
  // A tunnel that is spoken of without a name is that of a connection of this very step.
  return { decision, told, quoted: named ?? (told === null ? null : tunnel) };
}

/** Those that are quoted first, each kind by line. */
const rankOf = ({ told, quoted }: EgressCause): number =>
  (quoted === null ? AFTER_ALL_LINES : 0) + ((told ?? quoted)?.number ?? 0);

const AFTER_ALL_LINES = Number.MAX_SAFE_INTEGER / 2;
