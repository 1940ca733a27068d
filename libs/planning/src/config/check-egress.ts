import { whyNeverReached, type ConfigFile } from '@delta-ci/contracts';
import type { PlacedProblem } from './config-problem.ts';

/** Entries of the allow-list by which no job ever reaches anything: better told here than by a step that fails. */
export function checkEgress({ egress }: ConfigFile): PlacedProblem[] {
  return (egress?.allow ?? []).flatMap((entry, at) => {
    const why = whyNeverReached(entry);
    if (why === null) return [];
    return [{ path: ['egress', 'allow', at], of: 'value' as const, message: `${JSON.stringify(entry)}: ${why}` }];
  });
}
