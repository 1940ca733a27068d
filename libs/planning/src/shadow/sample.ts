import { shortHash, type ShadowRules } from '@delta-ci/contracts';

/**
 * Whether a commit is in the sample: by a hash of its id alone, so that whoever plans it, and plans it again, takes the
 * same ones, and nobody can choose.
 */
export function isSampled(commit: string, { rate }: Pick<ShadowRules, 'rate'>): boolean {
  return Number.parseInt(shortHash(`shadow ${commit}`), 16) / 2 ** 32 < rate;
}
