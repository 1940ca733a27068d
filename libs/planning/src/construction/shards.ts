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

interface WhichShard {
  readonly number: number;
  readonly count: number;
}

/** The step that runs one shard of another. */
export function shardStep(step: JobStep, shards: CommandShards, which: WhichShard): JobStep {
  const { number, count } = which;
  const { divided, suffix } = shards;
  const added = suffix.replace('{number}', String(number)).replace('{count}', String(count));
  const others = leftOut(shards, which).map((word) => ` ${word}`);
  const rest = number === 1 ? (divided?.rest ?? '') : '';
  const run = `${divided?.run ?? step.run}${added}${others.join('')}${rest}`;
  return { ...step, run, share: { of: stepKey(step), number, count } };
}

/** Files are dealt out one by one in the order of their paths, so that those of one folder come to all shards. */
function leftOut({ leavesOut }: CommandShards, { number, count }: WhichShard): readonly string[] {
  return (leavesOut ?? []).filter((_, at) => at % count !== number - 1);
}
