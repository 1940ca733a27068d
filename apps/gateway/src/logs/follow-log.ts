import { lineFeedsIn } from '@delta-ci/artifact-store';
import { onLogGrew } from '@delta-ci/bus';
import type { AttemptOutcome, AttemptRef, LogFollowChunk, LogFollowEnd, RecordedEvent } from '@delta-ci/contracts';
import type { EventStream } from '../http/event-streams.ts';
import { pause, waitForAny } from '../http/wait-for-any.ts';
import type { GatewayParts } from '../parts.ts';
import { lineAtByte } from './log-lines.ts';
import { wholeCharacters } from './whole-characters.ts';

/** One event's share of the log: large enough to catch up quickly, small enough for any client to take. */
const CHUNK_BYTES = 64 * 1024;
/** Growth is announced without being stored: who misses it looks again after this. */
const LOOK_MS = 2_000;
/** Events of one run that are looked through at once. */
const EVENTS = 200;

export interface FollowedLog {
  readonly attempt: AttemptRef;
  readonly offset: number;
  /** Log position of what is known of the attempt, and its outcome if it had finished there. */
  readonly position: number;
  readonly finished: boolean;
  readonly outcome: AttemptOutcome | null;
}

/** Sends an attempt's log from an offset on, and what is added to it, until the attempt has finished. */
export async function followLog(parts: GatewayParts, stream: EventStream, followed: FollowedLog): Promise<void> {
  const { attempt } = followed;
  let end = followed.finished ? { outcome: followed.outcome } : null;
  let { position } = followed;
  const place: Place = { offset: followed.offset, line: null };
  let grown = Promise.withResolvers<void>();
  const ear = onLogGrew(parts.bus, attempt.runId, attempt.jobKey, () => grown.resolve());
  try {
    while (!stream.over.aborted) {
      grown = Promise.withResolvers<void>();
      const heard = parts.bell.position;
      await sendWhatIsThere(parts, stream, attempt, place, end !== null);
      if (end !== null) return await sendEnd(stream, attempt, place.offset, end.outcome);
      const events = await parts.reader.read({ afterPosition: position, limit: EVENTS, run: attempt.runId });
      position = events.at(-1)?.position ?? position;
      end = endIn(events, attempt);
      if (end !== null || events.length === EVENTS) continue;
      const news = Math.max(position, heard);
      await waitForAny(
        async () => grown.promise,
        async (enough) => parts.bell.waitPast(news, AbortSignal.any([enough, stream.over])),
        async (enough) => pause(LOOK_MS, AbortSignal.any([enough, stream.over])),
      );
    }
  } finally {
    await ear.stop();
  }
}

/** Where a follower is. The line is looked up when something is sent for the first time. */
interface Place {
  offset: number;
  line: number | null;
}

/** @param all nothing more will come, so a character that was cut stays cut */
async function sendWhatIsThere(
  { store }: GatewayParts,
  stream: EventStream,
  attempt: AttemptRef,
  place: Place,
  all: boolean,
): Promise<void> {
  while (!stream.over.aborted) {
    const { offset } = place;
    const bytes = await store.logs.read(attempt, offset, CHUNK_BYTES);
    const length = all && bytes.length < CHUNK_BYTES ? bytes.length : wholeCharacters(bytes);
    if (length === 0) return;
    const sent = bytes.subarray(0, length);
    const line = place.line ?? (await lineAtByte(store.logs, attempt, offset));
    place.offset = offset + length;
    place.line = line + lineFeedsIn(sent);
    const data: LogFollowChunk = { offset, nextOffset: place.offset, line, text: new TextDecoder().decode(sent) };
    await stream.send({ id: String(place.offset), type: 'log', data });
  }
}

async function sendEnd(
  stream: EventStream,
  { attempt }: AttemptRef,
  offset: number,
  outcome: AttemptOutcome | null,
): Promise<void> {
  const data: LogFollowEnd = { attempt, outcome };
  await stream.send({ id: String(offset), type: 'end', data });
}

function endIn(
  events: readonly RecordedEvent[],
  { jobKey, attempt }: AttemptRef,
): { outcome: AttemptOutcome | null } | null {
  for (const { type, data } of events) {
    if (type === 'attempt.finished' && data.jobKey === jobKey && data.attempt === attempt) return data;
  }
  return null;
}
