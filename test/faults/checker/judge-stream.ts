import { connectBus, type Bus, type BusLog, type StoredMessage } from '@delta-ci/bus';
import { STREAMS } from '@delta-ci/contracts';
import { eventually } from '../../support/infra/eventually.ts';
import { judgeEach, type Finding } from './invariants.ts';
import type { LogIndex } from './log-index.ts';

const SILENT: BusLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** EVENTS of the quiet mesh against the log: the same events at the same places, all of them. */
export async function judgeStream(log: LogIndex, natsUrl: string): Promise<Finding> {
  const bus = await connectBus({ servers: [natsUrl], name: 'checker', log: SILENT });
  try {
    const last = log.events.length;
    await eventually('the relay has caught up', async () => {
      const state = await bus.streamState(STREAMS.events);
      return state.outcome === 'known' && state.lastSequence >= last;
    }).catch(() => undefined);
    const stored = await storedFrom(bus, 1);
    return judgeEach('stream-copies-log', log.events, ({ position, hash }) => {
      const message = stored.get(position);
      if (message === undefined) return `position ${position} is not in the stream`;
      const { 'Delta-Position': at, 'Delta-Hash': copied } = message.headers;
      if (at !== String(position)) return `sequence ${position} holds position ${at ?? 'none'}`;
      return copied === hash ? null : `position ${position} has another hash in the stream`;
    });
  } finally {
    await bus.close();
  }
}

async function storedFrom(bus: Bus, first: number): Promise<Map<number, StoredMessage>> {
  const stored = new Map<number, StoredMessage>();
  for (let next = first; ;) {
    const read = await bus.readStored(STREAMS.events, next);
    if (read.outcome === 'unreachable') throw new Error(`EVENTS cannot be read: ${read.detail}`);
    if (read.outcome !== 'found') return stored;
    stored.set(read.message.sequence, read.message);
    next = read.message.sequence + 1;
  }
}
