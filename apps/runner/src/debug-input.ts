import { setTimeout as pause } from 'node:timers/promises';
import { DebugInput } from '@delta-ci/contracts';
import type { TerminalInput } from '@delta-ci/sandbox';
import { Refused } from './gateway-client.ts';

/** An event is one input; a stream without an end of one is no stream of ours. */
const EVENT_CHARS_MAX = 64 * 1024;
/** A gateway that restarts is not overrun. */
const OPEN_AGAIN_MS = 250;
/** Until somebody sits there, whose terminal has another. */
const FIRST_SIZE: TerminalInput = { kind: 'size', rows: 24, columns: 80 };

/** Inputs of a stream of server-sent events. Ends, or throws, when the stream does or says something else. */
export async function* inputsIn(body: AsyncIterable<Uint8Array>): AsyncGenerator<DebugInput> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const events = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
    rest = events.pop() ?? '';
    if (rest.length > EVENT_CHARS_MAX) throw new Error('an event of what is typed does not end');
    for (const event of events) {
      const data = event.split('\n').find((line) => line.startsWith('data: '));
      if (data !== undefined) yield DebugInput.parse(JSON.parse(data.slice('data: '.length)));
    }
  }
}

/** What is typed into one shell, counted. */
export interface TypedInput {
  readonly terminal: ReadableStream<TerminalInput>;
  readonly bytes: () => number;
}

/**
 * What somebody far away types. Whoever passes it on may repeat it, which is dropped; a stream that breaks is opened anew.
 * @param open settles once there is a stream; rejects with a refusal when there is to be none any more
 * @param over raised when nobody takes anything from it any more
 */
export function typedInput(open: () => Promise<AsyncIterable<Uint8Array>>, over: AbortController): TypedInput {
  let bytes = 0;
  let last = 0;
  async function* inputs(): AsyncGenerator<TerminalInput, void> {
    yield FIRST_SIZE;
    while (!over.signal.aborted) {
      try {
        const body = await open();
        for await (const { sequence, input } of inputsIn(body)) {
          if (sequence <= last) continue;
          last = sequence;
          if (input.kind === 'size') yield input;
          else {
            const keys = Buffer.from(input.bytes, 'base64');
            bytes += keys.byteLength;
            yield { kind: 'keys', bytes: keys };
          }
        }
      } catch (error) {
        if (error instanceof Refused) return;
        // The way was cut: what is typed next comes by another.
      }
      await pause(OPEN_AGAIN_MS, undefined, { signal: over.signal }).catch(() => undefined);
    }
  }
  const source = inputs();
  const terminal = new ReadableStream<TerminalInput>({
    pull: async (controller) => {
      const next = await source.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    cancel: () => over.abort(),
  });
  return { terminal, bytes: () => bytes };
}
