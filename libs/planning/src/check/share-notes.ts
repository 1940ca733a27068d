import type { Plan, PlanNote } from '@delta-ci/contracts';
import { note } from './notes.ts';

/** Whether a suite that runs in shards runs whole: every share of it once. A rerun may take up some of them. */
export function shareNotes(plan: Plan): PlanNote[] {
  if (plan.source.kind === 'rerun') return [];
  const shares = plan.jobs.flatMap(({ key, steps }) =>
    steps.flatMap(({ share }) => (share === undefined ? [] : [{ key, ...share }])),
  );
  return [...Map.groupBy(shares, ({ of }) => of).values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const all = [first, ...others];
    const wanted = Array.from({ length: first.count }, (_, at) => at + 1);
    const planned = all.map(({ number }) => number).sort((one, other) => one - other);
    const whole = wanted.join() === planned.join() && all.every(({ count }) => count === first.count);
    const message = `the shards ${planned.join(', ')} are planned of ${first.count} of "${first.of}"`;
    return whole ? [] : [note('incomplete_shards', message, first.key)];
  });
}
