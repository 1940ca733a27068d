import type { Played } from './run-scenario.ts';

/** Reasons of one scenario told in the terminal; the verdict has all of them. */
const REASONS_SHOWN = 5;

/** How one scenario went, with why when it did not go well. */
export function resultLine(played: Played): string {
  const { scenario, outcome, why, tookMs } = played;
  const head = `${WORDS[outcome]}  ${scenario}  ${(tookMs / 1_000).toFixed(1)} s  ${checksOf(played)}`;
  return [head, ...why.slice(0, REASONS_SHOWN).map((reason) => `    ${reason.slice(0, 2_000)}`)].join('\n');
}

const WORDS = { holds: 'holds  ', broken: 'BROKEN ', skipped: 'skipped' } as const;

function checksOf({ verdict, provoked }: Played): string {
  const faults = Object.entries(provoked).map(([fault, count]) => `${count} ${fault}`);
  if (verdict === null) return faults.join(', ');
  const judged = verdict.invariants.filter(({ checked }) => checked > 0);
  const checks = judged.reduce((sum, { checked }) => sum + checked, 0);
  return `${verdict.events} events, ${judged.length} invariants, ${checks} checks; ${faults.join(', ')}`;
}

/** All scenarios, one a line. */
export function resultsTable(played: readonly Played[]): string {
  const width = Math.max(...played.map(({ scenario }) => scenario.length), 'scenario'.length);
  const rows = played.map((one) => {
    const { scenario, outcome, tookMs } = one;
    return `${WORDS[outcome]}  ${scenario.padEnd(width)}  ${(tookMs / 1_000).toFixed(1).padStart(6)} s  ${checksOf(one)}`;
  });
  const count = (wanted: Played['outcome']): number => played.filter(({ outcome }) => outcome === wanted).length;
  return [...rows, `${count('holds')} hold, ${count('broken')} broken, ${count('skipped')} skipped`].join('\n');
}
