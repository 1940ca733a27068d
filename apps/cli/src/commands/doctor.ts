import { describeVerdicts, probeHost } from '@delta-ci/sandbox';
import { executorsOf } from '../local/choose-executor.ts';
import { EXIT, type ExitCode } from '../problem.ts';
import { safeText } from '../screen/safe-text.ts';
import { printJson, type Surroundings } from '../surroundings.ts';

/** `delta doctor`: what this host can enforce around a job, by trying. */
export async function doctor(surroundings: Surroundings, { json }: { readonly json?: boolean }): Promise<ExitCode> {
  const { sandbox, container, process } = await executorsOf(surroundings);
  const verdicts = await probeHost([sandbox, ...(container === null ? [] : [container]), process]);
  const ready = verdicts.some(({ tier, usable }) => tier !== 'process' && usable);
  if (json === true) printJson(surroundings, { ready, tiers: verdicts });
  else {
    const verdict = ready
      ? '`delta run` works here.'
      : '`delta run` works here with --unsandboxed only: jobs would run as yourself.';
    surroundings.out(`${describeVerdicts(verdicts).map(safeText).join('\n')}\n\n${verdict}\n`);
  }
  return ready ? EXIT.succeeded : EXIT.notJudged;
}
