import type { AuditCheckpoint, Checkpoint } from '@delta-ci/contracts';
import { readCheckpoints } from '@delta-ci/event-log';
import type { GatewayParts } from '../parts.ts';

type Places = Pick<GatewayParts, 'log' | 'store'>;

/** Checkpoints after a position, in order, at most `limit` positions: what the log has and what the store has, as one list. */
export async function listCheckpoints(
  { log, store }: Places,
  after: number,
  limit: number,
): Promise<AuditCheckpoint[]> {
  const [inLog, inStore] = await Promise.all([
    readCheckpoints(log, after, limit),
    store.checkpoints.list(after, limit),
  ]);
  return mergeCheckpoints(inLog, inStore, limit);
}

/** Two lists in order, each cut at `limit`, as one in order: equal checkpoints once, different ones of a position both. */
export function mergeCheckpoints(
  inLog: readonly Checkpoint[],
  inStore: readonly Checkpoint[],
  limit: number,
): AuditCheckpoint[] {
  const found = new Map<string, AuditCheckpoint>();
  const keyOf = ({ position, signature }: Checkpoint): string => `${position} ${signature}`;
  for (const one of inLog) found.set(keyOf(one), { ...one, inLog: true, inStore: false });
  for (const one of inStore) {
    const same = found.get(keyOf(one));
    found.set(keyOf(one), { ...one, inLog: same !== undefined, inStore: true });
  }
  const all = [...found.values()].sort((a, b) => a.position - b.position);
  const positions = [...new Set(all.map(({ position }) => position))].slice(0, limit);
  return all.filter(({ position }) => position <= (positions.at(-1) ?? 0));
}

const PAGE = 1_000;

/** All of them, page by page. */
export async function* checkpointsOf(places: Places, after: number): AsyncGenerator<Checkpoint> {
  for (let from = after; ;) {
    const page = await listCheckpoints(places, from, PAGE);
    for (const { inLog: _inLog, inStore: _inStore, ...checkpoint } of page) yield checkpoint;
    const last = page.at(-1);
    if (last === undefined) return;
    from = last.position;
  }
}
