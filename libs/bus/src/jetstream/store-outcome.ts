import { JetStreamApiCodes } from '@nats-io/jetstream';
import type { StoreOutcome } from '../bus.ts';
import type { Reply } from './reply-inbox.ts';

export const HEADER_MESSAGE_ID = 'Nats-Msg-Id';
export const HEADER_EXPECTED_LAST = 'Nats-Expected-Last-Sequence';

/** Error codes of the JetStream API; some the library has no name for. */
const OUT_OF_ORDER: readonly unknown[] = [
  JetStreamApiCodes.StreamWrongLastSequence,
  JetStreamApiCodes.StreamWrongLastSequenceUnknown,
];
const MAXIMUM_MESSAGES = 10_077;
const INSUFFICIENT_RESOURCES = 10_023;
const STORAGE_EXCEEDED = 10_047;
const FULL: readonly unknown[] = [MAXIMUM_MESSAGES, INSUFFICIENT_RESOURCES, STORAGE_EXCEEDED];

/** What a stream says to a message that was published to it. */
interface StreamsWord {
  readonly seq?: unknown;
  readonly duplicate?: unknown;
  readonly error?: { readonly err_code?: unknown; readonly description?: unknown };
}

/** Reads the stream's word. Nobody answers a subject that no stream takes. */
export function outcomeOfStoring(reply: Reply): StoreOutcome {
  switch (reply.outcome) {
    case 'unattended':
      return { outcome: 'missing' };
    case 'timed-out':
      return { outcome: 'unreachable', detail: 'the stream did not answer in time' };
    case 'lost':
      return { outcome: 'unreachable', detail: reply.detail };
    case 'answered':
      return read(wordIn(reply.message.data));
  }
}

function wordIn(data: Uint8Array): StreamsWord {
  try {
    const word: unknown = JSON.parse(Buffer.from(data).toString('utf8'));
    return typeof word === 'object' && word !== null ? word : {};
  } catch {
    return {};
  }
}

function read({ seq, duplicate, error }: StreamsWord): StoreOutcome {
  if (error === undefined) {
    if (typeof seq !== 'number') return { outcome: 'unreachable', detail: 'the answer was not that of a stream' };
    return { outcome: duplicate === true ? 'duplicate' : 'stored', sequence: seq };
  }
  if (OUT_OF_ORDER.includes(error.err_code)) return { outcome: 'out-of-order' };
  if (FULL.includes(error.err_code)) return { outcome: 'full' };
  if (error.err_code === JetStreamApiCodes.StreamNotFound) return { outcome: 'missing' };
  return { outcome: 'unreachable', detail: String(error.description ?? error.err_code) };
}
