import type { DeliveryAnswer, ForgeKind } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

const TEXT = 'SELECT run_id AS "runId", ignored FROM delivery WHERE forge = $1 AND delivery_id = $2';

/** What a webhook delivery led to; null when it was never accepted. */
export async function findRunForDelivery(
  { pool }: LogConnection,
  forge: ForgeKind,
  deliveryId: string,
): Promise<DeliveryAnswer | null> {
  return (await pool.query<DeliveryAnswer>(TEXT, [forge, deliveryId])).rows[0] ?? null;
}
