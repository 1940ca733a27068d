import type { LeaseOffer } from '@delta-ci/contracts';
import { ProtocolRunner } from '../../support/protocol-runner/protocol-runner.ts';
import type { Host } from '../engine/host.ts';
import { setTimeout as sleep } from '../stand-ins/timers-promises.ts';
import { GATEWAY_URL, REGISTRATION_TOKEN, TIMINGS } from './settings.ts';

/** By then whoever sweeps has taken back a lease that nobody acknowledged. */
const FORGOTTEN_MS = TIMINGS.leaseAcceptanceMs + 2 * TIMINGS.sweepIntervalMs;
const PATIENCE_SECONDS = 20;

/** Told how the gateway answered a runner that spoke for a lease it had before the one it holds. */
export type OnAnswered = (what: string, status: number) => void;

/**
 * A runner as ours never is: it forgets a lease without a word, takes another, and then speaks for the first. Nothing it
 * says under that one may count, although it holds a lease at that moment, of the same run maybe.
 */
export async function forgetOneLease(host: Host, onAnswered: OnAnswered): Promise<void> {
  const runner = await ProtocolRunner.register({
    gatewayUrl: GATEWAY_URL,
    registrationToken: REGISTRATION_TOKEN,
    name: host.name,
  });
  const forgotten = await leaseFor(runner);
  await sleep(FORGOTTEN_MS);
  const held = await leaseFor(runner);
  if ((await runner.acknowledge(held)) !== 200) return;
  onAnswered('a heartbeat', await runner.heartbeat(forgotten));
  onAnswered('a completion', await runner.complete(forgotten));
  await runner.complete(held);
}

/** Asks until there is work, as long as this runner lives. */
async function leaseFor(runner: ProtocolRunner): Promise<LeaseOffer> {
  for (;;) {
    const lease = await runner.lease(PATIENCE_SECONDS).catch(() => sleep(1_000, null));
    if (lease !== null) return lease;
  }
}
