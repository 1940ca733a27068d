import { REFUSALS } from '@delta-ci/contracts';
import { Judgement } from '../judgement.ts';
import type { Verdict } from '../requirement.ts';
import { Bench, Missing, type GatewayAddress } from './bench.ts';
import type { Check } from './check.ts';
import { wholeAttempt } from './checks/attempt.ts';
import { comingIn } from './checks/coming-in.ts';
import { lostLeases } from './checks/lost-leases.ts';
import { GATEWAY_REQUIREMENTS, type GatewayRequirement } from './requirements.ts';

export const GATEWAY_IDS = Object.keys(GATEWAY_REQUIREMENTS) as GatewayRequirement[];

const CHECKS: readonly Check[] = [...comingIn, wholeAttempt, ...lostLeases];

export interface GatewayCheckOptions extends GatewayAddress {
  /** Empty for all. */
  readonly only: readonly GatewayRequirement[];
  readonly signal: AbortSignal;
  /** Told of each check that is over. */
  readonly onCheck: (name: string, done: number, of: number) => void;
}

/**
 * Plays runners against a gateway, one conversation after the other, and judges what it answers.
 * @throws Error when nothing answers at its address, or no job can be made
 */
export async function checkGateway(options: GatewayCheckOptions): Promise<readonly Verdict[]> {
  const ids = options.only.length === 0 ? GATEWAY_IDS : options.only;
  const judgement = new Judgement(GATEWAY_REQUIREMENTS);
  const checks = CHECKS.filter(({ judges }) => options.only.length === 0 || judges.some((id) => ids.includes(id)));
  // What holds of every answer is seen in any conversation.
  const chosen = checks.length === 0 ? CHECKS.slice(0, 1) : checks;
  for (const [at, check] of chosen.entries()) {
    if (options.signal.aborted) break;
    const bench = new Bench(options, check.name, judgement);
    try {
      await check.play(bench);
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      for (const id of check.judges) bench.skip(id, error.message);
    }
    judgeForm(bench);
    options.onCheck(check.name, at + 1, chosen.length);
  }
  return judgement.verdicts(ids);
}

function judgeForm(bench: Bench): void {
  const noes = bench.gateway.replies.filter(({ status }) => status >= 400);
  const statuses: Readonly<Record<string, { readonly status: number }>> = REFUSALS;
  const strange = noes.filter(({ code, status }) => code === null || statuses[code]?.status !== status);
  if (noes.length > 0)
    bench.judge(
      'says-no-in-form',
      strange.length === 0,
      '{ "error": { "code", "message", "details" } }',
      'another form, or the wrong status',
      strange,
    );
}
