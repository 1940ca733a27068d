import type { ShadowRules } from '@delta-ci/contracts';
import type { JudgedEntry } from './judge-entry.ts';
import type { ShadowInput } from './shadow-input.ts';

/** What is said about shadows and optimisations. */

/** `the optimisation documentation has switched itself off: 2 of 40 samples escaped, so it may be up to 15.0 %, and 5 % are allowed`. */
export function whyOff(entry: JudgedEntry, { rules }: Pick<ShadowInput, 'rules'>): string {
  const { optimisation, escaped, samples, bound } = entry;
  const found = `in ${escaped} of ${samples} samples a failure escaped it`;
  return `the optimisation ${optimisation} has switched itself off: ${found}, so it may be in up to ${percent(bound)} of all, and ${percent(rules.escapeRateMax)} are allowed`;
}

/** Why a job runs as a shadow. Continues with why it would be skipped. */
export function whyShadow(subject: string, rules: ShadowRules): string {
  const sample = rules.rate >= 1 ? 'every change is' : `${percent(rules.rate)} of the changes are`;
  return `${subject} runs as a shadow, which decides nothing: the plan leaves it out, and ${sample} looked at for what that misses.`;
}

/** A share with three digits at most: `0.5 %`, `12 %`. */
export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

/** One sentence for the summary of a plan; empty where no shadow runs. */
export function shadowSentence(count: number): string {
  if (count === 0) return '';
  if (count === 1) return ' One job runs as a shadow of what is left out, and decides nothing.';
  return ` ${count} jobs run as shadows of what is left out, and decide nothing.`;
}
