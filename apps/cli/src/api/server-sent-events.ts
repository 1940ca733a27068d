import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** Events of a stream, one by one. A connection that breaks ends them: the caller comes back and goes on. */
export async function* serverSentEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<EventSourceMessage> {
  const events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => void events.push(event) });
  const decoder = new TextDecoder();
  try {
    for await (const chunk of body) {
      parser.feed(decoder.decode(chunk, { stream: true }));
      yield* events.splice(0);
    }
  } catch {
    return;
  }
}
