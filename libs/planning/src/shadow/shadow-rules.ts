import { DEFAULT_SHADOW_RULES, type ConfigFile, type ShadowRules } from '@delta-ci/contracts';
import { readConfig } from '../config/read-config.ts';
import type { PlanningInputs } from '../model.ts';

/**
 * By which rules the ledger is kept for a change: the installation's, and over them what the repository's configuration
 * file says. Null where none is kept: for changes that are not trusted, whose failures prove nothing and who may not have
 * more run; for jobs that a person wrote down, paths and all; and where nothing is sampled.
 */
export function shadowRulesFor({
  change,
  head,
  rules,
}: Pick<PlanningInputs, 'change' | 'head' | 'rules'>): ShadowRules | null {
  if (change.trust !== 'trusted') return null;
  const read = readConfig(head);
  if (!read.ok) return null;
  const file = read.config?.file ?? null;
  if (file !== null && Object.keys(file.jobs).length > 0) return null;
  const effective = withFile(rules.shadow ?? DEFAULT_SHADOW_RULES, file);
  return effective.rate > 0 ? effective : null;
}

function withFile(rules: ShadowRules, file: ConfigFile | null): ShadowRules {
  const said = file?.policies?.shadow;
  return {
    rate: said?.rate ?? rules.rate,
    escapeRateMax: said?.max_escape_rate ?? rules.escapeRateMax,
    samplesMin: said?.min_samples ?? rules.samplesMin,
  };
}
