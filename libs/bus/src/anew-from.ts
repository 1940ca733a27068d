import { STREAMS } from '@delta-ci/contracts';
import type { ConsumerSpec } from './topology.ts';

/**
 * Where a consumer has to begin anew, or null when it may stay. A stream that lost its tail hands the lost sequences out
 * again, and a consumer that had passed them would never see the messages that have them now. One that stands beyond the
 * end sees all there is again; one that passed what is in doubt begins there, or after what it had settled if that is
 * earlier. A work queue holds only what is not settled, and servers let its consumers begin nowhere but at its first.
 * Never for EVENTS: there the same sequence is the same event. Servers from 2.10 on put those beyond the end right
 * themselves, but cannot know of those that were overtaken.
 */
export function anewFrom(
  { stream }: Pick<ConsumerSpec, 'stream'>,
  consumer: { readonly delivered: number; readonly ackFloor: number },
  { lastSequence, doubtedFrom }: { readonly lastSequence: number; readonly doubtedFrom: number | null },
): number | null {
  if (stream === STREAMS.events) return null;
  if (doubtedFrom === null) return consumer.delivered > lastSequence ? 1 : null;
  if (consumer.delivered < doubtedFrom) return null;
  return stream === STREAMS.dispatch ? 1 : Math.min(doubtedFrom, consumer.ackFloor + 1);
}
