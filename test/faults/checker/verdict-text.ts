import type { JudgedInvariant, Verdict } from './verdict.ts';

/** More of the same kind say nothing new. */
const VIOLATIONS_SHOWN = 5;

/** A verdict for people: a line for each invariant, and below it what breaks it. */
export function verdictText({ scenario, events, holds, invariants }: Verdict): string {
  const width = Math.max(...invariants.map(({ id }) => id.length));
  const lines = invariants.map(
    (one) => `  ${wordFor(one).padEnd(9)}  ${one.id.padEnd(width)}  ${String(one.checked).padStart(6)}  ${one.says}`,
  );
  const broken = invariants.flatMap(violationLines);
  const head = `${scenario}: ${holds ? 'holds' : 'BROKEN'} (${events} events)`;
  return [head, `  ${'verdict'.padEnd(9)}  ${'invariant'.padEnd(width)}  checked`, ...lines, ...broken].join('\n');
}

function wordFor({ holds, checked, violations }: JudgedInvariant): string {
  if (violations.length > 0) return 'BROKEN';
  if (!holds) return 'UNCHECKED';
  return checked > 0 ? 'holds' : '-';
}

function violationLines({ id, violations }: JudgedInvariant): string[] {
  const shown = violations.slice(0, VIOLATIONS_SHOWN).map((violation) => `  ! ${id}: ${violation}`);
  const more = violations.length - shown.length;
  return more === 0 ? shown : [...shown, `  ! ${id}: ${more} more`];
}
