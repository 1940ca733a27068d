import { z } from 'zod';
import { SecretName } from './secrets.ts';

/**
 * Debugging: a job that failed is run again, in a run of its own that counts for nothing, and its runner keeps the sandbox of the
 * step that fails for a while, with a shell in it for whoever asked. Nothing of it has secrets, whoever's change it is.
 */

/** As long as somebody may have the shell, in minutes. */
export const DEBUG_MINUTES_MAX = 60;
export const DEBUG_MINUTES = 15;
/** Nothing typed and nothing shown for so long, and the shell ends. */
export const DEBUG_IDLE_MS = 5 * 60_000;

const minute = 60_000;
const HeldMs = z
  .number()
  .int()
  .min(minute)
  .max(DEBUG_MINUTES_MAX * minute);

/** Why somebody wants to look into an attempt: what the log says of it for ever. */
export const DebugReason = z.string().trim().min(1).max(500);

/** What makes a rerun one for debugging. */
export const DebugTerms = z.strictObject({
  /** The attempt, of the one job that is run again, that is looked into. */
  attempt: z.number().int().min(1),
  /** Name of the operator who asked: nobody else may type. */
  by: z.string().min(1).max(200),
  reason: DebugReason,
  heldMs: HeldMs,
});
export type DebugTerms = z.infer<typeof DebugTerms>;

/** What a plan has its runner do when a step of the job has failed. */
export const DebugHold = z.strictObject({
  /** The sandbox is kept so long, a part of the job's own time. */
  heldMs: HeldMs,
  idleMs: z.number().int().positive(),
  /** Names of what the job has otherwise, and not here. */
  withheld: z.array(SecretName).max(200),
});
export type DebugHold = z.infer<typeof DebugHold>;

/** How a shell ended, and what went through it. `refused`: there was none, and the log says why. */
export const DebugEnd = z.strictObject({
  how: z.enum(['left', 'time_over', 'idle', 'canceled', 'failed', 'refused']),
  openMs: z.number().int().nonnegative(),
  typedBytes: z.number().int().nonnegative(),
  shownBytes: z.number().int().nonnegative(),
});
export type DebugEnd = z.infer<typeof DebugEnd>;

/** `POST /runs/{id}/jobs/{job}/debug` */
export const DebugRequest = z.strictObject({
  /** The attempt to look into; absent for the latest. */
  attempt: z.number().int().min(1).optional(),
  reason: DebugReason,
  minutes: z.number().int().min(1).max(DEBUG_MINUTES_MAX).default(DEBUG_MINUTES),
});
export type DebugRequest = z.infer<typeof DebugRequest>;

/** Typed keys of one message: what a fast paste is cut into. */
export const DEBUG_KEYS_BYTES_MAX = 8 * 1024;

const size = z.number().int().min(1).max(10_000);

/** What somebody at the shell does. Keys are base64. */
export const DebugInput = z.strictObject({
  /** Counts up from 1; one that is not above the last is a repeat. */
  sequence: z.number().int().min(1),
  input: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('keys'), bytes: z.base64().max(Math.ceil(DEBUG_KEYS_BYTES_MAX / 3) * 4) }),
    z.strictObject({ kind: z.literal('size'), rows: size, columns: size }),
  ]),
});
export type DebugInput = z.infer<typeof DebugInput>;

/** `POST /leases/{id}/debug`: the shell is there. `logOffset`: what it shows begins there in the attempt's log. */
export const OpenDebugRequest = z.strictObject({ logOffset: z.number().int().nonnegative() });
export type OpenDebugRequest = z.infer<typeof OpenDebugRequest>;
