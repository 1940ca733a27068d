import type { StreamName } from '@delta-ci/contracts';
import type { Bus } from '../bus.ts';
import { keepConsumers, type KeptMarks, type StreamMark, type WatchedBus } from '../keep-consumers.ts';
import { keptLog, testTopology, type KeptLog } from './bus-fixture.fixture.ts';

/** A watch over consumers that looks when it is told to, and not in between. */
export interface HeldWatch {
  readonly log: KeptLog;
  /** What it put right so far. */
  readonly changes: readonly string[];
  /** Has it look once; resolves when it has. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

/** Marks in memory, as a database keeps them. */
export function marksInMemory(): KeptMarks {
  const kept = new Map<StreamName, StreamMark>();
  return {
    read: async () => new Map(kept),
    write: async (marks) => {
      for (const [stream, mark] of marks) kept.set(stream, mark);
    },
  };
}

/** Starts one on this bus, going on from these marks; it has looked once when this resolves. */
export async function heldWatch(bus: Bus, marks: KeptMarks = marksInMemory()): Promise<HeldWatch> {
  const stop = new AbortController();
  const log = keptLog();
  const changes: string[] = [];
  let looked = Promise.withResolvers<void>();
  let next = Promise.withResolvers<void>();
  stop.signal.addEventListener('abort', () => next.resolve());
  const watched: WatchedBus = {
    clock: {
      nowMs: () => bus.clock.nowMs(),
      sleep: () => {
        looked.resolve();
        return next.promise;
      },
    },
    outages: () => bus.outages(),
    streamState: (stream) => bus.streamState(stream),
    readStored: (stream, sequence) => bus.readStored(stream, sequence),
  };
  const end = keepConsumers(watched, {
    signal: stop.signal,
    log,
    marks,
    provision: async (doubts) => void changes.push(...(await bus.provision(testTopology(), doubts)).changes),
  });
  await looked.promise;
  return {
    log,
    changes,
    look: () => {
      const go = next;
      looked = Promise.withResolvers();
      next = Promise.withResolvers();
      go.resolve();
      return looked.promise;
    },
    stop: () => {
      stop.abort();
      return end;
    },
  };
}
