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

/**
 * Puts attempts before their pools again whose message was lost: with the bus, because the pool was full, or because this
 * process's predecessor died between commit and publication. Lost is what a runner could do for which the queue was looked
 * through beyond it. One message too many does no harm: the log refuses the second grant.
 */
export function redriveDispatch(tools: RedriveTools): Sweep['run'] {
  /** Where the next sweep goes on in pools that have more than one sweep reads. */
  const readUpTo = new Map<PoolName, DispatchMessage>();
  return async (limit) => {
    for (const [pool, desk] of tools.desks) {
      const looks = desk.takeLooks();
      if (looks.length > 0) await redrivePool(tools, { pool, looks, limit, readUpTo });
    }
    return 0;
  };
}

interface PoolSweep {
  readonly pool: PoolName;
  readonly looks: readonly QueueLook[];
  readonly limit: number;
  readonly readUpTo: Map<PoolName, DispatchMessage>;
}

async function redrivePool({ bus, log, redriveAfterMs, nowMs }: RedriveTools, sweep: PoolSweep): Promise<void> {
  const { pool, looks, limit, readUpTo } = sweep;
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
  for (let page = 0; page < PAGES_MAX; page++) {
    const after = readUpTo.get(pool);
    const waiting = await whichAttemptsWait(log, after === undefined ? query : { ...query, after });
    const last = waiting.at(-1);
    if (last === undefined || waiting.length < limit) readUpTo.delete(pool);
    else readUpTo.set(pool, last);
    for (const dispatch of waiting) if (wasOvertaken(dispatch)) await publishDispatch(bus, dispatch, redrive);
    if (!readUpTo.has(pool)) return;
  }
}
