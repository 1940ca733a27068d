import pc from 'picocolors';

export type Paint = ReturnType<typeof pc.createColors>;

/** Colours for a terminal only, and never where `NO_COLOR` is set. `FORCE_COLOR` is for those who know better. */
export function paintFor(isTerminal: boolean, environment: Readonly<Record<string, string | undefined>>): Paint {
  const forbidden = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb';
  const forced = (environment['FORCE_COLOR'] ?? '') !== '' && environment['FORCE_COLOR'] !== '0';
  return pc.createColors(!forbidden && (isTerminal || forced));
}

/** The colour of an outcome or a state. */
export function paintOutcome(paint: Paint, outcome: string): string {
  if (outcome === 'succeeded') return paint.green(outcome);
  if (outcome === 'failed' || outcome === 'timed_out' || outcome === 'not judged') return paint.red(outcome);
  if (outcome === 'skipped') return paint.dim(outcome);
  return outcome === 'canceled' || outcome === 'lost' ? paint.yellow(outcome) : paint.cyan(outcome);
}
