import { z } from 'zod';
import type { ForgeFailure } from '../publications/forge-failure.ts';
import { plainLine } from '../publications/harmless-text.ts';

/** What Octokit throws for an answer of 300 and more. */
const AnswerError = z.object({
  status: z.number().int(),
  message: z.string(),
  response: z.object({ headers: z.record(z.string(), z.union([z.string(), z.number()]).optional()) }).optional(),
});

/** GitHub's advice for its secondary limits when it names no time. */
const SECONDARY_LIMIT_MS = 60_000;
/** A forge that asks for more is asked again after an hour all the same: GitHub's limits are per hour. */
const RETRY_AFTER_MAX_MS = 3_600_000;

/** Names what went wrong. @param nowMs for limits that are given as a point in time */
export function failureOfError(error: unknown, nowMs: number): ForgeFailure {
  const parsed = AnswerError.safeParse(error);
  const message = plainLine(error instanceof Error ? error.message : String(error), 500);
  // Octokit calls it 500 when there was no answer at all.
  if (!parsed.success) return { kind: 'unavailable', message };
  const { status, response } = parsed.data;
  const retryAfterMs = waitOf(status, response?.headers ?? {}, message, nowMs);
  if (retryAfterMs !== null) return { kind: 'rate_limited', retryAfterMs, message };
  if (status === 401 || status === 403) return { kind: 'unauthorised', message };
  if (status === 404 || status === 410) return { kind: 'not_found', message };
  // 408 and 409: in the way of each other just now.
  if (status >= 500 || status === 408 || status === 409) return { kind: 'unavailable', message };
  return { kind: 'refused', message };
}

type Headers = Readonly<Record<string, string | number | undefined>>;

function waitOf(status: number, headers: Headers, message: string, nowMs: number): number | null {
  const waits = status === 429 || status === 403 || status === 503;
  if (!waits) return null;
  const seconds = wholeNumber(headers['retry-after']);
  if (seconds !== null) return bounded(seconds * 1_000);
  if (status === 503) return null;
  const resetSeconds = wholeNumber(headers['x-ratelimit-reset']);
  if (wholeNumber(headers['x-ratelimit-remaining']) === 0 && resetSeconds !== null) {
    return bounded(resetSeconds * 1_000 - nowMs);
  }
  return status === 429 || /rate limit|abuse/i.test(message) ? SECONDARY_LIMIT_MS : null;
}

function wholeNumber(header: string | number | undefined): number | null {
  return header !== undefined && /^\d{1,12}$/.test(String(header)) ? Number(header) : null;
}

/** At least a moment: a forge whose clock is ahead must not be asked in a tight loop. */
const bounded = (ms: number): number => Math.min(RETRY_AFTER_MAX_MS, Math.max(100, ms));
