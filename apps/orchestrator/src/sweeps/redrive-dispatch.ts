import type { DispatchMessage, PoolName } from '@delta-ci/contracts';
import { publishDispatch, type Bus } from '@delta-ci/bus';
import { matchRequirements } from '@delta-ci/domain';
import { whichAttemptsWait, type LogConnection } from '@delta-ci/event-log';
import type { PoolDesk, QueueLook } from '../leases/pool-desk.ts';
import type { Sweep } from './sweeper.ts';

export interface RedriveTools {
  log: LogConnection;
  bus: Bus;
  desks: ReadonlyMap<PoolName, Pick<PoolDesk, 'takeLooks'>>;
  /** How long a message may travel before it counts as lost. */
  redriveAfterMs: number;
  nowMs: () => number;
}

/** Of one pool, in one sweep: what waits for runners that nobody has must not hide what a runner could take. */
const PAGES_MAX = 10;
/** More runners than look through one queue while a pool is read. */
const LOOKS_MAX = 1_000;

/** How far a pool was read whose waiting attempts are more than one sweep reads, and for whom. */
interface Reading {
  readonly upTo: DispatchMessage;
  readonly looks: readonly QueueLook[];
}

/**
 * Puts attempts before their pools again whose message was lost: with the bus, because the pool was full, or because this
 * process's predecessor died between commit and publication. Lost is what a runner could do for which the queue was looked
 * through beyond it. One message too many does no harm: the log refuses the second grant. At most `limit` of a pool in one
 * sweep, the rest in the next ones.
 */
export function redriveDispatch(tools: RedriveTools): Sweep['run'] {
  const readings = new Map<PoolName, Reading>();
  return async (limit) => {
    for (const [pool, desk] of tools.desks) {
      const begun = readings.get(pool);
      const looks = [...(begun?.looks ?? []), ...desk.takeLooks()].slice(-LOOKS_MAX);
      const upTo =
        looks.length === 0 ? null : await redrivePool(tools, { pool, looks, limit, after: begun?.upTo ?? null });
      if (upTo === null) readings.delete(pool);
      else readings.set(pool, { upTo, looks });
    }
    return 0;
  };
}

interface PoolSweep {
  readonly pool: PoolName;
  readonly looks: readonly QueueLook[];
  readonly limit: number;
  /** The last that was read; null to begin. */
  readonly after: DispatchMessage | null;
}

/** @returns the last that was read; null when that was all there is */
async function redrivePool(
  tools: RedriveTools,
  { pool, looks, limit, after }: PoolSweep,
): Promise<DispatchMessage | null> {
  const { bus, log, redriveAfterMs, nowMs } = tools;
  const wasOvertaken = ({ queuedAtMs, requirements }: DispatchMessage): boolean =>
    looks.some(
      ({ capabilities, upToMs }) =>
        queuedAtMs <= upToMs - redriveAfterMs && matchRequirements(requirements, capabilities).ok,
    );
  const youngestMs = Math.max(...looks.map(({ upToMs }) => upToMs)) - redriveAfterMs;
  const query = { pool, limit, waitedAtLeastMs: redriveAfterMs, queuedUpToMs: youngestMs };
  // Every interval makes a message of its own, and repeats within one do not. Intervals of our own clock, and not since the
  // attempt was queued: that is the database's time, and where ours is behind it the count could be that of the first message.
  const redrive = Math.floor(nowMs() / redriveAfterMs);
  let [last, published] = [after, 0];
  for (let page = 0; page < PAGES_MAX; page++) {
    const waiting = await whichAttemptsWait(log, last === null ? query : { ...query, after: last });
    for (const dispatch of waiting) {
      if (published >= limit) return last;
      last = dispatch;
      if (!wasOvertaken(dispatch)) continue;
      await publishDispatch(bus, dispatch, redrive);
      published += 1;
    }
    if (waiting.length < limit) return null;
  }
  return last;
}
