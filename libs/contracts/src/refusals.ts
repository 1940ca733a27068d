import { z } from 'zod';

/**
 * Refusals: why the system did not do what it was asked. A closed list, so that every client can be complete.
 * `status` is the HTTP status that carries it on the public and runner APIs.
 */
export const REFUSALS = {
  invalid_request: { status: 400, meaning: 'the request does not have the documented shape' },
  invalid_signature: { status: 401, meaning: 'the webhook signature does not match the body' },
  unauthenticated: { status: 401, meaning: 'no valid token was sent' },
  forbidden: { status: 403, meaning: 'the token may not do this' },
  not_found: { status: 404, meaning: 'there is no such thing, or the token may not see it' },
  gone: { status: 410, meaning: 'it was there, and was removed when its time was over' },
  unknown_repository: { status: 404, meaning: 'the repository is not one this installation serves' },
  method_not_allowed: { status: 405, meaning: 'the resource exists and does not take this method' },
  unknown_command: { status: 400, meaning: 'no such command' },
  stale_lease: { status: 409, meaning: 'the lease is not the current one: stop, clean up, do not report again' },
  not_cancelable: { status: 409, meaning: 'the run has finished already' },
  not_rerunnable: { status: 409, meaning: 'the run cannot be run again as asked' },
  cancel_not_requested: { status: 409, meaning: 'nobody asked to cancel this attempt' },
  conflicting_repeat: { status: 409, meaning: 'the same id was used before with different content' },
  invalid_transition: { status: 409, meaning: 'the state machine has no such step from here' },
  digest_mismatch: { status: 422, meaning: 'content does not have the digest it was announced with' },
  offset_mismatch: { status: 409, meaning: 'the log continues at another offset; see details.nextOffset' },
  payload_too_large: { status: 413, meaning: 'over the size limit' },
  unsupported_event: { status: 422, meaning: 'the webhook event cannot be understood' },
  unsupported_media_type: { status: 415, meaning: 'the content type is not one this resource takes' },
  range_not_satisfiable: { status: 416, meaning: 'there is nothing in the range that was asked for' },
  rate_limited: { status: 429, meaning: 'too many requests; see Retry-After' },
  internal: { status: 500, meaning: 'our fault; the request may be repeated with the same id' },
  unavailable: { status: 503, meaning: 'not ready to take this now; repeat with the same id after Retry-After' },
  timed_out: { status: 504, meaning: 'no answer in time; repeat with the same id' },
} as const;

export type RefusalCode = keyof typeof REFUSALS;
export const REFUSAL_CODES = Object.keys(REFUSALS) as [RefusalCode, ...RefusalCode[]];

/** A refusal as a value: the named code, a sentence that says what to do, and data for machines. */
export const Refusal = z.strictObject({
  code: z.enum(REFUSAL_CODES),
  message: z.string().max(10_000),
  details: z.record(z.string(), z.unknown()),
});
export type Refusal = z.infer<typeof Refusal>;

export function refuse(code: RefusalCode, message: string, details: Record<string, unknown> = {}): Refusal {
  return { code, message, details };
}

/** Body of every error answer over HTTP. */
export const ErrorBody = z.strictObject({ error: Refusal });
export type ErrorBody = z.infer<typeof ErrorBody>;

/** Answer to a command over the bus. `position`: the log head after the command, for reading one's own writes. */
export const CommandAnswer = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), result: z.unknown(), position: z.number().int().nonnegative() }),
  z.strictObject({ ok: z.literal(false), refusal: Refusal }),
]);
export type CommandAnswer = z.infer<typeof CommandAnswer>;
