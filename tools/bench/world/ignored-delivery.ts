import type { CommandData } from '@delta-ci/contracts';

/** The least a command can lead to: one event that says why nothing is done. */
export const ignoredDelivery = (deliveryId: string): CommandData<'accept-delivery'> => ({
  forge: 'github',
  deliveryId,
  event: 'ping',
  payloadDigest: `sha256:${'0'.repeat(64)}`,
  request: { kind: 'ignore', reason: 'measured' },
});
