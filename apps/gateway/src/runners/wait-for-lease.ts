import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { GrantedLease, LeaseHash, Refusal } from '@delta-ci/contracts';
import type { CommandAnswerOf, CommandClient } from '@delta-ci/bus';
import { leaseHashOf } from '@delta-ci/service';
import type { RunnerCaller } from '../access/caller.ts';
import { actorOf } from '../access/caller.ts';
import { envelopeFor, idFromLease } from '../command-ids.ts';

/**
 * One request to the orchestrator waits this long, and the runner's whole wait is made of several: work granted to a
 * runner that has just gone is lost for the acceptance time, so a wait that nobody listens to has to be short, also
 * where the gateway dies and cannot end it.
 */
const SLICE_MS = 5_000;
/**
 * Between two requests at least, when the first was sent away before its time: by an orchestrator that stops, or because
 * another request of the same runner waits.
 */
const ASK_AGAIN_MS = 500;
/** Beyond the slice: a decision takes milliseconds, a fail-over some seconds. */
const ANSWER_MS = 5_000;

export interface HeldLease {
  /** The capability: 256 random bits that only the runner gets to know. */
  readonly leaseId: string;
  readonly lease: GrantedLease;
}

type Sender = Pick<CommandClient, 'send'>;

export type Waited = { ok: true; held: HeldLease | null } | { ok: false; refusal: Refusal };

/**
 * Waits for work for a runner.
 * @param over aborts when the runner has gone or the gateway stops: no further wait is begun
 */
export async function waitForLease(
  commands: Sender,
  runner: RunnerCaller,
  waitMs: number,
  over: AbortSignal,
): Promise<Waited> {
  const leaseId = randomBytes(32).toString('hex');
  const leaseHash = leaseHashOf(leaseId);
  const untilMs = performance.now() + waitMs;
  for (let slice = 0; ; slice += 1) {
    // Rounded up, here and below: what is left of a millisecond would be no pause at all.
    const sliceMs = Math.max(0, Math.min(sliceLength(slice), Math.ceil(untilMs - performance.now())));
    const askedAt = performance.now();
    const answer = await askUntil(over, commands, runner, leaseHash, slice, sliceMs);
    if (!answer.ok) return answer;
    const { lease } = answer.result;
    if (lease !== null) return { ok: true, held: { leaseId, lease } };
    const earlyMs = Math.ceil(sliceMs - (performance.now() - askedAt));
    if (earlyMs > 0) await pause(Math.min(earlyMs, ASK_AGAIN_MS), undefined, { signal: over }).catch(() => undefined);
    if (over.aborted || performance.now() >= untilMs) return { ok: true, held: null };
  }
}

/**
 * One slice, cut short when the wait is over: asking again for the same lease, without patience, takes the seat of the
 * request that waits, and whichever of the two was granted something says so.
 */
async function askUntil(
  over: AbortSignal,
  commands: Sender,
  runner: RunnerCaller,
  leaseHash: LeaseHash,
  slice: number,
  waitMs: number,
): Promise<CommandAnswerOf<'grant-lease'>> {
  const again: Promise<CommandAnswerOf<'grant-lease'>>[] = [];
  const cutShort = (): void => void again.push(askFor(commands, runner, leaseHash, slice + 1, 0));
  over.addEventListener('abort', cutShort);
  try {
    const first = await askFor(commands, runner, leaseHash, slice, over.aborted ? 0 : waitMs);
    const granted = first.ok && first.result.lease !== null;
    return granted ? first : ((await again[0]) ?? first);
  } finally {
    over.removeEventListener('abort', cutShort);
  }
}

/** The first is of a length of its own: runners that came at the same moment must not ask again at the same moment. */
function sliceLength(slice: number): number {
  return slice === 0 ? Math.round(SLICE_MS * (0.5 + Math.random() / 2)) : SLICE_MS;
}

/** An answer that got lost may have been a lease: asking once more with the same id brings it to light. */
async function askFor(
  commands: Sender,
  runner: RunnerCaller,
  leaseHash: LeaseHash,
  slice: number,
  waitMs: number,
): Promise<CommandAnswerOf<'grant-lease'>> {
  const { runnerId, pool } = runner;
  const data = { leaseHash, runnerId, pool, waitMs };
  const id = idFromLease('grant-lease', leaseHash, runnerId, String(slice));
  const options = { ...envelopeFor(id, actorOf(runner)), timeoutMs: waitMs + ANSWER_MS };
  const first = await commands.send('grant-lease', data, options);
  if (first.ok || first.refusal.code !== 'timed_out') return first;
  return commands.send('grant-lease', data, options);
}
