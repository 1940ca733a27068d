import type { FeedEvent, RecordedEvent, RunId } from '@delta-ci/contracts';
import type { LogBell, LogReader } from '@delta-ci/event-log';
import type { EventStream } from '../http/event-streams.ts';
import { pause } from '../http/wait-for-any.ts';

/** One read's share: enough to catch up quickly, little enough to hold for a slow client. */
const BATCH = 200;
/** A follower reads at most this often: what comes in between comes together. */
const REST_MS = 20;

/** Sends events after a position, in order and without a gap, for as long as somebody listens. */
export async function followEvents(
  { reader, bell }: { readonly reader: LogReader; readonly bell: LogBell },
  stream: EventStream,
  { afterPosition, run }: { readonly afterPosition: number; readonly run?: RunId },
): Promise<void> {
  let position = afterPosition;
  while (!stream.over.aborted) {
    const heard = bell.position;
    const events = await reader.read({ afterPosition: position, limit: BATCH, ...(run === undefined ? {} : { run }) });
    for (const event of events) await stream.send({ id: String(event.position), data: feedEventOf(event) });
    position = events.at(-1)?.position ?? position;
    if (events.length === BATCH) continue;
    // Everything up to what the bell had rung for has been read, so only what is newer can be news.
    await bell.waitPast(Math.max(position, heard), stream.over);
    await pause(REST_MS, stream.over);
  }
}

function feedEventOf({ position, id, type, stream, time, correlation, data }: RecordedEvent): FeedEvent {
  return { position, id, type, stream, time, correlation, data };
}
