import { stepKey, type JobStep } from '@delta-ci/contracts';
import type { CommandShards } from '../model.ts';

/** What one shard should take: people wait that long for tests anyway, and a start is little beside it. */
const SHARD_MS = 5 * 60_000;
/** Each shard is a runner that is prepared for it: beyond this a single suite would take a pool for itself. */
const SHARDS_MAX = 8;

/** As many shards of what takes so long as keep each near its time. @param most of what there is to share out */
export function shardsFor(ms: number, most: number): number {
  return Math.max(1, Math.min(Math.ceil(ms / SHARD_MS), SHARDS_MAX, most));
}

/** The step that runs one shard of another. */
export function shardStep(
  step: JobStep,
  { suffix }: CommandShards,
  { number, count }: { readonly number: number; readonly count: number },
): JobStep {
  const added = suffix.replace('{number}', String(number)).replace('{count}', String(count));
  return { ...step, run: `${step.run}${added}`, share: { of: stepKey(step), number, count } };
}
