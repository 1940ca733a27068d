import { setTimeout as pause } from 'node:timers/promises';
import type { LogBell } from '@delta-ci/event-log';
import type { Service } from '@delta-ci/service';
import type { OrchestratorConfig } from '../config.ts';
import { standForOffice } from '../stand-for-office.ts';
import { signCheckpoint, type SigningTools } from './sign-checkpoint.ts';

/** Of several orchestrators one signs at a time. Two at once would sign the same, or one checkpoint more than needed. */
export async function signWhenElected(
  service: Service<OrchestratorConfig>,
  tools: SigningTools & { readonly bell: LogBell },
): Promise<void> {
  const { config, logger } = service;
  const { checkpointEvents: events, checkpointIntervalMs: intervalMs } = config;
  const lead = async (signal: AbortSignal): Promise<void> =>
    signRepeatedly({
      events,
      intervalMs,
      signal,
      waitPast: async (position, until) => tools.bell.waitPast(position, until),
      sign: async () => signCheckpoint(tools),
      onTrouble: (error) => logger.error({ event: 'checkpoint-failed', err: error }),
    });
  await standForOffice(service, 'signer', lead);
}

export interface Signing {
  /** Records after a checkpoint that make the next one due, and how long fewer may wait for it. */
  readonly events: number;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  /** Resolves when the log has grown past the position, or when the signal aborts. */
  readonly waitPast: (position: number, until: AbortSignal) => Promise<unknown>;
  /** Signs, unless nothing is new. @returns the position that is covered then */
  readonly sign: () => Promise<number>;
  readonly onTrouble: (error: unknown) => void;
}

/** Signing takes a tenth of one connection's time at most: a log that grows fast is signed in larger stretches. */
const REST_PER_WORK = 9;

/**
 * Signs at once, and from then on whenever a checkpoint is due. One that fails is told and made up for an interval later:
 * the next one covers what it would have covered.
 */
export async function signRepeatedly({ signal, ...signing }: Signing): Promise<void> {
  while (!signal.aborted) {
    const begunAt = performance.now();
    const due = await dueAfter(signing);
    const restMs = (performance.now() - begunAt) * REST_PER_WORK;
    await pause(restMs, undefined, { signal }).catch(() => undefined);
    await signing.waitPast(due, AbortSignal.any([signal, AbortSignal.timeout(signing.intervalMs)]));
  }
}

/** The position after which the next checkpoint is due. The checkpoint's own record, which comes right after, is not counted. */
async function dueAfter({ sign, events, onTrouble }: Omit<Signing, 'signal'>): Promise<number> {
  try {
    return (await sign()) + events;
  } catch (error) {
    onTrouble(error);
    return Number.MAX_SAFE_INTEGER;
  }
}
